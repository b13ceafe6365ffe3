"""Decisions by hand: always in, never in, with a reason."""

from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from pyroaring import BitMap

from segmentation_crm.common.access import AnyUser, can
from segmentation_crm.common.effective_time import effective_now
from segmentation_crm.common.models import Job, User
from segmentation_crm.common.services import audit

from ..choices import OverrideMode, RunCause, SegmentKind, SegmentStatus
from ..models import Segment, SegmentMembership, SegmentOverride
from ..queries import division_of, records_visible_to
from .composing import hold, membership_of, within_parent
from .saving import queue_rebuild
from .storing import store_difference


def set_override(
    user: AnyUser, segment: Segment, record_id: int, mode: str, reason: str
) -> tuple[SegmentOverride, Job]:
    """Put a record always in or never in, at once, and queue those segments that read this one.

    A second decision about the same record takes the place of the first. Raises ValidationError naming the field,
    or PermissionDenied.
    """
    if not can(user, "segments.write"):
        raise PermissionDenied("Your role may read segments, not change them.")
    if segment.status == SegmentStatus.ARCHIVED:
        raise ValidationError({"segment": "An archived segment takes no changes; restore it first."})
    if division := division_of(segment):
        raise ValidationError({"segment": f"“{division}” decides who is in its parts; decide in its segments."})
    if mode not in OverrideMode.values:
        raise ValidationError({"mode": "mode must be include or exclude."})
    reason = " ".join(str(reason or "").split())
    if not reason:
        raise ValidationError({"reason": "Say why, so that others understand it later."})
    if len(reason) > 500:
        raise ValidationError({"reason": "A reason has at most 500 characters."})
    if not records_visible_to(segment.member_type, user).filter(pk=record_id).exists():
        raise ValidationError({"record": f"There is no such {segment.member_type}."})
    with transaction.atomic():
        locked = _held(segment)
        values = {"mode": mode, "reason": reason, "by": user if isinstance(user, User) else None}
        override, _ = SegmentOverride.objects.update_or_create(
            segment=locked, **_owner(locked, record_id), defaults=values
        )
        key = BitMap([record_id])
        _move(locked, record_id, wanted=mode == OverrideMode.INCLUDE and bool(within_parent(locked, key)))
        audit.record(user, f"segment.{mode}d", locked, record=record_id, reason=reason)
        job = queue_rebuild(locked, user, RunCause.MANUAL)
    return override, job


def remove_override(user: AnyUser, segment: Segment, override: SegmentOverride) -> Job:
    """Let the rule decide about the record again: the queued rebuild puts it where it belongs.

    Raises PermissionDenied.
    """
    if not can(user, "segments.write"):
        raise PermissionDenied("Your role may read segments, not change them.")
    with transaction.atomic():
        locked = _held(segment)
        record_id = override.record_id
        override.delete()
        if locked.kind != SegmentKind.DYNAMIC:
            _move(locked, record_id, wanted=bool(membership_of(locked, None, BitMap([record_id]))))
        audit.record(user, "segment.override_removed", locked, record=record_id)
        return queue_rebuild(locked, user, RunCause.MANUAL)


def _held(segment: Segment) -> Segment:
    """Return the segment, locked with those it stands with.

    Raises ValidationError where it is gone.
    """
    locked = hold(segment.pk)
    if locked is None:
        raise ValidationError({"segment": "The segment is no longer there."})
    return locked


def _owner(segment: Segment, record_id: int) -> dict[str, Any]:
    return {f"{segment.member_type}_id": record_id}


def _move(segment: Segment, record_id: int, *, wanted: bool) -> None:
    """Put one record in or out and note it as a run, where it is not there already."""
    rows = SegmentMembership.objects.filter(segment=segment, **_owner(segment, record_id))
    present = rows.exists()
    now, key = effective_now(), BitMap([record_id])
    if wanted and present:
        rows.update(manual=True)
    if wanted == present:
        return
    none = BitMap()
    store_difference(
        segment,
        key if wanted else none,
        none if wanted else key,
        as_of=now,
        cause=RunCause.MANUAL,
        version=segment.rules_version,
        manual=wanted,
    )
