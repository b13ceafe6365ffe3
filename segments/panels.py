"""What segments add to the pages of the apps below: a panel on a record's page, and hits of the search box."""

from collections.abc import Iterable
from typing import Any

from segmentation_crm.common.access import AnyUser
from segmentation_crm.common.finding import Hit, RecordFinder

from .choices import MemberType, SegmentStatus
from .history.moves import entries_of, kept_moves, move_of
from .history.words import CauseWords
from .models import Segment
from .queries import segments_of, segments_visible_to

MOST = 50
MOST_LEFT = 5


def segment_panel(record_type: str, record: Any, user: AnyUser) -> dict[str, Any] | None:
    """Return the panel with the segments that an account or contact is in, since when and why (2 to 6 queries)."""
    if record_type not in MemberType.values:
        return None
    rows = list(segments_of(record_type, record.pk)[:MOST])
    came = entries_of(record_type, record.pk, {row.segment_id: row.entered_at for row in rows}) if rows else {}
    inside = {row.segment_id for row in rows}
    exits = kept_moves(record_type, record.pk).filter(entered=False).exclude(segment__in=inside).order_by("-at", "-pk")
    left = [(row.segment, move_of(row)) for row in exits[:MOST_LEFT]]
    words = CauseWords([*came.values(), *(move for _, move in left)], user, record_type)
    context = {
        "memberships": [(row, words.of(came[row.segment_id]) if row.segment_id in came else "") for row in rows],
        "left": [(segment, move, words.of(move)) for segment, move in left],
    }
    return {"title": "Segments", "template": "segments/_record_panel.html", "context": context}


def _hit(segment: Segment) -> Hit:
    sub = f"segment of {segment.get_member_type_display().lower()}"
    return {
        "kind": "segment",
        "label": segment.name,
        "sub": sub,
        "url": segment.get_absolute_url(),
        "icon": "chart-pie",
    }


def find_segments(user: AnyUser, text: str, limit: int) -> list[Hit]:
    """Return the segments whose name contains the text (1 query)."""
    rows = segments_visible_to(user).exclude(status=SegmentStatus.ARCHIVED).filter(name__icontains=text)
    return [_hit(segment) for segment in rows.order_by("name")[:limit]]


def segments_by_key(user: AnyUser, keys: Iterable[int]) -> dict[int, Hit]:
    """Return those of the segments that the user sees (1 query)."""
    return {segment.pk: _hit(segment) for segment in segments_visible_to(user).filter(pk__in=list(keys))}


SEGMENT_FINDER = RecordFinder("segment", "Segments", find_segments, segments_by_key)
