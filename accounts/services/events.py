"""Taking in many events of one call: each is stored once, and a bad one never blocks the good ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from segmentation_crm.common.access import AnyUser
from segmentation_crm.common.among import KeyAmong
from segmentation_crm.common.bulk_insert import bulk_insert, bulk_insert_rows

from ..choices import RecordType
from ..models import Activity, ExternalId, Opportunity
from ..queries.employment import Employments
from .event_links import link_events
from .event_values import EventDraft, Problem, read_event
from .visitors import Identities, join_earlier

MOST_EVENTS = 10_000
_TIMES = 3
# The lock of those who store events, among the advisory locks of the database.
_LOCK = 0x43524D_4556


@dataclass(frozen=True)
class Taken:
    """What came of the events of one call."""

    created: int
    duplicate: int
    errors: list[Problem]


def take_events(raw: Sequence[Any], user: AnyUser) -> Taken:
    """Store the events that are right and tell what is wrong with the others.

    An event whose external id is known for its source, from an earlier call or from further up in this one, is a
    duplicate; the first stays as it is. About 15 queries, however many events.
    """
    now = timezone.now()
    drafts: list[EventDraft] = []
    problems: list[Problem] = []
    for index, event in enumerate(raw):
        draft, wrong = read_event(index, event, now)
        problems += wrong
        if draft is not None:
            drafts.append(draft)
    for attempt in range(_TIMES):
        # A record that events point to can be erased, and an import can bring the same ids, between look and write.
        good, unknown = link_events(drafts, user)
        try:
            created = _store(good)
        except IntegrityError:
            if attempt == _TIMES - 1:
                raise
        else:
            break
    told = sorted([*problems, *unknown], key=lambda problem: problem.index)
    return Taken(created, len(good) - created, told)


@transaction.atomic
def _store(drafts: list[EventDraft]) -> int:
    """Insert the events that are new, and join what their visitors did before; returns how many are new."""
    if not drafts:
        return 0
    _one_at_a_time()
    fresh = _fresh(drafts)
    if not fresh:
        return 0
    identified = {draft.visitor for draft in fresh if draft.visitor and "contact_id" in draft.columns}
    identities = _identify(fresh)
    _place(fresh)
    rows = [Activity(source=draft.source, **draft.columns) for draft in fresh]
    bulk_insert(rows)
    numbers = [
        (RecordType.ACTIVITY.value, row.pk, draft.source, draft.external_id)
        for row, draft in zip(rows, fresh, strict=True)
        if draft.external_id
    ]
    bulk_insert_rows(ExternalId, ("record_type", "record_id", "source", "external_id"), numbers)
    join_earlier(identified, identities)
    return len(rows)


def _one_at_a_time() -> None:
    """Wait for other calls that store events: two of them would not see each other's ids and identifications.

    SQLite has one writer anyway. On PostgreSQL what was read and checked before stays outside of the lock.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def _fresh(drafts: list[EventDraft]) -> list[EventDraft]:
    """Leave out the events whose number is known, and all but the first of one number (1 query)."""
    numbered = {(draft.source, draft.external_id) for draft in drafts if draft.external_id}
    known: set[tuple[str, str]] = set()
    if numbered:
        rows = ExternalId.objects.filter(
            record_type=RecordType.ACTIVITY,
            source__in={source for source, _ in numbered},
            external_id__in={number for _, number in numbered},
        )
        known = set(rows.order_by().values_list("source", "external_id"))
    fresh = []
    for draft in drafts:
        number = (draft.source, draft.external_id)
        if draft.external_id and number in known:
            continue
        known.add(number)
        fresh.append(draft)
    return fresh


def _identify(drafts: list[EventDraft]) -> Identities:
    """Give anonymous events of known visitors their contact; returns who the visitors are (1 query)."""
    identities = Identities.of(draft.visitor for draft in drafts if draft.visitor)
    for draft in drafts:
        if draft.visitor and "contact_id" in draft.columns:
            identities.add(draft.visitor, draft.columns["contact_id"], draft.columns["occurred_at"])
    for draft in drafts:
        if draft.visitor and "contact_id" not in draft.columns:
            contact = identities.contact_at(draft.visitor, draft.columns["occurred_at"])
            if contact is not None:
                draft.columns["contact_id"] = contact
    return identities


def _place(drafts: list[EventDraft]) -> None:
    """Set the account of events that name none: the contact's at that moment, else the opportunity's (3 queries)."""
    without = [draft.columns for draft in drafts if "account_id" not in draft.columns]
    jobs = Employments(columns["contact_id"] for columns in without if "contact_id" in columns)
    deals = _accounts_of_deals({columns["opportunity_id"] for columns in without if "opportunity_id" in columns})
    for columns in without:
        found = jobs.account_at(columns["contact_id"], columns["occurred_at"]) if "contact_id" in columns else None
        columns["account_id"] = found or deals.get(columns.get("opportunity_id", 0))


def _accounts_of_deals(keys: set[int]) -> dict[int, int | None]:
    if not keys:
        return {}
    return dict(Opportunity.objects.filter(KeyAmong("pk", keys)).order_by().values_list("pk", "account_id"))
