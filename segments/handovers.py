"""What a user holds open in segments, for the hand-over when the user is deactivated."""

from segmentation_crm.common.services.users import OwnedRows

from .choices import SegmentStatus
from .models import Segment


def handovers() -> list[OwnedRows]:
    """Return the kinds of open work: segments that are not archived."""
    return [OwnedRows("segments", lambda: Segment.objects.exclude(status=SegmentStatus.ARCHIVED))]
