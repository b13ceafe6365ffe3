"""What segments add to a record's timeline: when it entered and left, and why."""

from itertools import islice

from segmentation_crm.common.timeline import TimelineEvent, TimelineKind, TimelineQuery, TimelineSource

from .history.moves import Move, cut_runs, is_member_type, kept_moves, move_of, moves_found
from .history.words import CauseWords
from .models import Segment


def _kept(query: TimelineQuery) -> list[TimelineEvent]:
    """Return the comings and goings that were kept as rows (2 to 5 queries, by index)."""
    if not _concerns(query):
        return []
    rows = kept_moves(query.record_type, query.record.pk).filter(query.older("at"))
    found = [(row.segment, move_of(row), row.pk) for row in rows.order_by("-at", "-pk")[: query.limit]]
    return _told(query, found)


def _cut(query: TimelineQuery) -> list[TimelineEvent]:
    """Return those in great runs, of which only the bitmaps tell (1 query; 2 to 4 more where there are some)."""
    if not _concerns(query):
        return []
    runs = cut_runs(query.record_type, query.record.pk).filter(query.older("as_of")).order_by("-as_of", "-pk")
    moves = islice(moves_found(runs, query.record.pk), query.limit)
    return _told(query, [(run.segment, move, run.pk) for run, move in moves])


def _told(query: TimelineQuery, found: list[tuple[Segment, Move, int]]) -> list[TimelineEvent]:
    words = CauseWords([move for _, move, _ in found], query.user, query.record_type)
    return [
        TimelineEvent(
            at=move.at,
            kind=TimelineKind.SEGMENT,
            pk=pk,
            title="Entered segment" if move.entered else "Left segment",
            icon="chart-pie",
            about=segment.name,
            url=segment.get_absolute_url(),
            text=words.of(move),
        )
        for segment, move, pk in found
    ]


def _concerns(query: TimelineQuery) -> bool:
    """Tell whether segments hold such records; one person's events on an account's page are none of the account."""
    return is_member_type(query.record_type) and query.contact_id is None


_KINDS = frozenset({str(TimelineKind.SEGMENT)})
SOURCES = (
    TimelineSource("segment_moves", _KINDS, _kept),
    TimelineSource("segment_great_runs", _KINDS, _cut),
)
