"""Membership of other segments: as it stands at as_of, and over its history (RULES §1, §5.4)."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.apps import apps
from pyroaring import BitMap

from segments.history.folding import members_at, moved_after, moved_within

from ..clock import Clock
from ..nodes import SegmentTest
from .places import Place
from .verdicts import Known, Not, Rows, Standing, Verdict


@dataclass(frozen=True)
class Moved:
    """Who moved in or out of the segments after a moment, and which of them were in one at it."""

    segment_ids: tuple[int, ...]
    as_of: datetime

    def __call__(self) -> tuple[BitMap, BitMap]:
        """Read the runs after the moment (1 query where there are none)."""
        return moved_after(self.segment_ids, self.as_of)


@dataclass(frozen=True)
class EnteredOrLeft:
    """Who entered, or left, the segment in start <= moment <= until."""

    segment_id: int
    entered: bool
    start: datetime | None
    until: datetime

    def __call__(self) -> BitMap:
        """Read the runs of the window (1 query)."""
        found = moved_within([self.segment_id], self.start, self.until)
        return found.entered if self.entered else found.left


@dataclass(frozen=True)
class WasIn:
    """Who was in the segment at a moment."""

    segment_id: int
    moment: datetime

    def __call__(self) -> BitMap:
        """Fold the runs up to the moment (2 queries)."""
        return members_at(self.segment_id, self.moment) or BitMap()


def compile_segments(node: SegmentTest, place: Place, clock: Clock) -> Verdict:
    """Return the verdict of a segment condition at a place; the runs are read when its query is rendered."""
    at = place.hop(node.hops, node.record or place.record)
    if node.operator in ("in", "not_in"):
        members: Any = apps.get_model("segments", "SegmentMembership")._default_manager
        rows = members.filter(segment_id__in=node.segment_ids).order_by()
        stored = Rows(at.key, rows, f"{at.record}_id", guard=at.guard())
        found = Standing(stored, Moved(node.segment_ids, clock.as_of))
        return Not(found) if node.operator == "not_in" else found
    (segment_id,) = node.segment_ids
    if node.operator == "was_in_at":
        return Known(at.key, WasIn(segment_id, moment_asked(node, clock)), at.guard())
    start = window_start(node, clock)
    source = EnteredOrLeft(segment_id, node.operator == "entered_in_last", start, clock.as_of)
    return Known(at.key, source, at.guard())


def window_start(node: SegmentTest, clock: Clock) -> datetime | None:
    """Return where the window of entered_in_last or left_in_last begins: local midnight n units back."""
    if node.within is None:
        raise ValueError(f"{node.operator} without a duration")
    return clock.start_of(clock.back(node.within))


def moment_asked(node: SegmentTest, clock: Clock) -> datetime:
    """Return the moment of was_in_at, never later than as_of; a day means its end."""
    if node.at is None:
        raise ValueError("was_in_at without a moment")
    asked = clock.operand(node.at)
    if isinstance(asked, date) and not isinstance(asked, datetime):
        asked = clock.last_moment(asked)
    return min(asked, clock.as_of)
