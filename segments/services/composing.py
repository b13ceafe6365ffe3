"""Who belongs to a segment: exclude over parent limit over include over rule (RULES §5.11)."""

from pyroaring import BitMap

from ..choices import SegmentKind
from ..models import Segment, SegmentMembership
from .membership import live_keys, manual_keys, owner_column


def membership_of(segment: Segment, chosen: BitMap | None, keys: BitMap | None = None) -> BitMap:
    """Return who belongs to the segment, of all records or of `keys` only (up to 4 queries).

    chosen: what the rule selects now (among `keys` where these are given); None where no rule is asked: a static
    segment, or a snapshot that was taken. Reads the stored decisions by hand, and the stored members of what the
    segment depends on, so call it in the transaction that stores the result, after those were stored.
    """
    included, excluded = manual_keys(segment, keys)
    if chosen is None:
        chosen = BitMap() if segment.kind == SegmentKind.STATIC else _kept(segment, keys)
    elif keys is not None:
        chosen = chosen & keys
    return (chosen | live_keys(segment.member_type, included)) - excluded


def included_by_hand(segment: Segment, members: BitMap) -> BitMap:
    """Return those of the members whom somebody put in by hand (1 query)."""
    return manual_keys(segment, None)[0] & members


def _kept(segment: Segment, keys: BitMap | None) -> BitMap:
    """Return the members of a snapshot that its rule chose when it was taken, and that are still there."""
    column = owner_column(segment)
    rows = SegmentMembership.objects.filter(segment=segment, manual=False)
    kept = BitMap(rows.values_list(column, flat=True).iterator(chunk_size=20_000))
    return live_keys(segment.member_type, kept if keys is None else kept & keys)
