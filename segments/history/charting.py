"""The size of a segment over time with its entries and exits, by day, week or month."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, Sum
from django.db.models.functions import TruncDay, TruncMonth, TruncWeek
from pyroaring import BitMap

from ..models import Segment
from ..rules.clock import Clock, shift
from .folding import begins_at, members_at

# How far back each unit looks, and what one bar is called.
UNITS: dict[str, int] = {"day": 60, "week": 52, "month": 24}
_TRUNCATED: dict[str, Any] = {"day": TruncDay, "week": TruncWeek, "month": TruncMonth}
_CHUNK = 500


@dataclass(frozen=True)
class Bar:
    """One day, week or month: its first and last day, the size at its end, who entered and left in it.

    Whoever entered and left within the time counts in both.
    """

    first: date
    last: date
    size: int
    entered: int
    left: int


def size_series(segment: Segment, unit: str, clock: Clock, visible: BitMap | None = None) -> list[Bar]:
    """Return the bars up to the clock's day, none before the history begins.

    visible: the records counted, None for all. Costs 3 queries; for those who see a part the runs' bitmaps are read.
    """
    first_run = begins_at(segment)
    if first_run is None:
        return []
    starts = _starts(unit, clock, clock.day_of(first_run))
    window = clock.start_of(starts[0])
    assert window is not None  # no run lies before the year 1
    counted = _all_moves if visible is None else _visible_moves
    size, moves = counted(segment, unit, clock, window, visible)
    bars = []
    for position, start in enumerate(starts):
        entered, left = moves.get(start, (0, 0))
        size += entered - left
        following = starts[position + 1] if position + 1 < len(starts) else shift(clock.today, 1, "day")
        bars.append(Bar(start, following - timedelta(days=1), size, entered, left))
    return bars


def start_of_unit(day: date, unit: str) -> date:
    """Return the first day of the day, week (Monday) or month."""
    if unit == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if unit == "month" else day


def _starts(unit: str, clock: Clock, earliest: date) -> list[date]:
    current = start_of_unit(clock.today, unit)
    # One bar before the first run, so that the beginning is seen to rise from nothing.
    floor = shift(start_of_unit(earliest, unit), -1, unit)
    starts = [shift(current, -back, unit) for back in range(UNITS[unit] - 1, -1, -1)]
    return [start for start in starts if start >= floor] or [current]


def _all_moves(
    segment: Segment, unit: str, clock: Clock, window: datetime, visible: BitMap | None
) -> tuple[int, dict[date, tuple[int, int]]]:
    runs = segment.runs.filter(error="", as_of__lte=clock.as_of).order_by()
    before = runs.filter(as_of__lt=window).aggregate(entered=Sum("entered_count"), left=Sum("left_count"))
    grouped = (
        runs.filter(as_of__gte=window)
        .annotate(start=_TRUNCATED[unit]("as_of", tzinfo=clock.zone))
        .values("start")
        .annotate(entered=Sum("entered_count"), left=Sum("left_count"), runs=Count("pk"))
    )
    moves = {row["start"].date(): (row["entered"], row["left"]) for row in grouped}
    return (before["entered"] or 0) - (before["left"] or 0), moves


def _visible_moves(
    segment: Segment, unit: str, clock: Clock, window: datetime, visible: BitMap | None
) -> tuple[int, dict[date, tuple[int, int]]]:
    assert visible is not None
    runs = segment.runs.filter(error="", as_of__gte=window, as_of__lte=clock.as_of).order_by("pk")
    moves: dict[date, tuple[int, int]] = {}
    for as_of, came, went in runs.values_list("as_of", "entered", "left").iterator(chunk_size=_CHUNK):
        start = start_of_unit(clock.day_of(as_of), unit)
        entered = len(BitMap.deserialize(bytes(came)) & visible)
        left = len(BitMap.deserialize(bytes(went)) & visible)
        earlier = moves.get(start, (0, 0))
        moves[start] = (earlier[0] + entered, earlier[1] + left)
    members = members_at(segment, window - timedelta(microseconds=1)) or BitMap()
    return len(members & visible), moves


# --- the drawing ---
WIDTH, HEIGHT, MOVES_HEIGHT = 960, 150, 70


@dataclass(frozen=True)
class Column:
    """One bar as drawn: places and heights in units of the drawing, as text."""

    bar: Bar
    x: str
    width: str
    y: str
    height: str
    up_y: str
    up: str
    down: str


@dataclass(frozen=True)
class Chart:
    """The drawing: columns, the largest size and the largest number of moves in one bar."""

    columns: Sequence[Column]
    most: int
    most_moves: int
    middle: str


def drawn(bars: Sequence[Bar]) -> Chart:
    """Return places and heights of the columns: the size above, entries up and exits down below."""
    most = max((bar.size for bar in bars), default=0)
    most_moves = max((max(bar.entered, bar.left) for bar in bars), default=0)
    step, middle = WIDTH / max(len(bars), 1), MOVES_HEIGHT / 2
    columns = []
    for position, bar in enumerate(bars):
        height = HEIGHT * bar.size / most if most else 0
        up = (middle - 2) * bar.entered / most_moves if most_moves else 0
        down = (middle - 2) * bar.left / most_moves if most_moves else 0
        columns.append(
            Column(
                bar,
                _text(position * step + step * 0.12),
                _text(step * 0.76),
                _text(HEIGHT - height),
                _text(height),
                _text(middle - up),
                _text(up),
                _text(down),
            )
        )
    return Chart(columns, most, most_moves, _text(middle))


def _text(number: float) -> str:
    """Return a number for an attribute: never in the locale's own way."""
    return f"{number:.2f}"
