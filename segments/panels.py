"""What segments add to the pages of the apps below: a panel on a record's page, and hits of the search box."""

from typing import Any

from segmentation_crm.common.access import AnyUser

from .choices import MemberType, SegmentStatus
from .queries import segments_of, segments_visible_to

MOST = 50


def segment_panel(record_type: str, record: Any, user: AnyUser) -> dict[str, Any] | None:
    """Return the panel with the segments that an account or contact is in (1 query)."""
    if record_type not in MemberType.values:
        return None
    rows = list(segments_of(record_type, record.pk)[:MOST])
    return {"title": "Segments", "template": "segments/_record_panel.html", "context": {"memberships": rows}}


def find_segments(user: AnyUser, text: str, limit: int) -> list[dict[str, Any]]:
    """Return the segments whose name contains the text (1 query)."""
    rows = segments_visible_to(user).exclude(status=SegmentStatus.ARCHIVED).filter(name__icontains=text)
    return [
        {
            "label": segment.name,
            "sub": f"segment of {segment.get_member_type_display().lower()}",
            "url": segment.get_absolute_url(),
            "kind": "segment",
        }
        for segment in rows.order_by("name")[:limit]
    ]
