"""The overlap of segments as a person may see it: members read once each as bitmaps, then set algebra."""

from collections.abc import Sequence
from dataclasses import dataclass

from pyroaring import BitMap

from segmentation_crm.common.access import AnyUser

from ..models import Segment, SegmentMembership
from ..queries import records_visible_to
from ..rules.bitmaps import read_keys
from .asking import candidates
from .findings import Finding, findings_of
from .regions import Region, exclusive_regions

# How many stored members one page of "most alike" reads: about a second on either database.
MOST_READ = 5_000_000


@dataclass(frozen=True)
class Pair:
    """Two segments: how many members in each, in both, in either."""

    first: Segment
    second: Segment
    in_first: int
    in_second: int
    both: int

    @property
    def either(self) -> int:
        """Return how many are in one of the two or in both."""
        return self.in_first + self.in_second - self.both

    @property
    def similarity(self) -> float | None:
        """Return both ÷ either, 0 to 1 (the Jaccard index); None where both segments are empty."""
        return self.both / self.either if self.either else None

    @property
    def share_of_first(self) -> float | None:
        """Return what share of the first lies in the second, 0 to 1; None where the first is empty."""
        return self.both / self.in_first if self.in_first else None

    @property
    def share_of_second(self) -> float | None:
        """Return what share of the second lies in the first, 0 to 1; None where the second is empty."""
        return self.both / self.in_second if self.in_second else None


@dataclass(frozen=True)
class Overlap:
    """How some segments overlap, over the records that the viewer may see.

    counts: members of each segment, in order. regions: every combination that anybody is in, the largest first.
    total: records of the member type that the viewer may see; outside: those in none of the segments.
    """

    segments: list[Segment]
    counts: list[int]
    regions: list[Region]
    pairs: list[Pair]
    findings: list[Finding]
    total: int
    outside: int

    @property
    def member_type(self) -> str:
        """Return what the members are."""
        return self.segments[0].member_type

    def pair(self, first: int, second: int) -> Pair | None:
        """Return the pair of two positions, the first in front; None for the same."""
        if first == second:
            return None
        low, high = min(first, second), max(first, second)
        found = self.pairs[low * (2 * len(self.segments) - low - 1) // 2 + high - low - 1]
        if first < second:
            return found
        return Pair(found.second, found.first, found.in_second, found.in_first, found.both)


def stored_members(segment: Segment) -> BitMap:
    """Return the keys of all stored members (1 query)."""
    column = f"{segment.member_type}_id"
    # The condition lets the partial index of the column answer alone.
    rows = SegmentMembership.objects.filter(segment=segment, **{f"{column}__isnull": False})
    return read_keys(rows.order_by().values(column))


def overlap_of(segments: Sequence[Segment], user: AnyUser) -> Overlap:
    """Return how the segments overlap (1 query a segment, 1 for what the user may see, those of `visibility`).

    The segments are of one member type: `chosen` sees to that.
    """
    visible = read_keys(records_visible_to(segments[0].member_type, user).order_by().values("pk"))
    sets = [stored_members(segment) & visible for segment in segments]
    counts = [len(members) for members in sets]
    pairs = [
        Pair(segments[i], segments[j], counts[i], counts[j], sets[i].intersection_cardinality(sets[j]))
        for i in range(len(sets))
        for j in range(i + 1, len(sets))
    ]
    regions = exclusive_regions(sets)
    outside = len(visible) - sum(region.count for region in regions)
    return Overlap(list(segments), counts, regions, pairs, _findings(pairs), len(visible), outside)


def _findings(pairs: Sequence[Pair]) -> list[Finding]:
    order = {"equal_members": 0, "equal_rules": 1, "inside": 2, "rule_inside": 3}
    found = [one for p in pairs for one in findings_of(p.first, p.second, p.in_first, p.in_second, p.both)]
    return sorted(found, key=lambda one: order[one.kind])


@dataclass(frozen=True)
class Nearest:
    """The segments most like one: pairs with it in front, the most alike first; how many were not compared, and what
    was found. `alone`: how many others there are that share nobody with it.
    """

    pairs: list[Pair]
    findings: list[Finding]
    alone: int
    left_out: int


def nearest(segment: Segment, user: AnyUser) -> Nearest:
    """Return the segments that share members with this one (1 query a segment of the same member type, and 3).

    Reads at most 5 million memberships, the smallest segments first; the rest is counted in `left_out`.
    """
    others = sorted(candidates(user, segment.member_type).exclude(pk=segment.pk), key=lambda one: one.member_count)
    visible = read_keys(records_visible_to(segment.member_type, user).order_by().values("pk"))
    own = stored_members(segment) & visible
    pairs: list[Pair] = []
    read = 0
    for position, other in enumerate(others):
        read += other.member_count
        if read > MOST_READ:
            left_out = len(others) - position
            break
        members = stored_members(other) & visible
        pairs.append(Pair(segment, other, len(own), len(members), own.intersection_cardinality(members)))
    else:
        left_out = 0
    shared = [pair for pair in pairs if pair.both]
    shared.sort(key=lambda pair: (-(pair.similarity or 0), pair.second.name))
    return Nearest(shared, _findings(pairs), len(pairs) - len(shared), left_out)
