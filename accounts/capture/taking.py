"""Taking change rows: by deletion, in the caller's transaction.

Never by a highest id: the row of a transaction still open is simply not visible, stays, and is taken after its commit.
"""

import json
import sys
from array import array
from datetime import UTC, datetime
from typing import Any

from django.apps import apps
from django.db import connection, transaction
from django.utils.dateparse import parse_datetime
from django.utils.timezone import make_aware
from pyroaring import BitMap

from segmentation_crm.common.fields import registry

from ..models import Account, Activity, Contact, Opportunity
from .sources import OWNERS
from .taken import MOST_CHANGES, Change, Taken
from .versions import count_taken

MEMBER_TABLES = {
    "account": Account._meta.db_table,
    "contact": Contact._meta.db_table,
    "opportunity": Opportunity._meta.db_table,
    "activity": Activity._meta.db_table,
}
# Above this share of a kind of record a rebuild costs less than a refresh; below so many keys a refresh always does.
REBUILD_SHARE = 0.05
REBUILD_FLOOR = 5000
# What segments hold; in the order of the columns that name them as owners.
_MEMBERS = ("account", "contact")
_CHUNK = 10_000


def pending() -> bool:
    """Tell whether change rows wait (1 query)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT 1 FROM accounts_changerow)")
        return bool(cursor.fetchone()[0])


def waiting() -> int:
    """Return how many written rows wait to be taken: the lag of segments (1 query)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT COALESCE(SUM(count), 0) FROM accounts_changerow")
        return int(cursor.fetchone()[0])


