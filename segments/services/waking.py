"""The slivers of one refresh: each distinct one is read once, however many segments it wakes."""

from datetime import datetime
from typing import Any

from pyroaring import BitMap

from segmentation_crm.common.fields import registry

from ..models import Segment
from ..rules.bitmaps import atom_key
from ..rules.clock import Clock
from ..wakes import Reading, Waking, existence_name
from ..wakes.slivers import came_to_exist


class Slivers:
    """Whom time wakes from the moment each segment was last woken at up to a clock's."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._read: dict[Any, BitMap] = {}
        self._clocks: dict[datetime, Clock] = {}

    def of(self, segment: Segment, reading: Reading) -> dict[str, BitMap]:
        """Return name in the reads -> keys of the record there (1 to 3 queries for each new sliver)."""
        since = self._since(segment)
        if since is None:
            return {}
        found = {waking.name: self.woken(waking, reading.reads.record, since) for waking in reading.wakings}
        for prefix in reading.existing:
            key = (prefix, since.as_of)
            if key not in self._read:
                self._read[key] = came_to_exist(registry.records[prefix], since, self.clock)
            found[existence_name(prefix)] = self._read[key]
        return found

    def woken(self, waking: Waking, member_type: str, since: Clock) -> BitMap:
        """Return the records that one atom's sliver names."""
        key = (member_type, atom_key(waking.node), since.as_of)
        if key not in self._read:
            self._read[key] = waking.sliver(since, self.clock)
        return self._read[key]

    def _since(self, segment: Segment) -> Clock | None:
        """Return the clock that the segment was last woken at; None where no time has passed."""
        since = segment.woken_at or segment.last_built_at
        if since is None or since >= self.clock.as_of:
            return None
        if since not in self._clocks:
            clock = self.clock
            self._clocks[since] = Clock(since, clock.zone, clock.fiscal_month, clock.size_limits)
        return self._clocks[since]
