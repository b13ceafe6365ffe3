"""Who moved, told to those that read the segment: at once within a refresh, else by a row that the next one takes."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from pyroaring import BitMap

from segmentation_crm.common.jobs import enqueue

from ..choices import RunCause
from ..models import MovedMembers

# The kind and key of the job that keeps segments fresh; of one key only one job waits and one runs.
REFRESH_JOB, REFRESH_KEY = "segments.refresh", "all"


@dataclass
class Moved:
    """Keys that entered or left, by segment: because of changed records (or decisions), and because of time alone."""

    by_data: dict[int, BitMap] = field(default_factory=lambda: defaultdict(BitMap))
    by_time: dict[int, BitMap] = field(default_factory=lambda: defaultdict(BitMap))

    def note(self, segment_id: int, keys: BitMap, cause: str) -> None:
        """Note keys that moved."""
        (self.by_time if cause == RunCause.TIME else self.by_data)[segment_id].update(keys)


_collecting: ContextVar[Moved | None] = ContextVar("collecting", default=None)


@contextmanager
def collecting(moved: Moved) -> Iterator[Moved]:
    """Gather who moves inside instead of leaving it for the next refresh."""
    token = _collecting.set(moved)
    try:
        yield moved
    finally:
        _collecting.reset(token)


def tell_readers(segment_id: int, keys: BitMap, cause: str) -> None:
    """Let segments that read this one learn who moved; in the transaction that moved them (0 or 1 to 4 queries)."""
    moved = _collecting.get()
    if moved is not None:
        moved.note(segment_id, keys, cause)
        return
    MovedMembers.objects.create(segment_id=segment_id, cause=cause, keys=keys.serialize())


def take_moved() -> Moved:
    """Delete the rows that wait and return what they say (1 or 2 queries); inside the transaction that uses it."""
    found = Moved()
    rows = list(MovedMembers.objects.values_list("pk", "segment_id", "cause", "keys"))
    for _, segment_id, cause, keys in rows:
        found.note(segment_id, BitMap.deserialize(bytes(keys)), cause)
    if rows:
        MovedMembers.objects.filter(pk__in=[pk for pk, *_ in rows]).delete()
    return found


def ring_for_refresh() -> None:
    """Queue the refresh that takes what this transaction changed (2 or 3 queries); one that waits is enough."""
    enqueue(REFRESH_JOB, key=REFRESH_KEY)
