"""Evidence as pages and API ask for it: nearest misses of a segment for one viewer."""

from pyroaring import BitMap

from segmentation_crm.common.access import AnyUser

from ..choices import SegmentKind
from ..models import Segment
from ..queries import records_visible_to, sees_every_record
from ..rules.bitmaps import Evaluator, read_keys
from ..rules.clock import Clock
from ..rules.deadline import SECONDS, limited
from ..sentences import hide_records
from ..services.composing import within_parent
from ..services.gaps import rule_of
from ..services.membership import current_members, manual_keys
from .misses import Miss, nearest_misses

SHOWN = 20


def misses_of(segment: Segment, user: AnyUser, limit: int = SHOWN) -> list[Miss]:
    """Return the nearest misses among the records that the user sees (a query or two for each atom, and up to 6).

    Left out are members, records kept out by hand and, where there is a parent, records outside of it. Segments that
    follow no rule have none. Raises InvalidRule for a broken rule, RuleTooExpensive after 5 seconds.
    """
    rule = rule_of(segment) if segment.kind == SegmentKind.DYNAMIC else None
    if rule is None:
        return []
    hide_records(rule, user)
    with limited(SECONDS) as deadline:
        evaluator = Evaluator(rule.member_type, Clock.at(), deadline=deadline)
        within = evaluator.universe - current_members(segment) - manual_keys(segment, None)[1]
        if not sees_every_record(user):
            within &= read_keys(records_visible_to(rule.member_type, user).order_by().values("pk"))
        return nearest_misses(rule, evaluator, BitMap(within_parent(segment, within)), limit)


__all__ = ["misses_of"]
