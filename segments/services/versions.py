"""The rules that a segment has had: what changed between two, and bringing one back."""

from dataclasses import dataclass

from django.core.exceptions import ValidationError

from segmentation_crm.common.access import AnyUser
from segmentation_crm.common.models import Job

from ..choices import SegmentKind, SegmentStatus
from ..models import Segment, SegmentVersion
from ..outline import Line, compared, outline
from .saving import update_segment


@dataclass(frozen=True)
class Comparison:
    """Two versions and the lines of both rules, marked same, gone or new."""

    old: SegmentVersion
    new: SegmentVersion
    lines: list[Line]


def version_of(segment: Segment, number: int) -> SegmentVersion | None:
    """Return one version with its author, None where there is none of this number (1 query)."""
    found: SegmentVersion | None = segment.versions.select_related("created_by").filter(number=number).first()
    return found


def compare(segment: Segment, old: SegmentVersion, new: SegmentVersion, user: AnyUser) -> Comparison:
    """Return what changed between two versions, as the user may read it (queries: those of validating both)."""
    lines = [outline(one.rules, segment.member_type, user, segment.pk) for one in (old, new)]
    return Comparison(old, new, compared(*lines))


def restore_version(
    user: AnyUser, segment: Segment, number: int, expected_version: int | None = None
) -> tuple[Segment, Job | None]:
    """Make an old version's rule the segment's rule again, as a new version (as `update_segment`).

    Raises ValidationError where there is no such version, where it is the present one, or where the segment is
    archived or follows a partition; InvalidRule where the old rule no longer validates; StaleVersion; PermissionDenied.
    """
    if segment.status == SegmentStatus.ARCHIVED:
        raise ValidationError({"version": "An archived segment takes no changes; restore it first."})
    if segment.kind == SegmentKind.STATIC:
        raise ValidationError({"version": "A static segment is kept by hand and has no rule."})
    found = version_of(segment, number)
    if found is None:
        raise ValidationError({"version": f"There is no version {number}."})
    if found.rules == segment.rules and segment.status != SegmentStatus.BROKEN:
        raise ValidationError({"version": f"Version {number} is the rule as it stands now."})
    return update_segment(user, segment, {"rules": found.rules}, expected_version)
