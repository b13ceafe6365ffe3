"""Dates in the oracle: everything is turned into local days and compared as such."""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from segments.rules.nodes import DateOperand, Duration


def days_in_month(year: int, month: int) -> int:
    """Return the length of a month."""
    if month == 2:
        return 29 if is_leap(year) else 28
    return 30 if month in (4, 6, 9, 11) else 31


def is_leap(year: int) -> bool:
    """Tell whether the year has a 29 February."""
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def move(day: dt.date, n: int, unit: str) -> dt.date:
    """Return the day n units later, month ends clamped."""
    if unit == "day":
        return day + dt.timedelta(days=n)
    if unit == "week":
        return day + dt.timedelta(days=7 * n)
    count = n * {"month": 1, "quarter": 3, "year": 12}[unit]
    year, month = day.year, day.month
    while count > 0:
        year, month, count = (year + 1, 1, count - 1) if month == 12 else (year, month + 1, count - 1)
    while count < 0:
        year, month, count = (year - 1, 12, count + 1) if month == 1 else (year, month - 1, count + 1)
    return dt.date(year, month, min(day.day, days_in_month(year, month)))


class Calendar:
    """The organisation's calendar at one moment."""

    def __init__(self, as_of: dt.datetime, zone: ZoneInfo, fiscal_month: int) -> None:
        self.as_of = as_of
        self.zone = zone
        self.fiscal_month = fiscal_month
        self.today = as_of.astimezone(zone).date()

    def local_day(self, value: dt.datetime) -> dt.date:
        """Return the local day of a moment."""
        if value.tzinfo is None:
            value = value.replace(tzinfo=self.zone)
        return value.astimezone(self.zone).date()

    def exists(self, event: Any) -> bool:
        """Tell whether an event of this time is there at as_of; a date counts as its local midnight."""
        if event is None:
            return True
        if not isinstance(event, dt.datetime):
            event = dt.datetime(event.year, event.month, event.day, tzinfo=self.zone)
        return event < self.as_of

    def operand(self, operand: DateOperand) -> Any:
        """Return a day, or a moment where one was written."""
        if operand.datetime is not None:
            return operand.datetime if operand.datetime.tzinfo else operand.datetime.replace(tzinfo=self.zone)
        if operand.date is not None:
            return operand.date
        if operand.ago is not None:
            return move(self.today, -operand.ago.n, operand.ago.unit)
        if operand.ahead is not None:
            return move(self.today, operand.ahead.n, operand.ahead.unit)
        return self.today

    def compare(self, value: Any, operand: DateOperand) -> int:
        """Return -1, 0, 1: a moment with a moment as they are, everything else as local days."""
        other = self.operand(operand)
        if isinstance(value, dt.datetime) and isinstance(other, dt.datetime):
            left, right = value, other
        else:
            left = self.local_day(value) if isinstance(value, dt.datetime) else value
            right = self.local_day(other) if isinstance(other, dt.datetime) else other
        return (left > right) - (left < right)

    def period_number(self, day: dt.date, unit: str) -> int:
        """Return a number that all days of one period share, one higher for each next period."""
        if unit == "day":
            return day.toordinal()
        if unit == "week":
            return (day.toordinal() - 1) // 7  # 1 January of the year 1 was a Monday
        months = day.year * 12 + day.month - 1
        if unit.startswith("fiscal_"):
            months -= self.fiscal_month - 1
        return months // {"month": 1, "quarter": 3, "year": 12}[unit.removeprefix("fiscal_")]

    def in_period(self, value: Any, period: str) -> bool:
        """Tell whether a date or moment lies in a named period."""
        day = self.local_day(value) if isinstance(value, dt.datetime) else value
        period = {"today": "this_day", "yesterday": "last_day"}.get(period, period)
        which, unit = period.split("_", 1)
        return self.period_number(day, unit) == self.period_number(self.today, unit) - (which == "last")

    def holds(self, value: Any, operator: str, operand: Any) -> bool:
        """Tell whether a date or moment meets a positive operator."""
        is_moment = isinstance(value, dt.datetime)
        day = self.local_day(value) if is_moment else value
        if operator == "in_last":
            start = move(self.today, -operand.n, operand.unit)
            return start <= day and (value < self.as_of if is_moment else day <= self.today)
        if operator == "in_next":
            end = move(self.today, operand.n, operand.unit)
            return day <= end and (value >= self.as_of if is_moment else day >= self.today)
        if operator == "more_than_ago":
            return day < move(self.today, -operand.n, operand.unit)
        if operator == "in_period":
            return self.in_period(value, operand)
        if operator == "anniversary_in_next":
            return self.anniversary(day, operand)
        if operator == "between":
            return self.compare(value, operand[0]) >= 0 and self.compare(value, operand[1]) <= 0
        order = self.compare(value, operand)
        return {
            "on": order == 0,
            "before": order < 0,
            "after": order > 0,
            "on_or_before": order <= 0,
            "on_or_after": order >= 0,
        }[operator]

    def anniversary(self, day: dt.date, duration: Duration) -> bool:
        """Tell whether a yearly return of the day falls into the window that in_next has."""
        last = move(self.today, duration.n, duration.unit)
        for year in range(max(self.today.year, day.year + 1), last.year + 1):
            month, number = day.month, day.day
            if (month, number) == (2, 29) and not is_leap(year):
                number = 28
            if self.today <= dt.date(year, month, number) <= last:
                return True
        return False