def take(limit: int = 50_000) -> Taken:
    """Delete waiting change rows and return what they say, inside the transaction that uses it (3 to 8 queries).

    limit: about so many written rows at once, oldest first; one statement's rows are taken whole. `Taken.more` tells
    whether rows are left. With a TRUNCATE among them, or more than 5 % of a kind of record touched, all rows are taken
    and `rebuild_all` stands instead of keys.
    Raises TransactionManagementError outside of a transaction.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("take() deletes what the caller uses: open a transaction first.")
    sums = _sums()
    if not sums:
        return Taken(records=_records())
    everything = _needs_rebuild(sums)
    rows = _delete(None if everything else limit, everything)
    found = _gathered(rows, everything)
    count_taken(rows)
    found.more = not everything and pending()
    return found


def _records() -> dict[str, str]:
    return {prefix: apps.get_model(r.model)._meta.db_table for prefix, r in registry.records.items()}


def _sums() -> list[tuple[str, str, int]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT source, event, SUM(count) FROM accounts_changerow GROUP BY source, event")
        return [(source, event, int(count)) for source, event, count in cursor.fetchall()]


def _needs_rebuild(sums: list[tuple[str, str, int]]) -> bool:
    """Tell whether a table was emptied, or more than 5 % of accounts and contacts touched (0 to 3 queries)."""
    if any(event == "T" for _, event, _ in sums):
        return True
    written = sum(count for _, event, count in sums if event != "R")
    if written <= REBUILD_FLOOR:
        return False
    most = max(REBUILD_FLOOR, int(REBUILD_SHARE * sum(_size(MEMBER_TABLES[record]) for record in _MEMBERS)))
    # A row written twice counts twice in the sum, which is a bound only.
    return written > most and sum(map(len, _waiting_keys().values())) > most


def _waiting_keys() -> dict[str, BitMap]:
    """Return the accounts and contacts that waiting rows are or belong to (1 query)."""
    found = {record: BitMap() for record in _MEMBERS}
    with connection.cursor() as cursor:
        cursor.execute("SELECT source, keys, accounts, contacts FROM accounts_changerow WHERE event <> 'R'")
        while rows := cursor.fetchmany(_CHUNK):
            for at, record in enumerate(_MEMBERS):
                table, keys = MEMBER_TABLES[record], found[record]
                for row in rows:
                    keys.update(_keys(row[2 + at]))
                    if row[0] == table:
                        keys.update(_keys(row[1]))
    return found


def _size(table: str) -> int:
    """Return about how many rows a table has (1 query; PostgreSQL's estimate where there is one)."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT reltuples FROM pg_class WHERE oid = to_regclass(%s)", [table])
            estimate = int(cursor.fetchone()[0])
            if estimate > 0:
                return estimate
        cursor.execute(f"SELECT COUNT(*) FROM {table}")  # noqa: S608 (names of our own tables)
        return int(cursor.fetchone()[0])


def _delete(limit: int | None, bare: bool) -> list[tuple[Any, ...]]:
    """Delete rows, the oldest first, and return them; bare: without keys and words."""
    shown = "id, source, event, count" + ("" if bare else ", keys, accounts, contacts, opportunities, words, at")
    if limit is None:
        sql, params = f"DELETE FROM accounts_changerow RETURNING {shown}", []  # noqa: S608 (constants)
    elif connection.vendor == "postgresql":
        # Rows that another refresh is taking are passed over.
        sql = f"""
            WITH oldest AS MATERIALIZED (
                SELECT id, count FROM accounts_changerow ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
            ), chosen AS (
                SELECT id FROM (SELECT id, SUM(count) OVER (ORDER BY id) - count AS before FROM oldest) summed
                WHERE before < %s
            )
            DELETE FROM accounts_changerow WHERE id IN (SELECT id FROM chosen) RETURNING {shown}"""  # noqa: S608
        params = [limit, limit]
    else:
        sql = (
            "DELETE FROM accounts_changerow WHERE id IN (SELECT id FROM accounts_changerow ORDER BY id LIMIT %s) "  # noqa: S608
            f"RETURNING {shown}"
        )
        params = [limit]
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return sorted(cursor.fetchall(), key=lambda row: row[0])


def _gathered(rows: list[tuple[Any, ...]], everything: bool) -> Taken:
    found = Taken(rebuild_all=everything, rows=len(rows), records=_records())
    for row in rows:
        source, event = row[1], row[2]
        if event == "R":
            found.reference_changed.add(source)
        elif not everything:
            _add(found, source, event, *row[4:])
    return found


def _add(found: Taken, source: str, event: str, keys: Any, *rest: Any) -> None:
    owners, words, at = rest[: len(OWNERS)], rest[-2], rest[-1]
    own = _keys(keys)
    if own:
        found.own[source].update(own)
    for record, packed in zip(OWNERS, owners, strict=True):
        if listed := _keys(packed):
            found.owners[source][record].update(listed)
    if len(found.changes) >= MOST_CHANGES:
        return
    moment = _moment(at)
    if words:
        lines = json.loads(words) if words.startswith("[") else [_line(own, owners, words)]
        for key, account, contact, opportunity, said in lines:
            named = {r: k for r, k in zip(OWNERS, (account, contact, opportunity), strict=True) if k}
            for name, (old, new) in said.items():
                found.changes.append(Change(source, key or 0, named, name, old or "", new or "", moment, event))
    elif event != "U":
        found.changes += [Change(source, key, {}, "", "", "", moment, event) for key in own[:MOST_CHANGES]]
    del found.changes[MOST_CHANGES:]


def _line(own: Any, owners: tuple[Any, ...], words: str) -> list[Any]:
    """Return a row of SQLite, whose words end with a comma, as PostgreSQL writes it."""
    keys = [_keys(packed) for packed in owners]
    return [own[0] if own else 0, *(k[0] if k else None for k in keys), json.loads("{" + words.rstrip(",") + "}")]


def _keys(packed: Any) -> Any:
    """Return the keys of a packed column: 4 bytes each, the highest first; on SQLite one number."""
    if packed is None:
        return ()
    if isinstance(packed, int):
        return (packed,)
    keys = array("I", bytes(packed))
    if sys.byteorder == "little":
        keys.byteswap()
    return keys


def _moment(at: Any) -> datetime:
    if isinstance(at, datetime):
        return at if at.tzinfo else make_aware(at, UTC)
    parsed = parse_datetime(str(at))
    assert parsed is not None, at
    return make_aware(parsed, UTC) if parsed.tzinfo is None else parsed
