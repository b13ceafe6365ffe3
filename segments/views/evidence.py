"""Pages of evidence: why one record is in a segment or not, and for whom one could ask."""

from datetime import datetime
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_GET

from segmentation_crm.common.access import can

from ..choices import SegmentKind
from ..evidence import explain
from ..evidence.past import explain_at
from ..evidence.serving import misses_of
from ..models import Segment, SegmentMembership
from ..queries import records_visible_to, sees_every_record
from ..rules.clock import Clock
from ..rules.deadline import RuleTooExpensive
from ..rules.nodes import InvalidRule
from ..sentences import sentence_for
from ..values import search_values
from .common import segment_or_404


@login_required
@require_GET
def why_index(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask why a record is in or not: search one by name, and see whom the fewest conditions keep out.

    `part=misses` answers the nearest misses alone, which take as long as counting the rule.
    """
    segment = segment_or_404(request, slug)
    if request.GET.get("part") == "misses":
        return render(request, "segments/_misses.html", {"segment": segment, **_misses(segment, request.user)})
    text = request.GET.get("q", "").replace("\x00", "").strip()[:200]
    context = {
        "segment": segment,
        "sentence": sentence_for(segment, request.user),
        "q": text,
        "found": _found(segment, text, request.user) if text else [],
        "unit": segment.member_type,
        "has_rule": segment.kind == SegmentKind.DYNAMIC and bool(segment.rules),
        "sees_a_part": not sees_every_record(request.user),
    }
    return render(request, "segments/segment_why.html", context)


def _found(segment: Segment, text: str, user: Any) -> list[dict[str, Any]]:
    """Return the records whose name contains the text, each with whether it is in (2 queries)."""
    rows = search_values(segment.member_type, text, user)
    column = f"{segment.member_type}_id"
    keys = [row["value"] for row in rows]
    inside = set(
        SegmentMembership.objects.filter(segment=segment, **{f"{column}__in": keys}).values_list(column, flat=True)
    )
    return [
        {"pk": row["value"], "name": row["label"], "sub": row["sub"], "is_in": row["value"] in inside} for row in rows
    ]


def _misses(segment: Segment, user: Any) -> dict[str, Any]:
    problem, found = "", []
    try:
        found = misses_of(segment, user)
    except InvalidRule:
        problem = "The rule no longer works, so nobody can be said to miss it narrowly."
    except RuleTooExpensive as slow:
        problem = slow.message
    records = records_visible_to(segment.member_type, user).in_bulk([one.key for one in found])
    rows = [{"record": records[one.key], "miss": one} for one in found if one.key in records]
    return {"misses": rows, "problem": problem}


@login_required
@require_GET
def why(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Show the evidence tree of one record, now or with `at` on a past day; htmx gets the tree alone.

    `part=changes` answers what would flip it: these edits are tried, which writes and takes back.
    """
    segment = segment_or_404(request, slug)
    record = records_visible_to(segment.member_type, request.user).filter(pk=pk).first()
    if record is None:
        raise Http404("There is no such record.")
    moment, problem, shown = _moment(request.GET.get("at", ""))
    context: dict[str, Any] = {
        "segment": segment,
        "record": record,
        "record_url": f"accounts:{segment.member_type}_detail",
        "at": shown,
        "at_problem": problem,
        "may_edit": can(request.user, "records.write"),
        "sentence": sentence_for(segment, request.user),
    }
    if request.GET.get("part") == "changes":
        context["found"] = explain(segment, record, request.user)
        return render(request, "segments/_evidence_changes.html", context)
    if moment is None:
        context["found"] = explain(segment, record, request.user, suggest=False)
    else:
        context["past"] = explain_at(segment, record, moment, request.user)
        context["sentence"] = context["past"].sentence
    template = "segments/_evidence.html" if request.headers.get("HX-Request") else "segments/evidence.html"
    return render(request, template, context)


def _moment(text: str) -> tuple[datetime | None, str, str]:
    """Return the end of the day asked for, None for today or none; what is wrong with it; and the day as given."""
    text = text.strip()
    if not text:
        return None, "", ""
    try:
        day = parse_date(text)
    except ValueError:
        day = None
    clock = Clock.at()
    if day is None:
        return None, f"“{text[:20]}” is no date; write one such as {clock.today.isoformat()}.", ""
    if day >= clock.today:
        return None, "", ""
    return clock.last_moment(day), "", day.isoformat()
