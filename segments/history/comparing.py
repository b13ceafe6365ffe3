"""Two past states of a segment compared, for one viewer."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from pyroaring import BitMap

from segmentation_crm.common.access import AnyUser

from ..choices import MemberType
from ..models import Segment
from ..queries import records_visible_to
from ..rules.bitmaps import read_keys
from ..rules.evaluate import restricted
from .folding import members_at

# Up to so many keys are looked up one by one; above, all records that the viewer sees are read and intersected.
FEW = 20_000


@dataclass(frozen=True)
class Comparison:
    """The members at two moments, who entered and who left in between; of the records that the viewer sees.

    Records that were deleted since are in none of the sets.
    """

    before: BitMap
    members: BitMap

    @property
    def entered(self) -> BitMap:
        """Return who is in at the later moment only."""
        return self.members - self.before

    @property
    def left(self) -> BitMap:
        """Return who is in at the earlier moment only."""
        return self.before - self.members

    def keys(self, name: str) -> BitMap:
        """Return one of the sets: members, entered, left."""
        return {"members": self.members, "entered": self.entered, "left": self.left}[name]

    def count(self, name: str) -> int:
        """Return how many are in one of the sets."""
        return len(self.keys(name))


def compare(segment: Segment, user: AnyUser, earlier: datetime, later: datetime) -> Comparison:
    """Return two states of a segment as the user may see them (4 queries to fold, 1 to narrow)."""
    before = members_at(segment, earlier) or BitMap()
    after = members_at(segment, later) or BitMap()
    visible = visible_among(segment.member_type, user, before | after)
    return Comparison(before & visible, after & visible)


def visible_keys(member_type: str, user: AnyUser) -> BitMap:
    """Return the keys of all records that the user sees (1 query)."""
    return read_keys(records_visible_to(member_type, user).order_by().values("pk"))


def visible_among(member_type: str, user: AnyUser, keys: BitMap) -> BitMap:
    """Return those of the keys whose record the user sees (1 query)."""
    if not keys:
        return keys
    if len(keys) > FEW:
        return visible_keys(member_type, user) & keys
    return read_keys(restricted(records_visible_to(member_type, user), keys).order_by().values("pk"))


def records_in(member_type: str, user: AnyUser, keys: BitMap) -> QuerySet[Any]:
    """Return the records of these keys that the user sees, by name (lazy)."""
    rows = restricted(records_visible_to(member_type, user), keys)
    return rows.order_by("name") if member_type == MemberType.ACCOUNT else rows.order_by("last_name", "first_name")
