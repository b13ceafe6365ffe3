"""Taking a snapshot again: its rule is asked once more, and the members are fixed anew."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from segmentation_crm.common.access import AnyUser
from segmentation_crm.common.models import Job
from segmentation_crm.common.services import audit

from ..choices import RunCause, SegmentKind, SegmentStatus
from ..models import Segment
from .saving import check_may_write, queue_rebuild


def take_again(user: AnyUser, segment: Segment) -> Job:
    """Let the next build ask the snapshot's rule again, and queue it.

    Raises ValidationError for what is no snapshot in use, or PermissionDenied.
    """
    check_may_write(user)
    if segment.kind != SegmentKind.SNAPSHOT:
        raise ValidationError({"segment": "Only a snapshot is taken; this segment follows its rule by itself."})
    with transaction.atomic():
        waiting = Segment.objects.filter(pk=segment.pk, kind=SegmentKind.SNAPSHOT)
        changed = waiting.exclude(status=SegmentStatus.ARCHIVED).update(
            built_version=None, version=F("version") + 1, updated_at=timezone.now()
        )
        if not changed:
            raise ValidationError({"segment": "An archived segment takes no changes; restore it first."})
        audit.record(user, "segment.taken_again", segment)
        return queue_rebuild(segment, user, RunCause.REBUILD)
