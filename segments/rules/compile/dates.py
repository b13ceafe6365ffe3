"""Dates and moments compared with operands, windows, periods and anniversaries (RULES §5.4, §5.5)."""

from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Q
from django.db.models.functions import ExtractDay, ExtractMonth, ExtractYear
from django.db.models.lookups import GreaterThanOrEqual, LessThan, LessThanOrEqual

from ..clock import Clock, Days, Moments
from ..nodes import DateOperand

# The databases keep microseconds, so "after m" is "from m + 1 µs on".
TICK = timedelta(microseconds=1)
NEVER = Days(date.max, date.min)
# The positive operators that ask for one span of time.
BOUNDED = frozenset(
    {"in_last", "in_next", "more_than_ago", "in_period", "between", "on", "before", "after", "on_or_before"}
    | {"on_or_after"}
)


def positive(type_name: str, expression: Any, operator: str, value: Any, clock: Clock) -> Q:
    """Return the test of a positive operator; NULL stays to be guarded by the caller."""
    if operator == "anniversary_in_next":
        return _anniversary(type_name, expression, value, clock)
    if type_name == "date":
        return within_days(expression, days(operator, value, clock))
    return within_moments(expression, moments(operator, value, clock))


def days(operator: str, value: Any, clock: Clock) -> Days:
    """Return the days that a date field must lie in; a datetime operand stands for its local day."""
    match operator:
        case "in_last":
            return clock.last_days(value)
        case "in_next":
            return clock.next_days(value)
        case "more_than_ago":
            return _before(clock.back(value))
        case "in_period":
            return clock.period(value)
        case "between":
            return Days(_day(value[0], clock), _day(value[1], clock))
    day = _day(value, clock)
    match operator:
        case "on":
            return Days(day, day)
        case "before":
            return _before(day)
        case "after":
            return NEVER if day == date.max else Days(first=day + timedelta(days=1))
        case "on_or_before":
            return Days(last=day)
        case "on_or_after":
            return Days(first=day)
    raise ValueError(f"No date operator {operator}")


def moments(operator: str, value: Any, clock: Clock) -> Moments:
    """Return the moments that a datetime field must lie in; a date operand stands for the whole local day."""
    match operator:
        case "in_last":
            return clock.last_moments(value)
        case "in_next":
            return clock.next_moments(value)
        case "more_than_ago":
            return Moments(end=_bound(clock.start_of(clock.back(value)), clock))
        case "in_period":
            return clock.moments(clock.period(value))
        case "between":
            return Moments(_span(value[0], clock).start, _span(value[1], clock).end)
    span = _span(value, clock)
    match operator:
        case "on":
            return span
        case "before":
            return Moments(end=_bound(span.start, clock))
        case "after":
            return Moments(start=span.end or datetime.max.replace(tzinfo=clock.as_of.tzinfo))
        case "on_or_before":
            return Moments(end=span.end)
        case "on_or_after":
            return Moments(start=span.start)
    raise ValueError(f"No datetime operator {operator}")


def within_days(expression: Any, bounds: Days) -> Q:
    """Return the test that a date lies in the days."""
    found = Q()
    if bounds.first:
        found &= Q(GreaterThanOrEqual(expression, bounds.first))
    if bounds.last:
        found &= Q(LessThanOrEqual(expression, bounds.last))
    return found


def within_moments(expression: Any, bounds: Moments) -> Q:
    """Return the test that a moment lies in the bounds, the end excluded."""
    found = Q()
    if bounds.start:
        found &= Q(GreaterThanOrEqual(expression, bounds.start))
    if bounds.end:
        found &= Q(LessThan(expression, bounds.end))
    return found


def _before(day: date) -> Days:
    return NEVER if day == date.min else Days(last=day - timedelta(days=1))


def _day(value: DateOperand, clock: Clock) -> date:
    found = clock.operand(value)
    return clock.day_of(found) if isinstance(found, datetime) else found


def _span(value: DateOperand, clock: Clock) -> Moments:
    found = clock.operand(value)
    if isinstance(found, datetime):
        return Moments(found, found + TICK)
    return clock.moments(Days(found, found))


def _bound(moment: datetime | None, clock: Clock) -> datetime:
    """Return the moment, or one that lies before everything where it is unbounded to the left."""
    return moment or datetime.min.replace(tzinfo=clock.as_of.tzinfo)


def _anniversary(type_name: str, expression: Any, value: Any, clock: Clock) -> Q:
    zone = clock.zone if type_name == "datetime" else None
    day_of_year = ExtractMonth(expression, tzinfo=zone) * 100 + ExtractDay(expression, tzinfo=zone)
    found = Q()
    for due in clock.anniversaries(value):
        found |= (
            Q(GreaterThanOrEqual(day_of_year, due.first))
            & Q(LessThanOrEqual(day_of_year, due.last))
            & Q(LessThan(ExtractYear(expression, tzinfo=zone), due.year))
        )
    return found
