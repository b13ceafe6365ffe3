"""Putting many records into a static segment at once, and taking them out again: chunks of a bulk act."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone
from pyroaring import BitMap

from segmentation_crm.common.bulk import Doing, Outcome
from segmentation_crm.common.bulk_insert import bulk_insert
from segmentation_crm.common.effective_time import effective_now

from ..choices import OverrideMode, RunCause, SegmentKind, SegmentStatus
from ..models import Segment, SegmentMembership, SegmentOverride
from ..queries import records_visible_to, segments_visible_to
from .composing import hold, within_parent
from .membership import owner_column
from .saving import SegmentInUse, archive_segment, restore_segment
from .storing import store_difference

REASON = "Chosen in a list."


def add_members(doing: Doing, ids: Sequence[int]) -> Outcome:
    """Put a chunk of records into the act's static segment (≤ 12 queries).

    Refused: records the user does not see, and those that somebody keeps out by hand.
    """
    segment = _segment(doing.params["segment"])
    if segment is None or segment.member_type != doing.record:
        return Outcome(refused=dict.fromkeys(ids, "The segment is archived, or no longer there."))
    outcome, column = Outcome(), owner_column(segment)
    visible = records_visible_to(segment.member_type, doing.user)
    seen = set(visible.filter(pk__in=ids).values_list("pk", flat=True))
    outcome.refuse_missing(ids, seen)
    decided = SegmentOverride.objects.filter(segment=segment, **{f"{column}__in": seen})
    modes = dict(decided.values_list(column, "mode"))
    reasons = dict(decided.filter(mode=OverrideMode.EXCLUDE).values_list(column, "reason"))
    outcome.refused.update({pk: f"Kept out of this segment by hand: {reason}" for pk, reason in reasons.items()})
    new = BitMap(pk for pk in seen if pk not in modes)
    outcome.unchanged = len([pk for pk, mode in modes.items() if mode == OverrideMode.INCLUDE])
    bulk_insert(
        [
            SegmentOverride(
                segment=segment,
                mode=OverrideMode.INCLUDE,
                reason=REASON,
                by=doing.user,
                at=timezone.now(),
                **{column: pk},
            )
            for pk in new
        ]
    )
    members = SegmentMembership.objects.filter(segment=segment, **{f"{column}__in": list(new)})
    standing = BitMap(members.values_list(column, flat=True))
    members.update(manual=True)
    _move(segment, within_parent(segment, new - standing), inside=True)
    outcome.changed = {pk: {} for pk in new}
    return outcome


def take_out(doing: Doing, before: Mapping[int, Any]) -> Outcome:
    """Take out of the segment whom the act put in, unless somebody decided about them since."""
    segment = _segment(doing.params["segment"])
    if segment is None:
        return Outcome(refused=dict.fromkeys(before, "The segment is archived, or no longer there."))
    outcome, column = Outcome(), owner_column(segment)
    rows = SegmentOverride.objects.filter(segment=segment, **{f"{column}__in": list(before)})
    ours = rows.filter(mode=OverrideMode.INCLUDE, reason=REASON, by=doing.user)
    mine = BitMap(ours.values_list(column, flat=True))
    others = set(rows.values_list(column, flat=True)) - set(mine)
    ours.delete()
    members = SegmentMembership.objects.filter(segment=segment, **{f"{column}__in": list(mine)})
    _move(segment, BitMap(members.values_list(column, flat=True)), inside=False)
    outcome.refused = dict.fromkeys(others, "Somebody decided about it by hand since.")
    outcome.unchanged = len(before) - len(mine) - len(others)
    outcome.changed = {pk: {} for pk in mine}
    return outcome


def _segment(pk: int) -> Segment | None:
    """Return the static segment, held until the transaction ends."""
    found = hold(pk)
    return found if found and found.kind == SegmentKind.STATIC and found.status != SegmentStatus.ARCHIVED else None


def _move(segment: Segment, keys: BitMap, *, inside: bool) -> None:
    """Write who came or went, the count and the run."""
    if not keys:
        return
    none = BitMap()
    store_difference(
        segment,
        keys if inside else none,
        none if inside else keys,
        as_of=effective_now(),
        cause=RunCause.MANUAL,
        version=segment.rules_version,
        manual=inside,
    )


def archive(doing: Doing, ids: Sequence[int]) -> Outcome:
    """Take segments out of use; refused while other segments read them."""
    outcome = Outcome()
    found = {segment.pk: segment for segment in segments_visible_to(doing.user).filter(pk__in=ids)}
    outcome.refuse_missing(ids, found)
    for pk, segment in found.items():
        if segment.status == SegmentStatus.ARCHIVED:
            outcome.unchanged += 1
            continue
        try:
            with transaction.atomic():
                archive_segment(doing.user, segment)
        except (SegmentInUse, PermissionDenied) as error:
            outcome.refused[pk] = str(error) or "Your role may read segments, not change them."
        else:
            outcome.changed[pk] = {}
    return outcome


def bring_back(doing: Doing, before: Mapping[int, Any]) -> Outcome:
    """Put archived segments into use again."""
    outcome = Outcome()
    for segment in segments_visible_to(doing.user).filter(pk__in=list(before)):
        if segment.status != SegmentStatus.ARCHIVED:
            outcome.unchanged += 1
            continue
        restore_segment(doing.user, segment)
        outcome.changed[segment.pk] = {}
    return outcome
