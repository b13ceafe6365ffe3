"""What segments share: who is in several at once, how alike they are, and which of them is one too many.

    found = overlap_of(chosen(user, ["large", "german"]), user)
    found.regions        # every combination that anybody is in, the largest first
    found.pairs          # for each two of them: how many in both, in either
    found.findings       # one inside another, equal members, rules that ask the same

All is computed from stored members as bitmaps, over the records that the viewer may see. docs/segments-overlap.md.
"""

from .asking import MOST_SEGMENTS, CannotCompare, candidates, chosen
from .computing import Overlap, Pair, nearest, overlap_of
from .findings import Finding
from .regions import Region, exclusive_regions
from .rules_compared import Relation, relation_of

__all__ = [
    "MOST_SEGMENTS",
    "CannotCompare",
    "Finding",
    "Overlap",
    "Pair",
    "Region",
    "Relation",
    "candidates",
    "chosen",
    "exclusive_regions",
    "nearest",
    "overlap_of",
    "relation_of",
]
