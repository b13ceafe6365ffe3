"""Read dates: ISO first, day and month names, and numeric dates whose order is settled once for a column."""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import lru_cache
from zoneinfo import ZoneInfo

from .problems import CellProblem, FileRefused

DMY, MDY, YMD = "dmy", "mdy", "ymd"
_ISO = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*(Z|[+-]\d{2}:?\d{2})?)?$"
)
_TIME = r"(?:[T ,]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d{1,9})?)?\s*([AaPp]\.?[Mm]\.?)?\s*(Z|[+-]\d{2}:?\d{2})?)?$"
_NUMERIC = re.compile(r"(\d{1,4})([./-])(\d{1,2})\2(\d{2,4})" + _TIME)
_DAY_NAME = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?[ .-]+([A-Za-z]{3,9})\.?,?[ -]+(\d{4})" + _TIME)
_NAME_DAY = re.compile(r"([A-Za-z]{3,9})\.? +(\d{1,2})(?:st|nd|rd|th)?,? +(\d{4})" + _TIME)
_MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)


def settle_order(texts: Iterable[str]) -> str:
    """Return "dmy" or "mdy" for a column of numeric dates, "" where it holds none.

    A part above 12 decides. Raises FileRefused where nothing does.
    """
    doubtful = ""
    days_first = months_first = False
    for text in texts:
        found = _NUMERIC.match(text.strip())
        if not found or len(found.group(1)) == 4 or found.group(2) == ".":
            continue
        first, second = int(found.group(1)), int(found.group(3))
        days_first = days_first or first > 12
        months_first = months_first or second > 12
        if first <= 12 and second <= 12 and first != second:
            doubtful = doubtful or text
    if days_first != months_first:
        return DMY if days_first else MDY
    if doubtful and not days_first:
        raise FileRefused(
            f"{doubtful!r} could be day first or month first. Say which (date order dmy or mdy).",
            code="ambiguous_date",
        )
    return ""


@lru_cache(maxsize=65_536)
def read_moment(text: str, order: str, zone: ZoneInfo) -> tuple[date, datetime | None]:
    """Return the day and, where a time is written, the moment; a moment without zone is local.

    Raises CellProblem where the text is no date; a bare year is none.
    """
    text = text.strip()
    found = _ISO.match(text)
    try:
        if found:
            year, month, day = int(found.group(1)), int(found.group(2)), int(found.group(3))
            return _finish(date(year, month, day), found.group(4, 5, 6), None, found.group(8), zone)
        found = _NUMERIC.match(text)
        if found:
            return _numeric(found, order, zone)
        found = _DAY_NAME.match(text)
        if found:
            day_of = date(int(found.group(3)), _month(found.group(2)), int(found.group(1)))
            return _finish(day_of, found.group(4, 5, 6), found.group(7), found.group(8), zone)
        found = _NAME_DAY.match(text)
        if found:
            day_of = date(int(found.group(3)), _month(found.group(1)), int(found.group(2)))
            return _finish(day_of, found.group(4, 5, 6), found.group(7), found.group(8), zone)
    except (ValueError, OverflowError):
        pass
    raise CellProblem("unreadable_date", f"{text!r} is not a date; write it like 2026-03-31.")


def read_date(text: str, order: str, zone: ZoneInfo) -> date:
    """Return the day; of a moment with a zone its local day.

    Raises CellProblem.
    """
    day, moment = read_moment(text, order, zone)
    return moment.astimezone(zone).date() if moment else day


def read_datetime(text: str, order: str, zone: ZoneInfo) -> datetime:
    """Return the moment; of a bare date its local midnight.

    Raises CellProblem.
    """
    day, moment = read_moment(text, order, zone)
    return moment or datetime.combine(day, time(), zone)


def _numeric(found: re.Match[str], order: str, zone: ZoneInfo) -> tuple[date, datetime | None]:
    first, separator, second, third = found.group(1, 2, 3, 4)
    if len(first) == 4:
        if len(third) > 2:
            raise ValueError
        day_of = date(int(first), int(second), int(third))
    else:
        if len(third) == 3:
            raise ValueError
        year = int(third) if len(third) == 4 else 2000 + int(third) - (100 if int(third) >= 70 else 0)
        days_first = separator == "." or order == DMY or (order == "" and int(first) > 12)
        day, month = (int(first), int(second)) if days_first else (int(second), int(first))
        day_of = date(year, month, day)
    return _finish(day_of, found.group(5, 6, 7), found.group(8), found.group(9), zone)


def _finish(
    day: date,
    clock: tuple[str | None, ...],
    half: str | None,
    offset: str | None,
    zone: ZoneInfo,
) -> tuple[date, datetime | None]:
    if clock[0] is None:
        return day, None
    hour, minute, second = (int(part or 0) for part in clock)
    if half:
        if not 1 <= hour <= 12:
            raise ValueError
        hour = hour % 12 + (12 if half.lower().startswith("p") else 0)
    moment = datetime.combine(day, time(hour, minute, second))
    if not offset:
        return day, moment.replace(tzinfo=zone)
    if offset == "Z":
        return day, moment.replace(tzinfo=UTC)
    shift = timedelta(hours=int(offset[1:3]), minutes=int(offset[-2:]))
    return day, moment.replace(tzinfo=timezone(-shift if offset[0] == "-" else shift))


def _month(name: str) -> int:
    name = name.lower()
    for number, month in enumerate(_MONTHS, 1):
        if month == name or (len(name) in (3, 4) and month.startswith(name)):
            return number
    raise ValueError
