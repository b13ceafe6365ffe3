"""Anonymous visitors: whose their events are, once they have said who they are.

A visitor is identified by an event that carries the visitor's id and a contact. From then on all events of the visitor
that name nobody are the contact's, those of before and those of after. An event that has a contact keeps it: where
several people used one browser, an event is of the one who identified last before it, and those of before the first
identification are of the first.
"""

import bisect
import datetime as dt
import json
from collections import defaultdict
from collections.abc import Iterable

from django.db import connection
from django.db.models import Min, Q

from segmentation_crm.common.effective_time import effective_now

from ..models import Activity
from ..queries.employment import Employments

# ruff: noqa: S608 (every name below comes from the model, nothing from users)


class Identities:
    """Who the visitors are: visitor -> contacts by the first moment each of them is known there."""

    def __init__(self) -> None:
        self._known: dict[str, list[tuple[dt.datetime, int]]] = defaultdict(list)

    @classmethod
    def of(cls, visitors: Iterable[str]) -> "Identities":
        """Return what the stored events tell of the visitors (1 query, none for no visitors)."""
        found = cls()
        wanted = set(visitors)
        if wanted:
            rows = Activity.objects.filter(_visited_by(wanted), contact__isnull=False).order_by()
            first = rows.values("visitor_id", "contact_id").annotate(first=Min("occurred_at"))
            for visitor, contact, at in first.values_list("visitor_id", "contact_id", "first"):
                found.add(visitor, contact, at)
        return found

    def add(self, visitor: str, contact: int, at: dt.datetime) -> None:
        """Note that the visitor was this contact at the moment."""
        bisect.insort(self._known[visitor], (at, contact))

    def contact_at(self, visitor: str, at: dt.datetime) -> int | None:
        """Return whose an event of the visitor is, None for one who is not known yet."""
        known = self._known.get(visitor)
        if not known:
            return None
        return known[max(0, bisect.bisect_right(known, at, key=lambda pair: pair[0]) - 1)][1]


def join_earlier(visitors: Iterable[str], identities: Identities) -> int:
    """Give the stored anonymous events of the visitors their contacts; returns how many (≤ 4 queries).

    The account is the one the contact worked for when the event happened, unless the event names one. Call in the
    transaction that stores the identifications.
    """
    wanted = set(visitors)
    if not wanted:
        return 0
    rows = Activity.objects.filter(_visited_by(wanted), contact__isnull=True).order_by()
    joined = []
    for pk, visitor, at in rows.values_list("pk", "visitor_id", "occurred_at"):
        contact = identities.contact_at(visitor, at)
        if contact is not None:
            joined.append((pk, contact, at))
    if not joined:
        return 0
    jobs = Employments(contact for _, contact, _ in joined)
    _write([(pk, contact, jobs.account_at(contact, at)) for pk, contact, at in joined])
    return len(joined)


def _visited_by(visitors: set[str]) -> Q:
    # Without the second condition the index of visitors, which leaves out events without one, would not be used.
    return Q(visitor_id__in=visitors) & ~Q(visitor_id="")


def _write(rows: list[tuple[int, int, int | None]]) -> None:
    """Update event -> contact and account in one statement, so that change capture writes one row."""
    table = Activity._meta.db_table
    changes = (
        f"UPDATE {table} SET contact_id = j.contact, account_id = COALESCE({table}.account_id, j.account), "
        f"updated_at = %s FROM {{source}} j WHERE {table}.id = j.id AND {table}.contact_id IS NULL"
    )
    now = connection.ops.adapt_datetimefield_value(effective_now())
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            columns = [list(column) for column in zip(*rows, strict=True)]
            given = "(SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS u(id, contact, account))"
            cursor.execute(changes.format(source=given), [now, *columns])
        else:
            given = (
                "(SELECT json_extract(value, '$[0]') AS id, json_extract(value, '$[1]') AS contact, "
                "json_extract(value, '$[2]') AS account FROM json_each(%s))"
            )
            cursor.execute(changes.format(source=given), [now, json.dumps(rows)])
