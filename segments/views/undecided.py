"""The worklist: the records that a segment's rule, or one being built, cannot decide for want of data."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from segmentation_crm.common import exports
from segmentation_crm.common.access import can
from segmentation_crm.common.models import Export, User
from segmentation_crm.common.paging import Page, keyset_page

from ..choices import MemberType, SegmentKind
from ..models import Segment
from ..queries import records_visible_to, sees_every_record
from ..rules.deadline import RuleTooExpensive
from ..rules.describe import describe
from ..rules.evaluate import restricted
from ..rules.nodes import InvalidRule, Rule
from ..sentences import hide_records, sentence_for
from ..services import saving
from ..services.gaps import gap_words, lacking, row_gaps, rule_of, undecided_for
from ..worklist import FAMILY, NAME
from .builder import rule_of_list
from .common import segment_or_404

PAGE = 50


@login_required
@require_GET
def undecided(request: HttpRequest, slug: str) -> HttpResponse:
    """List whom the segment's rule cannot decide; `part=line` answers only how many, for the segment's page."""
    segment = segment_or_404(request, slug)
    problem, rule = "", None
    try:
        rule = rule_of(segment) if segment.kind == SegmentKind.DYNAMIC else None
    except InvalidRule:
        problem = "The rule no longer works, so nobody can be said to be undecided. Correct it in the builder first."
    context = {
        "segment": segment,
        "sentence": sentence_for(segment, request.user),
        "can_export": can(request.user, "records.export"),
        "problem": problem,
    }
    if request.GET.get("part") == "line":
        found = _counted(rule, request) if rule is not None else {}
        return render(request, "segments/_undecided_line.html", {**context, **found})
    return _worklist(request, rule, segment.member_type, context)


@login_required
@require_GET
def undecided_rule(request: HttpRequest) -> HttpResponse:
    """List whom a rule that is not saved cannot decide: `member_type`, accounts unless given, and `rules`."""
    member_type = request.GET.get("member_type", MemberType.ACCOUNT)
    if member_type not in MemberType.values:
        raise Http404("Members are accounts or contacts.")
    problem, rule = "", None
    try:
        rule = saving.validated(rule_of_list(request), member_type, request.user)
    except InvalidRule as broken:
        problem = f"The rule in this address does not work: {broken}"
    sentence = describe(hide_records(rule, request.user)) if rule else ""
    return _worklist(request, rule, member_type, {"segment": None, "sentence": sentence, "problem": problem})


def _counted(rule: Rule, request: HttpRequest) -> dict[str, Any]:
    try:
        found = undecided_for(rule, request.user)
    except RuleTooExpensive as slow:
        return {"problem": slow.message}
    return {"found": found, "count": len(found.keys), "gaps": gap_words(found, rule.member_type)}


def _worklist(request: HttpRequest, rule: Rule | None, member_type: str, context: dict[str, Any]) -> HttpResponse:
    page, rows, field = Page([]), [], request.GET.get("field", "")
    counted = _counted(rule, request) if rule is not None else {}
    found = counted.get("found")
    if found is not None and rule is not None:
        visible = records_visible_to(member_type, request.user).select_related("owner")
        page = keyset_page(
            request, restricted(visible, lacking(found, field)).order_by(NAME[MemberType(member_type)]), PAGE
        )
        gaps = row_gaps(found, member_type, page.rows)
        rows = [(row, gaps[row.pk]) for row in page.rows]
    values = {
        **context, **counted, "page": page, "rows": rows, "field": field, "unit": member_type,
        "record_url": f"accounts:{member_type}_detail", "edit_url": f"accounts:{member_type}_edit",
        "may_edit": can(request.user, "records.write"), "sees_a_part": not sees_every_record(request.user),
        "kept": _kept(request),
    }  # fmt: skip
    return render(request, "segments/undecided.html", values)


def _kept(request: HttpRequest) -> str:
    """Return the address's parameters without paging and field, for links that change the field."""
    params = request.GET.copy()
    for name in ("cursor", "field", "page_size"):
        params.pop(name, None)
    return params.urlencode()


@login_required
@require_POST
def undecided_export(request: HttpRequest, slug: str) -> HttpResponse:
    """Queue a file of the segment's undecided records, with what each lacks."""
    segment: Segment = segment_or_404(request, slug)
    if not can(request.user, "records.export"):
        raise PermissionDenied("Your role does not export records.")
    assert isinstance(request.user, User)
    params = {"field": request.POST.get("field", "")[:120]}
    try:
        exports.request_export(
            request.user, f"{FAMILY}:{segment.pk}", request.POST.get("format", Export.Format.CSV),
            params={name: value for name, value in params.items() if value},
        )  # fmt: skip
    except exports.TooManyExports as error:
        return render(request, "exports/too_many.html", {"text": str(error)}, status=429)
    except exports.ExportRefused as error:
        messages.error(request, str(error))
        return redirect(reverse("segments:undecided", args=[segment.slug]))
    messages.success(request, "The file is being written. You hear of it when it is ready; it stays for 24 hours.")
    return redirect("exports:list")
