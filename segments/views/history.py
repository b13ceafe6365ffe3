"""The history of a segment: its size over time, its members on a past day, who came and went between two days."""

import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_GET, require_POST

from segmentation_crm.common import lists
from segmentation_crm.common.access import can
from segmentation_crm.common.paging import keyset_page

from ..choices import MemberType
from ..history import begins_at
from ..history.charting import UNITS, drawn, size_series
from ..history.comparing import Comparison, compare, records_in, visible_keys
from ..history.moves import last_moves
from ..history.words import CauseWords
from ..models import Segment
from ..queries import sees_every_record, visible_accounts
from ..rules.clock import Clock, shift
from ..services import exporting
from .common import segment_or_404

PAGE = 50
SHOWN = {"members": "Members then", "entered": "Entered", "left": "Left"}
PRESETS = (("7 days", 7, "day"), ("30 days", 30, "day"), ("quarter", 1, "quarter"), ("year", 1, "year"))


@dataclass(frozen=True)
class Span:
    """The two days that are compared, by their ends; the later one is never after now."""

    clock: Clock
    first: date
    last: date
    problem: str = ""

    @property
    def since(self) -> datetime:
        """Return the end of the earlier day."""
        return min(self.clock.last_moment(self.first), self.clock.as_of)

    @property
    def until(self) -> datetime:
        """Return the end of the later day, or now."""
        return min(self.clock.last_moment(self.last), self.clock.as_of)

    @property
    def is_now(self) -> bool:
        """Tell whether the later day is today."""
        return self.last >= self.clock.today


def span_of(values: Any, clock: Clock) -> Span:
    """Return the days asked for as `from` and `to`, by default the last 30 days; with words where they are no days."""
    problem, days = "", {"from": shift(clock.today, -30, "day"), "to": clock.today}
    for name in days:
        text = str(values.get(name, "")).strip()
        if not text:
            continue
        try:
            found = parse_date(text)
        except ValueError:
            found = None
        if found is None:
            problem = f"“{text[:20]}” is no date; write one such as {clock.today.isoformat()}."
        else:
            days[name] = min(found, clock.today)
    if days["from"] > days["to"]:
        problem = problem or "The first day lies after the second, so they were exchanged."
        days["from"], days["to"] = days["to"], days["from"]
    return Span(clock, days["from"], days["to"], problem)


@login_required
@require_GET
def segment_history(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the size over time, and for two days the members, who entered and who left, with the causes."""
    segment = segment_or_404(request, slug)
    user, clock = request.user, Clock.at()
    span = span_of(request.GET, clock)
    everything = sees_every_record(user)
    begins = begins_at(segment)
    unit = request.GET.get("unit", "")
    unit = unit if unit in UNITS else _fitting_unit(begins, clock)
    shown = request.GET.get("show", "")
    shown = shown if shown in SHOWN else "members"
    bars = size_series(segment, unit, clock, None if everything else visible_keys(segment.member_type, user))
    found = compare(segment, user, span.since, span.until)
    context = {
        "segment": segment,
        "begins": begins,
        "before_begin": begins is not None and span.until < begins,
        "sees_a_part": not everything,
        "unit": segment.member_type,
        "units": segment.get_member_type_display().lower(),
        "is_account": segment.member_type == MemberType.ACCOUNT,
        "bars": list(reversed(bars)),
        "chart": drawn(bars) if bars else None,
        "by": unit,
        "span": span,
        "found": found,
        "shown": shown,
        "shown_label": SHOWN[shown],
        "tabs": _tabs(request, shown, found),
        "by_units": [(key, f"by {key}", _url(request, unit=key)) for key in UNITS],
        "presets": _presets(request, clock, span),
        "can_export": can(user, "records.export"),
        "list_url": reverse(lists.get(segment.member_type).url_name),
        "list_query": list_query_of(segment, span, shown),
        **_rows(request, segment, span, found, shown),
    }
    return render(request, "segments/segment_history.html", context)


def _fitting_unit(begins: datetime | None, clock: Clock) -> str:
    """Return the unit that fills the chart: days for a young segment, weeks and months for older ones."""
    age = 0 if begins is None else (clock.as_of - begins).days
    return "day" if age <= 60 else "week" if age <= 300 else "month"


def _rows(request: HttpRequest, segment: Segment, span: Span, found: Comparison, shown: str) -> dict[str, Any]:
    """Return one page of the records shown, each with the move that brought it in or out."""
    page = keyset_page(request, records_in(segment.member_type, request.user, found.keys(shown)), PAGE)
    entered = shown != "left"
    since = None if shown == "members" else span.since
    moves = last_moves(segment, [row.pk for row in page.rows], since=since, until=span.until, entered=entered)
    words = CauseWords(list(moves.values()), request.user, segment.member_type)
    accounts: dict[int, str] = {}
    if segment.member_type == MemberType.CONTACT:
        accounts = visible_accounts({row.account_id for row in page.rows if row.account_id}, request.user)
    rows = []
    for row in page.rows:
        move = moves.get(row.pk)
        account = accounts.get(row.account_id) if accounts else None
        rows.append((row, account, move, words.of(move) if move else ""))
    return {"page": page, "rows": rows}


def _url(request: HttpRequest, **changed: str) -> str:
    """Return the page's address with some parameters changed, at its first page."""
    query = {key: value for key, value in request.GET.items() if key in ("from", "to", "unit", "show")}
    return f"?{urlencode({**query, **changed})}"


def _tabs(request: HttpRequest, shown: str, found: Comparison) -> list[dict[str, Any]]:
    return [
        {"label": label, "url": f"{_url(request, show=key)}#who", "active": key == shown, "count": found.count(key)}
        for key, label in SHOWN.items()
    ]


def _presets(request: HttpRequest, clock: Clock, span: Span) -> list[tuple[str, str, bool]]:
    found = []
    for label, n, unit in PRESETS:
        first = shift(clock.today, -n, unit)
        active = span.is_now and span.first == first
        url = _url(request, **{"from": first.isoformat(), "to": clock.today.isoformat()})
        found.append((label, url, active))
    return found


def list_query_of(segment: Segment, span: Span, shown: str) -> str:
    """Return the query under which the list of accounts or contacts shows the same records."""

    def was_in(day: date) -> dict[str, Any]:
        value = {"segment": segment.slug, "at": day.isoformat()}
        return {"field": "segment", "operator": "was_in_at", "value": value}

    then, now = was_in(span.first), was_in(span.last)
    rules = {"members": [now], "entered": [now, _not(then)], "left": [then, _not(now)]}[shown]
    rule = {"combinator": "and", "rules": rules}
    return urlencode({"view": lists.NO_VIEW, "rules": json.dumps(rule, separators=(",", ":"))})


def _not(rule: dict[str, Any]) -> dict[str, Any]:
    return {"combinator": "and", "not": True, "rules": [rule]}


@login_required
@require_POST
def history_export(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Download who came and went between two days as CSV, each move with its cause; counted and noted."""
    segment = segment_or_404(request, slug)
    span = span_of(request.POST, Clock.at())
    try:
        lines = exporting.export_moves(segment, request.user, span.since, span.until)
    except exporting.TooManyExports:
        messages.error(request, "You have made 10 exports within the hour. Try again later.")
        return redirect("segments:history", segment.slug)
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    name = f"{segment.slug}-{span.first.isoformat()}-{span.last.isoformat()}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response
