"""What segments add to a record's timeline: when it entered and left."""

from typing import Any

from pyroaring import BitMap

from segmentation_crm.common.timeline import TimelineEvent, TimelineKind, TimelineQuery, TimelineSource

from .choices import MemberType
from .models import SegmentRun
from .queries import segments_of

# How many runs are looked through for one page, the latest first; entries that still hold are found without them.
MOST_RUNS = 100


def _entries(query: TimelineQuery) -> list[TimelineEvent]:
    """Return the entries into segments that the record is still in (1 query)."""
    if not _concerns(query):
        return []
    rows = segments_of(query.record_type, query.record.pk).filter(query.older("entered_at"))
    return [
        TimelineEvent(
            at=row.entered_at,
            kind=TimelineKind.SEGMENT,
            pk=row.pk,
            title="Entered segment",
            icon="chart-pie",
            about=row.segment.name,
            url=row.segment.get_absolute_url(),
            by="hand" if row.manual else "",
        )
        for row in rows.order_by("-entered_at", "-pk")[: query.limit]
    ]


def _exits(query: TimelineQuery) -> list[TimelineEvent]:
    """Return the exits found in the latest runs that anybody left in (1 query)."""
    if not _concerns(query):
        return []
    rows = SegmentRun.objects.filter(
        query.older("started_at"), left_count__gt=0, segment__member_type=query.record_type
    ).select_related("segment")
    found = []
    for run in rows.defer("entered").order_by("-started_at", "-pk")[:MOST_RUNS].iterator(chunk_size=50):
        if query.record.pk in BitMap.deserialize(bytes(run.left)):
            found.append(_exit(run))
        if len(found) == query.limit:
            break
    return found


def _exit(run: Any) -> TimelineEvent:
    return TimelineEvent(
        at=run.started_at,
        kind=TimelineKind.SEGMENT,
        pk=run.pk,
        title="Left segment",
        icon="chart-pie",
        about=run.segment.name,
        url=run.segment.get_absolute_url(),
    )


def _concerns(query: TimelineQuery) -> bool:
    """Tell whether segments hold such records; one person's events on an account's page are none of the account."""
    return query.record_type in MemberType.values and query.contact_id is None


_KINDS = frozenset({str(TimelineKind.SEGMENT)})
SOURCES = (
    TimelineSource("segment_entries", _KINDS, _entries),
    TimelineSource("segment_exits", _KINDS, _exits),
)
