"""Change stored members by difference, in a few statements whatever their number."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice

from django.db import connection
from pyroaring import BitMap

from segmentation_crm.common.among import among_sql, keys_text
from segmentation_crm.common.fields import registry

from ..choices import OverrideMode
from ..models import Segment, SegmentMembership, SegmentOverride
from ..rules.bitmaps import read_keys

# Keys that travel as one text, a statement.
CHUNK = 50_000


def owner_column(segment: Segment) -> str:
    """Return the membership's column for the segment's member type: account_id or contact_id."""
    return f"{segment.member_type}_id"


def _chunks(keys: Iterable[int]) -> Iterator[list[int]]:
    iterator = iter(keys)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk


def current_members(segment: Segment) -> BitMap:
    """Return the keys of the stored members (1 query; as one value on PostgreSQL)."""
    return read_keys(SegmentMembership.objects.filter(segment=segment).order_by().values(owner_column(segment)))


def manual_keys(segment: Segment, among: BitMap | None = None) -> tuple[BitMap, BitMap]:
    """Return the keys always in and the keys never in, as people decided, of all or of these (1 query)."""
    included, excluded = BitMap(), BitMap()
    rows = SegmentOverride.objects.filter(segment=segment).values_list(owner_column(segment), "mode")
    for key, mode in rows.iterator(chunk_size=20_000):
        (included if mode == OverrideMode.INCLUDE else excluded).add(key)
    return (included, excluded) if among is None else (included & among, excluded & among)


def live_keys(member_type: str, keys: Iterable[int]) -> BitMap:
    """Return those of the keys whose record is live (1 query for each 20,000 keys)."""
    record = registry.records[member_type]
    model = SegmentMembership._meta.get_field(member_type).related_model
    live = model._default_manager.filter(**dict(record.live))  # type: ignore[union-attr]
    found, waiting = BitMap(), list(keys)
    for start in range(0, len(waiting), 20_000):
        found.update(live.filter(pk__in=waiting[start : start + 20_000]).values_list("pk", flat=True))
    return found


def insert_members(segment: Segment, keys: BitMap, at: datetime, manual: bool = False) -> None:
    """Add members (1 statement for each 50,000). The caller holds the transaction and knows that none is in yet."""
    table = SegmentMembership._meta.db_table
    column = owner_column(segment)
    other = "contact_id" if column == "account_id" else "account_id"
    if connection.vendor == "postgresql":
        source = "unnest(%s::bigint[]) AS key(value)"
    else:
        source = "json_each(%s) AS key"
    statement = (
        f"INSERT INTO {table} (segment_id, {column}, {other}, entered_at, manual) "  # noqa: S608 - names of ours
        f"SELECT %s, key.value, NULL, %s, %s FROM {source}"
    )
    with connection.cursor() as cursor:
        for chunk in _chunks(keys):
            moment = connection.ops.adapt_datetimefield_value(at)
            cursor.execute(statement, [segment.pk, moment, manual, keys_text(chunk, connection.vendor)])


def delete_members(segment: Segment, keys: BitMap) -> None:
    """Remove members (1 statement for each 50,000)."""
    table = SegmentMembership._meta.db_table
    column = owner_column(segment)
    among = among_sql(connection.vendor)
    statement = f"DELETE FROM {table} WHERE segment_id = %s AND {column} {among}"  # noqa: S608
    with connection.cursor() as cursor:
        for chunk in _chunks(keys):
            cursor.execute(statement, [segment.pk, keys_text(chunk, connection.vendor)])


def mark_manual(segment: Segment, included: BitMap) -> None:
    """Set `manual` on exactly the members put in by hand (up to 3 queries)."""
    rows = SegmentMembership.objects.filter(segment=segment)
    column = f"{owner_column(segment)}__in"
    marked = BitMap(rows.filter(manual=True).order_by().values_list(owner_column(segment), flat=True))
    for chunk in _chunks(marked - included):
        rows.filter(**{column: chunk}).update(manual=False)
    for chunk in _chunks(included - marked):
        rows.filter(**{column: chunk}).update(manual=True)


def stored_among(segment: Segment, keys: BitMap) -> BitMap:
    """Return those of the keys that are stored members (1 query for each 50,000)."""
    column, among = owner_column(segment), among_sql(connection.vendor)
    statement = (
        f"SELECT {column} FROM {SegmentMembership._meta.db_table} "  # noqa: S608 - names of ours
        f"WHERE segment_id = %s AND {column} {among}"
    )
    found = BitMap()
    with connection.cursor() as cursor:
        for chunk in _chunks(keys):
            cursor.execute(statement, [segment.pk, keys_text(chunk, connection.vendor)])
            found.update(key for (key,) in cursor.fetchall())
    return found


class StoredMembers:
    """The stored members of all segments of one member type among keys, read once for all of them.

    For segments whose members nobody but the reader moves between two questions.
    """

    def __init__(self, member_type: str) -> None:
        self.column = f"{member_type}_id"
        self.known = BitMap()
        self.found: dict[int, BitMap] = defaultdict(BitMap)

    def among(self, segment_id: int, keys: BitMap) -> BitMap:
        """Return those of the keys that are stored members (1 query for each 50,000 keys not asked yet)."""
        new = keys - self.known
        statement = (
            f"SELECT segment_id, {self.column} FROM {SegmentMembership._meta.db_table} "  # noqa: S608 - names of ours
            f"WHERE {self.column} {among_sql(connection.vendor)}"
        )
        with connection.cursor() as cursor:
            for chunk in _chunks(new):
                cursor.execute(statement, [keys_text(chunk, connection.vendor)])
                members: dict[int, list[int]] = defaultdict(list)
                for segment, key in cursor.fetchall():
                    members[segment].append(key)
                for segment, found in members.items():
                    self.found[segment].update(found)
        self.known |= new
        return self.found[segment_id] & keys


def mark_manual_among(segment: Segment, included: BitMap, keys: BitMap) -> None:
    """Set `manual` on exactly those of the keys that are in by hand (2 queries for each 50,000)."""
    column, among = owner_column(segment), among_sql(connection.vendor)
    table = SegmentMembership._meta.db_table
    statement = f"UPDATE {table} SET manual = %s WHERE segment_id = %s AND manual = %s AND {column} {among}"  # noqa: S608
    with connection.cursor() as cursor:
        for manual, some in ((True, included & keys), (False, keys - included)):
            for chunk in _chunks(some):
                cursor.execute(statement, [manual, segment.pk, not manual, keys_text(chunk, connection.vendor)])
