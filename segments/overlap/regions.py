"""Sets cut into what lies in exactly these of them: the exclusive intersections of an UpSet chart."""

from collections.abc import Sequence
from dataclasses import dataclass

from pyroaring import BitMap


@dataclass(frozen=True)
class Region:
    """The records that are in exactly the sets of `mask` (bit i: the i-th set) and in no other."""

    mask: int
    count: int

    def inside(self, index: int) -> bool:
        """Tell whether the region lies in the i-th set."""
        return bool(self.mask >> index & 1)

    @property
    def degree(self) -> int:
        """Return in how many of the sets the region lies."""
        return self.mask.bit_count()


def exclusive_regions(sets: Sequence[BitMap]) -> list[Region]:
    """Return every non-empty region, the largest first, then by fewer and earlier sets.

    Each set splits the regions found so far, so that the work follows the regions that exist: at most 4,095 for
    twelve sets, and no more than there are records.
    """
    parts: dict[int, BitMap] = {}
    covered = BitMap()
    for index, members in enumerate(sets):
        bit = 1 << index
        split: dict[int, BitMap] = {}
        for mask, keys in parts.items():
            inside = keys & members
            if inside:
                split[mask | bit] = inside
            if len(inside) < len(keys):
                split[mask] = keys - inside
        fresh = members - covered
        if fresh:
            split[bit] = fresh
        covered |= members
        parts = split
    found = [Region(mask, len(keys)) for mask, keys in parts.items()]
    return sorted(found, key=lambda region: (-region.count, region.degree, region.mask))
