"""Folding runs: members at a moment, the difference of two moments, who moved in between.

Runs are folded in the order in which they were stored, which is the order of their keys: the segment's row is locked
while a run is written. A run counts from its `as_of` on, so at a moment all runs with an `as_of` up to it count.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Min, QuerySet
from pyroaring import BitMap

from ..models import Segment, SegmentRun, SegmentState

# A state is kept where the runs since the last one weigh as much as the state, or are this many: folding then reads
# at most about twice a state, and all states together take no more room than the runs.
RUNS_BETWEEN_STATES = 1_000
LEAST_BYTES = 16_384
_CHUNK = 500


@dataclass(frozen=True)
class Difference:
    """Who is in at the later of two moments and not at the earlier (entered), and the reverse (left)."""

    entered: BitMap = field(default_factory=BitMap)
    left: BitMap = field(default_factory=BitMap)


def begins_at(segment: Segment | int) -> datetime | None:
    """Return the moment of the first run, before which nothing is known; None where nobody ever entered (1 query)."""
    return _runs(segment).aggregate(first=Min("as_of"))["first"]


def members_at(segment: Segment | int, moment: datetime) -> BitMap | None:
    """Return the keys of the members at a moment, None before the first run (2 queries, whatever the number of runs).

    Keys of records that were deleted since are among them.
    """
    state = (
        SegmentState.objects.filter(segment=_pk(segment), as_of__lte=moment)
        .order_by("-as_of", "-run_id")
        .values_list("run_id", "members")
        .first()
    )
    runs = _runs(segment).filter(as_of__lte=moment)
    found = BitMap()
    if state is not None:
        runs = runs.filter(pk__gt=state[0])
        found = BitMap.deserialize(bytes(state[1]))
    known = state is not None
    for entered, left in _moves(runs):
        known = True
        found |= entered
        found -= left
    return found if known else None


def changes_between(segment: Segment | int, earlier: datetime, later: datetime) -> Difference:
    """Return who is in at the later moment and not at the earlier, and the reverse (4 queries).

    Before the first run nobody was in. Who came and went in between is in neither set.
    """
    before = members_at(segment, earlier) or BitMap()
    after = members_at(segment, later) or BitMap()
    return Difference(after - before, before - after)


def moved_within(segments: Iterable[Segment | int], start: datetime | None, until: datetime) -> Difference:
    """Return all who entered, and all who left, any of the segments in start <= moment <= until (1 query).

    Whoever did both is in both sets. `start` None reaches back to the beginning.
    """
    runs = SegmentRun.objects.filter(segment__in=[_pk(one) for one in segments], error="", as_of__lte=until)
    if start is not None:
        runs = runs.filter(as_of__gte=start)
    found = Difference()
    for entered, left in _moves(runs):
        found.entered.update(entered)
        found.left.update(left)
    return found


def moved_after(segments: Iterable[int], moment: datetime) -> tuple[BitMap, BitMap]:
    """Return who moved in or out of any of the segments after a moment, and which of them were in one at it.

    Costs 1 query where nobody moved since, else 2 more for each segment with later runs.
    """
    wanted = list(segments)
    later = SegmentRun.objects.filter(segment__in=wanted, error="", as_of__gt=moment)
    moved = BitMap()
    for entered, left in _moves(later):
        moved |= entered
        moved |= left
    if not moved:
        return moved, moved
    inside = BitMap()
    for pk in wanted:
        inside |= members_at(pk, moment) or BitMap()
    return moved, inside & moved


def keep_states(segment: Segment | int) -> int:
    """Keep the members whole wherever the runs since the last state have grown heavy; return how many states were made.

    Costs 2 queries where nothing is due, else one more for each state; reads the runs since the last one.
    """
    with transaction.atomic():
        # The lock under which runs are written: of two that keep states at once the second finds nothing to do.
        if not Segment.objects.select_for_update().filter(pk=_pk(segment)).exists():
            return 0
        last = SegmentState.objects.filter(segment=_pk(segment)).order_by("-run_id").first()
        members = BitMap.deserialize(bytes(last.members)) if last else BitMap()
        runs = _runs(segment).filter(pk__gt=last.run_id) if last else _runs(segment)
        as_of = last.as_of if last else None
        limit = max(LEAST_BYTES, len(last.members) if last else 0)
        made = count = weight = 0
        rows = runs.order_by("pk").values_list("pk", "as_of", "entered", "left")
        for pk, moment, entered, left in rows.iterator(chunk_size=_CHUNK):
            members |= BitMap.deserialize(bytes(entered))
            members -= BitMap.deserialize(bytes(left))
            as_of = moment if as_of is None else max(as_of, moment)
            count, weight = count + 1, weight + len(entered) + len(left)
            if count >= RUNS_BETWEEN_STATES or weight >= limit:
                kept = members.serialize()
                SegmentState.objects.create(segment_id=_pk(segment), run_id=pk, as_of=as_of, members=kept)
                made, count, weight, limit = made + 1, 0, 0, max(LEAST_BYTES, len(kept))
    return made


def _pk(segment: Segment | int) -> int:
    return segment if isinstance(segment, int) else segment.pk


def _runs(segment: Segment | int) -> QuerySet[SegmentRun]:
    return SegmentRun.objects.filter(segment=_pk(segment), error="").order_by()


def _moves(runs: QuerySet[Any]) -> Iterator[tuple[BitMap, BitMap]]:
    """Yield who entered and who left, run by run in the order in which they were stored (1 query)."""
    rows = runs.order_by("pk").values_list("entered", "left")
    for entered, left in rows.iterator(chunk_size=_CHUNK):
        yield BitMap.deserialize(bytes(entered)), BitMap.deserialize(bytes(left))
