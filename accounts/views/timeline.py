"""The timeline on the page of an account, contact or opportunity: filter chips, days, earlier events by key."""

import datetime as dt
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from segmentation_crm.common.access import keep_visibility
from segmentation_crm.common.keys import key_of
from segmentation_crm.common.timeline import Cursor, TimelineEvent, TimelineKind

from ..models import Contact
from ..queries import contacts_visible_to
from ..queries.at_record import rows_at
from ..queries.timeline import noise_of_day, timeline_page, timeline_query
from .pages import one
from .records import page_of, record_or_404
from .seen import Seen

MOST_PEOPLE = 200
# What never happens to a deal itself.
NOT_OF_DEALS = frozenset(map(str, (TimelineKind.STATUS, TimelineKind.SEGMENT)))
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)


@login_required
@require_GET
def record_timeline(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """Answer the timeline as chosen, or with `before` the events that follow."""
    keep_visibility(request.user)
    record = record_or_404(request, kind, pk)
    context = timeline_context(request, record)
    if request.GET.get("before"):
        return render(request, "accounts/_timeline_days.html", context)
    response = render(request, "accounts/_record_timeline.html", context)
    if "first" not in request.GET:
        # The page fetches its own timeline without leaving its address.
        response["HX-Push-Url"] = context["timeline"]["page_url"]
    return response


@login_required
@require_GET
def timeline_day(request: HttpRequest, pk: int, kind: str, day: str) -> HttpResponse:
    """Answer the single events behind the line of one day."""
    record = record_or_404(request, kind, pk)
    try:
        date = dt.date.fromisoformat(day)
        kinds, contact_id = _chosen(request, record)
        events = noise_of_day(
            record, request.user, date, timeline_query(record, request.user, kinds, contact_id, None, 1)
        )
    except (ValueError, OverflowError):
        raise Http404("no such day") from None
    return render(request, "accounts/_timeline_lines.html", {"lines": lines_of(request, record, events)})


def timeline_context(request: HttpRequest, record: Any) -> dict[str, Any]:
    """Return what _record_timeline.html needs (the queries of the sources, and up to 4)."""
    kinds, contact_id = _chosen(request, record)
    before = parse_cursor(request.GET.get("before", ""))
    events, following = timeline_page(record, request.user, kinds=kinds, contact_id=contact_id, before=before)
    shown = [("kind", kind) for kind in sorted(kinds)]
    shown += [("contact", str(contact_id))] if contact_id is not None else []
    last_day = timezone.localtime(events[-1].at).date().isoformat() if events else ""
    more = [*shown, ("before", cursor_text(following)), ("last", last_day)] if following else []
    page, part = page_of(record), part_url(record)
    is_account = record._meta.model_name == "account"
    return {
        "timeline": {
            "days": _days(lines_of(request, record, events), request.GET.get("last", "") if before else ""),
            "chips": _chips(record, kinds, contact_id),
            "kinds": sorted(kinds),
            "people": _people(request, record, contact_id) if is_account and before is None else [],
            "contact": contact_id,
            "is_filtered": bool(kinds or contact_id is not None),
            "is_first": before is None,
            "page_url": f"{page}?{urlencode(shown)}" if shown else page,
            "all_url": page,
            "all_part_url": part,
            "more_url": f"{page}?{urlencode(more)}#timeline" if more else "",
            "more_part_url": f"{part}?{urlencode(more)}" if more else "",
        },
        "record": record,
    }


def part_url(record: Any) -> str:
    """Return the address of the timeline alone."""
    return reverse(f"accounts:{record._meta.model_name}_timeline", args=[record.pk])


def lines_of(request: HttpRequest, record: Any, events: Sequence[TimelineEvent]) -> list[dict[str, Any]]:
    """Return events as lines; people and accounts one may not see stay unnamed (0–2 queries)."""
    seen = Seen(request.user, events, with_contacts=True)
    kind = record._meta.model_name
    own_account = record.pk if kind == "account" else record.account_id
    return [
        {
            "event": event,
            "local": timezone.localtime(event.at),
            "contact": seen.contact(event) if kind != "contact" and event.contact is not None else None,
            # On a person's page an earlier employer is news; the present one is not.
            "account": seen.account(event) if event.account_id not in (None, own_account) else None,
            "day_url": _day_url(record, request, event) if event.parts else "",
        }
        for event in events
    ]


def _day_url(record: Any, request: HttpRequest, event: TimelineEvent) -> str:
    kind = record._meta.model_name
    day = timezone.localtime(event.at).date().isoformat()
    kept = urlencode([(key, value) for key in ("kind", "contact") for value in request.GET.getlist(key)])
    return f"{reverse(f'accounts:{kind}_timeline_day', args=[record.pk, day])}?{kept}"


def _days(lines: list[dict[str, Any]], shown_before: str) -> list[dict[str, Any]]:
    """Group lines by local day; a day whose heading stands already gets none."""
    today = timezone.localdate()
    days: list[dict[str, Any]] = []
    for line in lines:
        day = line["local"].date()
        if not days or days[-1]["day"] != day:
            near = {today: "Today", today - dt.timedelta(days=1): "Yesterday"}.get(day, "")
            days.append({"day": day, "near": near, "lines": [], "goes_on": day.isoformat() == shown_before})
        days[-1]["lines"].append(line)
    return days


def _chosen(request: HttpRequest, record: Any) -> tuple[frozenset[str], int | None]:
    kinds = frozenset(request.GET.getlist("kind")) & frozenset(map(str, TimelineKind.values))
    wanted = key_of(request.GET.get("contact"))
    if record._meta.model_name != "account" or wanted is None:
        return kinds, None
    return kinds, one(contacts_visible_to(request.user), wanted).pk


def _people(request: HttpRequest, record: Any, chosen: int | None) -> list[tuple[int, str]]:
    rows = rows_at(request.user, record, Contact).order_by("full_name_folded", "pk")
    rows = rows.only("first_name", "last_name", "email")[:MOST_PEOPLE]
    people = [(row.pk, row.name) for row in rows]
    if chosen is not None and chosen not in dict(people):
        people.append((chosen, contacts_visible_to(request.user).get(pk=chosen).name))
    return people


def _chips(record: Any, kinds: frozenset[str], contact_id: int | None) -> list[dict[str, Any]]:
    page, part = page_of(record), part_url(record)
    chips = []
    for value, label in TimelineKind.choices:
        if value in NOT_OF_DEALS and record._meta.model_name == "opportunity":
            continue
        turned = sorted(kinds ^ {str(value)})
        query = [("kind", kind) for kind in turned]
        query += [("contact", str(contact_id))] if contact_id is not None else []
        text = f"?{urlencode(query)}" if query else ""
        chips.append(
            {"label": label, "on": value in kinds, "url": f"{page}{text}#timeline", "part_url": f"{part}{text}"}
        )
    return chips


def cursor_text(cursor: Cursor) -> str:
    """Return a cursor as it stands in an address."""
    return f"{(cursor.at - _EPOCH) // _MICROSECOND}.{cursor.rank}.{cursor.pk}"


def parse_cursor(text: str) -> Cursor | None:
    """Return the cursor of an address; one that cannot be read starts at the top."""
    parts = text.split(".")
    if len(parts) != 3 or len(text) > 60:
        return None
    try:
        moment, rank, pk = (int(part) for part in parts)
        return Cursor(_EPOCH + dt.timedelta(microseconds=moment), rank, min(abs(pk), 2**62))
    except (ValueError, OverflowError):
        return None
