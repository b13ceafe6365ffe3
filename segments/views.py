"""Pages of segments: the list, the builder, one segment with its members."""

import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from segmentation_crm.common import lists
from segmentation_crm.common.access import can
from segmentation_crm.common.lists.page import show_list
from segmentation_crm.common.lists.resolve import resolve
from segmentation_crm.common.lists.saved_views import find_view, stored_query
from segmentation_crm.common.models import Organisation
from segmentation_crm.common.paging import keyset_page
from segmentation_crm.common.services.saved_views import may_change

from .choices import MemberType, RunCause, SegmentKind, SegmentUse
from .forms import OverrideForm
from .models import Segment
from .queries import (
    active_job,
    find_segment,
    memberships_visible_to,
    movement_since,
    overrides_visible_to,
    recent_runs,
    records_visible_to,
    sees_every_record,
    visible_accounts_of,
    visible_member_count,
)
from .rules.nodes import InvalidRule
from .sentences import sentence_for
from .services import exporting, overrides, saving

PAGE = 50
MEMBERS_OF_LISTS = ("account", "contact", "opportunity", "activity")
MOVEMENT_DAYS = 30


def _segment_or_404(request: HttpRequest, slug: str) -> Segment:
    found = find_segment(request.user, slug)
    if found is None:
        raise Http404("There is no such segment.")
    return found


def rule_of_list(request: HttpRequest) -> dict[str, Any]:
    """Return the rule that a list hands over: written out, or by its saved view; {} for none (up to 1 query)."""
    view = find_view(request.GET.get("member_type", ""), request.user, request.GET.get("view", ""))
    if view is not None:
        return view.rules if isinstance(view.rules, dict) else {}
    try:
        found = json.loads(request.GET.get("rules", "{}"))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _require_write(request: HttpRequest) -> None:
    if not can(request.user, "segments.write"):
        raise PermissionDenied


@login_required
@require_GET
def segment_list(request: HttpRequest) -> HttpResponse:
    """List segments with sentence, members, state and owner; archived ones only where asked for."""
    return show_list(
        request,
        lists.get("segment"),
        "segments/segment_list.html",
        can_write=can(request.user, "segments.write"),
        sees_a_part=not sees_every_record(request.user),
    )


def _builder(request: HttpRequest, segment: Segment | None, rules: Any = None) -> HttpResponse:
    kind = segment.member_type if segment else request.GET.get("member_type", MemberType.ACCOUNT)
    stored = {
        "member_type": kind if kind in MemberType.values else MemberType.ACCOUNT,
        "rules": segment.rules if segment else rules or {},
    }
    context = {
        "segment": segment,
        "stored": stored,
        "currency": Organisation.current().currency,
        "member_types": MemberType.choices,
        "uses": SegmentUse.choices,
        "kinds": [SegmentKind.DYNAMIC, SegmentKind.SNAPSHOT],
        "sees_a_part": not sees_every_record(request.user),
    }
    return render(request, "segments/segment_builder.html", context)


@login_required
@require_GET
def segment_new(request: HttpRequest) -> HttpResponse:
    """Show the builder with an empty rule, or with the one of a list: `rules`, or that of the saved view `view`."""
    _require_write(request)
    return _builder(request, None, rule_of_list(request))


@login_required
@require_GET
def list_rule(request: HttpRequest, record: str) -> HttpResponse:
    """Show the builder for the rule of a list; it leads back to the list, or saves a view through the API."""
    if record not in MEMBERS_OF_LISTS:
        raise Http404("The list of these records takes no rule.")
    definition = lists.get(record)
    resolved = resolve(definition, request.user, request.GET)
    params = resolved.params.copy()
    params.pop("rules", None)
    context = {
        "list": definition,
        "view": resolved.view,
        "stored": {"member_type": record, "rules": resolved.rules or {}},
        "problem": next(iter(resolved.errors), "") if resolved.rules else "",
        "back_url": f"{reverse(definition.url_name)}?{resolved.query or 'view=all'}",
        "list_url": reverse(definition.url_name),
        "params": params.urlencode(),
        "query": stored_query(resolved.params),
        "currency": Organisation.current().currency,
        "sees_a_part": not sees_every_record(request.user),
        "may_save": resolved.view is None or may_change(request.user, resolved.view),
    }
    return render(request, "segments/list_rule.html", context)


