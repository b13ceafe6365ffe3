"""Who belongs to a segment: exclude over parent limit over include over rule (RULES §5.11).

A part of a partition is a segment whose rule names the segments before it; a group of a split is one whose rule names
what is split, narrowed here by lot. A segment with a parent holds members of the parent only.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from django.utils import timezone
from pyroaring import BitMap

from ..choices import SegmentKind, SegmentStatus
from ..models import PartitionPart, Segment, SegmentMembership, SnapshotKeys, SplitGroup
from .lots import drawn
from .membership import live_keys, manual_keys, owner_column


def membership_of(segment: Segment, chosen: BitMap | None, keys: BitMap | None = None) -> BitMap:
    """Return who belongs to the segment, of all records or of `keys` only (2 to 5 queries).

    chosen: what the rule selects now (among `keys` where these are given); None where no rule is asked: a static
    segment, or a snapshot that was taken. Reads the stored decisions by hand and the stored members of the parent:
    call it in the transaction that stores the result, after the parent was stored. For a split under 1 µs a chosen key.
    """
    included, excluded = manual_keys(segment, keys)
    if chosen is None:
        chosen = BitMap() if segment.kind == SegmentKind.STATIC else _taken(segment, keys)
    elif keys is not None:
        chosen = chosen & keys
    found = by_lot(segment, chosen) | live_keys(segment.member_type, included)
    return within_parent(segment, found - excluded)


def by_lot(segment: Segment, chosen: BitMap) -> BitMap:
    """Return those of the chosen keys whose lot falls to the segment: all but for groups of a split (1 query)."""
    group = SplitGroup.objects.select_related("split").filter(segment=segment).first()
    if group is None:
        return chosen
    return drawn(group.split.seed, segment.member_type, chosen, group.start, group.start + group.share)


def within_parent(segment: Segment, keys: BitMap) -> BitMap:
    """Return those of the keys that are stored members of the parent; all where there is none (up to 1 query)."""
    if segment.parent_id is None or not keys:
        return keys
    return keys & members_among(segment.parent_id, segment, keys)


def members_among(segment_id: int, like: Segment, keys: BitMap) -> BitMap:
    """Return those of the keys that are stored members of a segment of the same member type as `like` (1 query)."""
    column = owner_column(like)
    rows = SegmentMembership.objects.filter(segment=segment_id)
    if len(keys) <= 1_000:
        rows = rows.filter(**{f"{column}__in": list(keys)})
    return BitMap(rows.values_list(column, flat=True).iterator(chunk_size=20_000)) & keys


def included_by_hand(segment: Segment, members: BitMap) -> BitMap:
    """Return those of the members whom somebody put in by hand (1 query)."""
    return manual_keys(segment, None)[0] & members


# --- snapshots ---


def keep_taken(segment: Segment, chosen: BitMap) -> None:
    """Keep whom a snapshot's rule chose, so that decisions by hand and the parent can come and go (2 queries)."""
    values = {"keys": chosen.serialize(), "rules_version": segment.rules_version, "taken_at": timezone.now()}
    SnapshotKeys.objects.update_or_create(segment=segment, defaults=values)


def _taken(segment: Segment, keys: BitMap | None) -> BitMap:
    """Return whom a snapshot's rule chose when it was taken and who is still there."""
    kept = SnapshotKeys.objects.filter(segment=segment).values_list("keys", flat=True).first()
    if kept is not None:
        chosen = BitMap.deserialize(bytes(kept))
    else:
        # Taken before the choice was kept: what it holds by its rule is all that is known.
        rows = SegmentMembership.objects.filter(segment=segment, manual=False)
        chosen = BitMap(rows.values_list(owner_column(segment), flat=True).iterator(chunk_size=20_000))
    return live_keys(segment.member_type, chosen if keys is None else chosen & keys)


# --- what holds between segments, at every moment ---


def who_must_leave(segment: Segment, entered: BitMap, left: BitMap) -> Iterator[tuple[Segment, BitMap]]:
    """Yield (segment, keys) of those that lose members because this one changed (2 to 4 queries, and 1 for each).

    Who leaves a parent leaves its children; who enters a part of a partition or split leaves the other parts.
    """
    if left:
        for child in Segment.objects.filter(parent=segment).exclude(status=SegmentStatus.ARCHIVED):
            if gone := members_among(child.pk, child, left):
                yield child, gone
    if entered:
        for other in Segment.objects.filter(pk__in=beside(segment.pk)).exclude(status=SegmentStatus.ARCHIVED):
            if gone := members_among(other.pk, other, entered):
                yield other, gone


def beside(segment_id: int) -> list[int]:
    """Return the segments of the other parts of the partition or split that this one is a part of (2 queries)."""
    parts = PartitionPart.objects.filter(partition__parts__segment=segment_id).exclude(segment=segment_id)
    groups = SplitGroup.objects.filter(split__groups__segment=segment_id).exclude(segment=segment_id)
    return [*parts.values_list("segment_id", flat=True), *groups.values_list("segment_id", flat=True)]


def hold(segment_id: int) -> Segment | None:
    """Lock the segment and those it stands with, for a transaction that stores members; None where it is gone.

    Parents, children and the parts beside are locked with it, always in the order of their keys, so that two stores
    never read each other's members half way and never wait for each other in a circle (4 queries).
    """
    held = Segment.objects.select_for_update().filter(pk__in=_kin(segment_id)).order_by("pk")
    return next((found for found in list(held) if found.pk == segment_id), None)


def _kin(segment_id: int) -> set[int]:
    near: dict[int, set[int]] = defaultdict(set)
    for one, other in _ties():
        near[one].add(other)
        near[other].add(one)
    found, waiting = {segment_id}, [segment_id]
    while waiting:
        for other in near[waiting.pop()] - found:
            found.add(other)
            waiting.append(other)
    return found


def _ties() -> Iterable[tuple[int, int]]:
    """Yield pairs of segments that stand together: parent and child, and the parts of one partition or split."""
    yield from Segment.objects.filter(parent__isnull=False).order_by().values_list("pk", "parent_id")
    first: dict[tuple[str, int], int] = {}
    parts = PartitionPart.objects.order_by().values_list("partition_id", "segment_id")
    groups = SplitGroup.objects.order_by().values_list("split_id", "segment_id")
    for kind, rows in (("partition", parts), ("split", groups)):
        for whole, segment_id in rows:
            yield first.setdefault((kind, whole), segment_id), segment_id
