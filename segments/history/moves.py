"""Single moves: who entered or left in which run, and what caused it.

The bitmaps of the runs name everybody who moved; `MembershipChange` rows add the cause of single records and lead from
a record to its moves by index. Runs that kept rows for a part of the moves only (`causes_cut`) are searched by bitmap.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from pyroaring import BitMap

from ..choices import MemberType
from ..models import MembershipChange, Segment, SegmentRun

_CHUNK = 100
# The columns of a run that a move shows, without the bitmaps.
_SHOWN = ("pk", "segment_id", "as_of", "cause", "version")


@dataclass(frozen=True)
class Move:
    """One record that entered or left a segment: when, by which run and rule version, and why.

    field, old and new name what changed in the record, words say why in plain English; all empty where not recorded.
    """

    segment_id: int
    run_id: int
    key: int
    entered: bool
    at: datetime
    cause: str
    version: int
    field: str = ""
    old: str = ""
    new: str = ""
    words: str = ""
    pk: int = 0

    @property
    def place(self) -> tuple[int, int, int]:
        """Return where the move stands among those of its segment: by run, entries first, then by key."""
        return (self.run_id, 0 if self.entered else 1, self.key)


def moves_of(
    segment: Segment,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    visible: BitMap | None = None,
    after: tuple[int, int, int] | None = None,
    limit: int,
) -> list[Move]:
    """Return up to `limit` moves of a segment with since < moment <= until, in the order in which they were stored.

    visible: the records shown, None for all. after: the place of the last move already shown. Costs 2 queries; reads
    the bitmaps of the runs from there on until there are enough.
    """
    runs = segment.runs.filter(error="").order_by("pk")
    if since is not None:
        runs = runs.filter(as_of__gt=since)
    if until is not None:
        runs = runs.filter(as_of__lte=until)
    if after is not None:
        runs = runs.filter(pk__gte=after[0])
    found: list[Move] = []
    for row in runs.values_list(*_SHOWN, "entered", "left").iterator(chunk_size=_CHUNK):
        for move in _moves_in(row, visible):
            if after is not None and move.place <= after:
                continue
            found.append(move)
            if len(found) == limit:
                return told(found, segment.member_type)
    return told(found, segment.member_type)


def _moves_in(row: Sequence[Any], visible: BitMap | None) -> Iterator[Move]:
    pk, segment_id, at, cause, version, *sides = row
    for stored, entered in zip(sides, (True, False), strict=True):
        keys = BitMap.deserialize(bytes(stored))
        for key in keys if visible is None else keys & visible:
            yield Move(segment_id, pk, key, entered, at, cause, version)


def told(moves: Sequence[Move], member_type: str) -> list[Move]:
    """Return the moves with what was recorded of their causes (1 query)."""
    runs, keys = {move.run_id for move in moves}, {move.key for move in moves}
    column = f"{member_type}_id"
    rows = MembershipChange.objects.filter(run__in=runs, **{f"{column}__in": keys}) if moves else ()
    recorded = {(row.run_id, row.record_id): row for row in rows}
    return [_with(move, recorded.get((move.run_id, move.key))) for move in moves]


def _with(move: Move, row: MembershipChange | None) -> Move:
    if row is None:
        return move
    return replace(move, field=row.field, old=row.old, new=row.new, words=row.words, pk=row.pk)


def last_moves(
    segment: Segment, keys: Iterable[int], *, since: datetime | None, until: datetime, entered: bool
) -> dict[int, Move]:
    """Return the latest entry (or exit) of each record with since < moment <= until, by key.

    Costs 1 query for moves kept as rows, and 1 that reads the bitmaps of the runs that kept only a part.
    """
    wanted, column = BitMap(keys), f"{segment.member_type}_id"
    if not wanted:
        return {}
    window = Q(at__lte=until) if since is None else Q(at__lte=until, at__gt=since)
    rows = MembershipChange.objects.filter(window, segment=segment, entered=entered, **{f"{column}__in": list(wanted)})
    found = {row.record_id: move_of(row) for row in rows.select_related("run").defer("run__entered", "run__left")
             .order_by("run_id")}  # fmt: skip
    runs = segment.runs.filter(error="", causes_cut=True, as_of__lte=until)
    if since is not None:
        runs = runs.filter(as_of__gt=since)
    side, waiting = "entered" if entered else "left", BitMap(wanted)
    for row in runs.order_by("-pk").values_list(*_SHOWN, side).iterator(chunk_size=_CHUNK):
        for key in BitMap.deserialize(bytes(row[-1])) & waiting:
            waiting.discard(key)
            if key not in found or found[key].run_id < row[0]:
                found[key] = Move(row[1], row[0], key, entered, *row[2:5])
        if not waiting:
            break
    return found


def move_of(row: MembershipChange) -> Move:
    """Return the move that a kept row stands for (the row comes with its run)."""
    return Move(
        row.segment_id,
        row.run_id,
        row.record_id,
        row.entered,
        row.at,
        row.cause,
        row.run.version,
        row.field,
        row.old,
        row.new,
        row.words,
        row.pk,
    )


# --- one record ---
def kept_moves(member_type: str, key: int) -> "QuerySet[MembershipChange]":
    """Return the moves of one record that were kept as rows, with segment and run (lazy, by index)."""
    rows = MembershipChange.objects.filter(**{f"{member_type}_id": key})
    return rows.select_related("segment", "run").defer("run__entered", "run__left", "segment__rules")


def cut_runs(member_type: str, key: int) -> "QuerySet[SegmentRun]":
    """Return the runs whose bitmaps must be searched for one record: they kept a part, and no row of it (lazy)."""
    kept = MembershipChange.objects.filter(run=OuterRef("pk"), **{f"{member_type}_id": key})
    runs = SegmentRun.objects.filter(causes_cut=True, error="", segment__member_type=member_type)
    return runs.filter(~Q(Exists(kept))).select_related("segment").defer("segment__rules")


def moves_found(runs: "QuerySet[SegmentRun]", key: int) -> Iterator[tuple[SegmentRun, Move]]:
    """Yield the moves of one record in the runs, in the runs' order (1 query; reads bitmaps as far as it is asked)."""
    for run in runs.iterator(chunk_size=_CHUNK):
        for stored, entered in ((run.entered, True), (run.left, False)):
            if key in BitMap.deserialize(bytes(stored)):
                yield run, Move(run.segment_id, run.pk, key, entered, run.as_of, run.cause, run.version)


def entries_of(member_type: str, key: int, since: dict[int, datetime]) -> dict[int, Move]:
    """Return how one record came into each of the segments, whose membership tells since when, by segment (2 queries).

    A membership counts from the `as_of` of the run that wrote it, so the run is found by index.
    """
    at = Q(pk__in=[])
    for segment_id, moment in since.items():
        at |= Q(segment=segment_id, as_of=moment)
    runs = SegmentRun.objects.filter(at, error="", entered_count__gt=0).order_by("pk").values_list(*_SHOWN)
    found = {row[1]: Move(row[1], row[0], key, True, *row[2:]) for row in runs}
    moves = told(list(found.values()), member_type)
    return {move.segment_id: move for move in moves}


def is_member_type(record_type: str) -> bool:
    """Tell whether segments hold such records."""
    return record_type in MemberType.values