@login_required
@require_GET
def segment_edit(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the builder with the segment's rule; it saves through the API."""
    _require_write(request)
    segment = _segment_or_404(request, slug)
    if segment.kind == SegmentKind.STATIC:
        messages.info(request, "This segment is kept by hand and has no rule.")
        return redirect(segment)
    return _builder(request, segment)


@login_required
@require_GET
def segment_detail(request: HttpRequest, slug: str) -> HttpResponse:
    """Show one segment: fresh or not, how many, the rule, the members, what was decided by hand, what changed."""
    segment = _segment_or_404(request, slug)
    user = request.user
    # The job first: a build that ends between the two reads is then shown, not waited for.
    job = active_job(segment)
    segment = _segment_or_404(request, slug)
    count = visible_member_count(segment, user)
    total = records_visible_to(segment.member_type, user).count()
    # By time of entry, the latest first: who is new is what one acts on.
    rows = memberships_visible_to(segment, user).order_by("-entered_at", "-pk")
    decided = overrides_visible_to(segment, user)
    page = keyset_page(request, rows, PAGE)
    account_names = visible_accounts_of(page.rows, user)
    context = {
        "segment": segment,
        "sentence": sentence_for(segment, user),
        "rows": [(row, account_names.get(row.contact.account_id) if row.contact else None) for row in page.rows],
        "is_account": segment.member_type == MemberType.ACCOUNT,
        "unit": segment.member_type,
        "count": count,
        "total": total,
        "share": count / total if total else None,
        "movement": movement_since(segment, user, timezone.now() - timedelta(days=MOVEMENT_DAYS)),
        "movement_days": MOVEMENT_DAYS,
        "duration_s": None if segment.last_duration_ms is None else segment.last_duration_ms / 1000,
        "page": page,
        "overrides": list(decided.order_by("-pk")[:PAGE]),
        "override_count": decided.count(),
        "runs": recent_runs(segment),
        "job": job,
        "can_write": can(user, "segments.write"),
        "can_export": can(user, "records.export"),
        "sees_a_part": not sees_every_record(user),
        "list_query": list_query(segment),
        "list_url": reverse(lists.get(segment.member_type).url_name),
        "form": OverrideForm(),
    }
    return render(request, "segments/segment_detail.html", context)


def list_query(segment: Segment) -> str:
    """Return the query under which the list of accounts or contacts shows the members."""
    rule = {"combinator": "and", "rules": [{"field": "segment", "operator": "in", "value": [segment.slug]}]}
    return urlencode({"view": lists.NO_VIEW, "rules": json.dumps(rule, separators=(",", ":"))})


# --- what one can do to a segment ---
@login_required
@require_POST
def segment_rebuild(request: HttpRequest, slug: str) -> HttpResponse:
    """Queue the computing of the members."""
    _require_write(request)
    segment = _segment_or_404(request, slug)
    saving.queue_rebuild(segment, request.user, RunCause.REBUILD)
    return redirect(segment)


@login_required
@require_POST
def segment_archive(request: HttpRequest, slug: str) -> HttpResponse:
    """Take the segment out of use, or say who uses it."""
    segment = _segment_or_404(request, slug)
    try:
        saving.archive_segment(request.user, segment)
    except saving.SegmentInUse as used:
        messages.error(request, f"“{segment.name}” cannot be archived: {used}")
    else:
        messages.success(request, f"“{segment.name}” is archived. Its members and history are kept.")
    return redirect(segment)


@login_required
@require_POST
def segment_restore(request: HttpRequest, slug: str) -> HttpResponse:
    """Bring an archived segment back."""
    segment, _ = saving.restore_segment(request.user, _segment_or_404(request, slug))
    messages.success(request, f"“{segment.name}” is in use again; its members are being computed.")
    return redirect(segment)


@login_required
@require_POST
def segment_duplicate(request: HttpRequest, slug: str) -> HttpResponse:
    """Copy the segment's rule into a draft and open it in the builder."""
    segment = _segment_or_404(request, slug)
    try:
        copy, _ = saving.duplicate_segment(request.user, segment)
    except InvalidRule as problem:
        messages.error(request, f"The rule no longer works, so it cannot be copied: {problem}")
        return redirect(segment)
    return redirect("segments:edit" if copy.kind != SegmentKind.STATIC else "segments:detail", copy.slug)


@login_required
@require_POST
def override_add(request: HttpRequest, slug: str) -> HttpResponse:
    """Put a record always in or never in."""
    _require_write(request)
    segment = _segment_or_404(request, slug)
    form = OverrideForm(request.POST)
    if not form.is_valid():
        messages.error(request, form.first_error())
        return redirect(segment)
    data = form.cleaned_data
    try:
        overrides.set_override(request.user, segment, data["record"], data["mode"], data["reason"])
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        words = "always in" if data["mode"] == "include" else "never in"
        messages.success(request, f"Noted: {words}. It holds through every rebuild.")
    return redirect(segment)


@login_required
@require_POST
def override_remove(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Let the rule decide about the record again."""
    _require_write(request)
    segment = _segment_or_404(request, slug)
    found = overrides_visible_to(segment, request.user).filter(pk=pk).first()
    if found is None:
        raise Http404("There is no such decision.")
    overrides.remove_override(request.user, segment, found)
    messages.success(request, "The rule decides again; the members are being computed.")
    return redirect(segment)


@login_required
@require_POST
def segment_export(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Download the members one may see as CSV; by POST, because it is counted and noted in the audit log."""
    segment = _segment_or_404(request, slug)
    try:
        lines = exporting.export_members(segment, request.user)
    except exporting.TooManyExports:
        messages.error(request, "You have made 10 exports within the hour. Try again later.")
        return redirect(segment)
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{segment.slug}.csv"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response
