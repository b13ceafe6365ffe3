"""The history of membership: who was in at any past moment, who came and went, and why.

Every change of members is a `SegmentRun` with the keys that entered and left; folding the runs gives the members of
any moment. `docs/segments-history.md` says what counts from when, and what is kept.
"""

from .folding import (
    Difference,
    begins_at,
    changes_between,
    keep_states,
    members_at,
    moved_after,
    moved_within,
)

__all__ = [
    "Difference",
    "begins_at",
    "changes_between",
    "keep_states",
    "members_at",
    "moved_after",
    "moved_within",
]
