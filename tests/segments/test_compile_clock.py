"""The clock: local days, windows, month ends, weeks, fiscal years, anniversaries, the ends of the calendar."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from segments.rules.clock import Clock, Days, Moments, shift
from segments.rules.compile import aggregates, dates
from segments.rules.nodes import DateOperand, Duration

BERLIN = ZoneInfo("Europe/Berlin")


def clock(text: str, zone: str = "Europe/Berlin", fiscal_month: int = 1) -> Clock:
    return Clock(dt.datetime.fromisoformat(text).astimezone(dt.UTC), ZoneInfo(zone), fiscal_month)


@pytest.mark.parametrize(
    ("day", "n", "unit", "expected"),
    [
        ("2024-03-31", -1, "month", "2024-02-29"),
        ("2023-03-31", -1, "month", "2023-02-28"),
        ("2024-02-29", -1, "year", "2023-02-28"),
        ("2024-11-30", 1, "quarter", "2025-02-28"),
        ("2024-01-01", -1, "week", "2023-12-25"),
        ("2024-01-15", -100, "year", "1924-01-15"),
        ("0001-01-15", -36500, "day", "0001-01-01"),
        ("9999-12-15", 100, "year", "9999-12-31"),
        ("0001-03-01", -1, "quarter", "0001-01-01"),
    ],
)
def test_units_are_clamped(day: str, n: int, unit: str, expected: str) -> None:
    assert shift(dt.date.fromisoformat(day), n, unit) == dt.date.fromisoformat(expected)


def test_windows_run_from_local_midnight() -> None:
    at = clock("2026-03-31T15:00:00+02:00")
    window = at.last_moments(Duration(1, "month"))
    # 28 February, when Berlin was still one hour from UTC.
    assert window == Moments(dt.datetime(2026, 2, 27, 23, tzinfo=dt.UTC), at.as_of)
    assert at.last_days(Duration(1, "month")) == Days(dt.date(2026, 2, 28), dt.date(2026, 3, 31))
    ahead = at.next_moments(Duration(1, "day"))
    assert ahead == Moments(at.as_of, dt.datetime(2026, 4, 1, 22, tzinfo=dt.UTC))


def test_a_day_begins_even_where_midnight_does_not_exist() -> None:
    at = clock("2023-10-15T12:00:00-03:00", "America/Asuncion")
    midnight = at.start_of(dt.date(2023, 10, 1))
    assert midnight == dt.datetime(2023, 10, 1, 4, tzinfo=dt.UTC)
    assert at.day_of(midnight) == dt.date(2023, 10, 1)
    assert at.day_of(midnight - dt.timedelta(microseconds=1)) == dt.date(2023, 9, 30)


@pytest.mark.parametrize(
    ("period", "first", "last"),
    [
        ("today", "2026-01-04", "2026-01-04"),
        ("yesterday", "2026-01-03", "2026-01-03"),
        ("this_week", "2025-12-29", "2026-01-04"),
        ("last_week", "2025-12-22", "2025-12-28"),
        ("this_month", "2026-01-01", "2026-01-31"),
        ("last_month", "2025-12-01", "2025-12-31"),
        ("this_quarter", "2026-01-01", "2026-03-31"),
        ("last_quarter", "2025-10-01", "2025-12-31"),
        ("last_year", "2025-01-01", "2025-12-31"),
        ("this_fiscal_quarter", "2025-12-01", "2026-02-28"),
        ("last_fiscal_quarter", "2025-09-01", "2025-11-30"),
        ("this_fiscal_year", "2025-03-01", "2026-02-28"),
        ("last_fiscal_year", "2024-03-01", "2025-02-28"),
    ],
)
def test_periods(period: str, first: str, last: str) -> None:
    """A Sunday in January; the fiscal year begins in March."""
    found = clock("2026-01-04T12:00:00+01:00", fiscal_month=3).period(period)
    assert found == Days(dt.date.fromisoformat(first), dt.date.fromisoformat(last))


def test_a_bare_date_is_the_end_of_that_local_day() -> None:
    at = clock("2026-03-31T15:00:00+02:00")
    last = at.last_moment(dt.date(2026, 3, 31))
    assert last == dt.datetime(2026, 3, 31, 21, 59, 59, 999999, tzinfo=dt.UTC)
    assert at.day_of(last) == dt.date(2026, 3, 31)


def test_a_date_operand_is_the_whole_local_day() -> None:
    at = clock("2026-03-31T15:00:00+02:00")
    day = DateOperand(date=dt.date(2026, 3, 29))
    start, end = dt.datetime(2026, 3, 28, 23, tzinfo=dt.UTC), dt.datetime(2026, 3, 29, 22, tzinfo=dt.UTC)
    assert dates.moments("on", day, at) == Moments(start, end)
    assert dates.moments("before", day, at) == Moments(None, start)
    assert dates.moments("after", day, at) == Moments(end, None)
    assert dates.moments("between", (day, day), at) == Moments(start, end)
    moment = DateOperand(datetime=dt.datetime(2026, 3, 29, 12))
    assert dates.days("on", moment, at) == Days(dt.date(2026, 3, 29), dt.date(2026, 3, 29))


def test_the_ends_of_the_calendar_raise_nothing() -> None:
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
        at = clock("2026-03-31T15:00:00+02:00", zone)
        for day in (dt.date.min, dt.date.max):
            for operator in ("on", "before", "after", "on_or_before", "on_or_after"):
                dates.moments(operator, DateOperand(date=day), at)
                dates.days(operator, DateOperand(date=day), at)


def test_anniversaries_of_29_february() -> None:
    found = clock("2026-02-20T12:00:00+01:00").anniversaries(Duration(8, "day"))
    assert [(e.year, e.first, e.last) for e in found] == [(2026, 220, 229)]
    leap = clock("2028-02-20T12:00:00+01:00").anniversaries(Duration(8, "day"))
    assert [(e.year, e.first, e.last) for e in leap] == [(2028, 220, 228)]
    long = clock("2026-12-20T12:00:00+01:00").anniversaries(Duration(3, "year"))
    assert [(e.year, e.first, e.last) for e in long] == [(2026, 1220, 1231), (2028, 101, 1231), (2029, 101, 1220)]


def test_days_ago_beyond_the_calendar() -> None:
    at = clock("2026-03-31T15:00:00+02:00")
    assert aggregates.days_ago("gte", 10**9, at) == dates.NEVER
    assert aggregates.days_ago("lte", 10**9, at) == Days()
    assert aggregates.days_ago("eq", 1, at) == Days(dt.date(2026, 3, 30), dt.date(2026, 3, 30))
    assert aggregates.days_ago("between", (1, 3), at) == Days(dt.date(2026, 3, 28), dt.date(2026, 3, 30))
