"""Cleaning the values of conditions, one function a kind; wrong ones raise `Problem` with words that say what is right.

References and trees are resolved elsewhere (`references`), because they need the database.
"""

import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from segmentation_crm.common.fields import FieldDef

from .nodes import DateOperand, Duration
from .operators import MOST_UNITS, PERIODS, UNITS
from .parse import printable, text_problem

MAX_TEXT = 1_000
MAX_LIST = 1_000
MAX_INTEGER = 2**63 - 1
MAX_DIGITS = 15
MAX_DECIMALS = 10
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}\Z", re.ASCII)
_MOMENT = re.compile(r"(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)(Z|[+-]\d{2}:\d{2})?\Z", re.ASCII)


class Problem(Exception):
    """What is wrong with a value; `at` leads from the value to the place inside it."""

    def __init__(self, code: str, message: str, at: tuple[str | int, ...] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.at = at


def kind_of(value: Any) -> str:
    """Return the JSON word for a value, for messages."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal):
        return f"the number {printable(str(value), 20)}"
    if isinstance(value, str):
        return f'the text "{printable(value, 40)}"'
    return "a list" if isinstance(value, list) else "an object"


def clean_text(value: Any) -> str:
    """Return a text of 1 to 1,000 characters, as typed."""
    if not isinstance(value, str):
        raise Problem("wrong_type", f"Expected a text, not {kind_of(value)}.")
    if problem := text_problem(value):
        raise Problem("bad_text", problem)
    if len(value) > MAX_TEXT:
        raise Problem("too_long", f"The text has {len(value):,} characters; {MAX_TEXT:,} are allowed.")
    if not value.strip():
        raise Problem("blank", 'The text is blank; use "is unknown" (is_empty) to find empty values.')
    return value


def token_cleaner(field: FieldDef) -> Callable[[Any], str]:
    """Return the function that cleans tokens of the field's closed list, or short texts where the list is open."""
    tokens = frozenset(choice.value for choice in field.choices)

    def clean_token(value: Any) -> str:
        if not isinstance(value, str):
            hint = f' Write "{value}".' if isinstance(value, int) and str(value) in tokens else ""
            raise Problem("wrong_type", f"Expected a choice of the field as a text, not {kind_of(value)}.{hint}")
        token = clean_text(value)
        if tokens and token not in tokens:
            some = ", ".join(choice.value for choice in field.choices[:15])
            more = ", …" if len(field.choices) > 15 else ""
            raise Problem("unknown_choice", f'"{printable(token, 40)}" is not a choice of this field: {some}{more}.')
        return token

    return clean_token


def clean_number(value: Any) -> Decimal:
    """Return a finite number of at most 15 digits, 10 of them decimals, or an integer of 64 bits."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise Problem("wrong_type", f"Expected a number, not {kind_of(value)}.")
    if isinstance(value, float) and not math.isfinite(value):
        raise Problem("bad_number", "Expected a finite number.")
    if isinstance(value, int) and abs(value) > MAX_INTEGER:
        raise Problem("out_of_range", "The number is too large.")
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if not number.is_finite():
        raise Problem("bad_number", "Expected a finite number.")
    if number.is_zero():
        if number.is_signed():
            raise Problem("bad_number", "Write 0, not -0.")
        return Decimal(0)
    if number.adjusted() > 18 or abs(number) > MAX_INTEGER:
        raise Problem("out_of_range", "The number is too large.")
    if number.adjusted() < -MAX_DECIMALS:
        raise Problem("out_of_range", f"The number is too small; {MAX_DECIMALS} decimals are kept.")
    number = number.normalize() if len(number.as_tuple().digits) <= 28 else +number
    exponent = int(number.as_tuple().exponent)
    if exponent < 0 and (-exponent > MAX_DECIMALS or len(number.as_tuple().digits) > MAX_DIGITS):
        raise Problem(
            "out_of_range", f"Use at most {MAX_DIGITS} digits, {MAX_DECIMALS} of them after the decimal point."
        )
    return Decimal(int(number)) if exponent >= 0 else number


def clean_integer(value: Any) -> int:
    """Return a whole number; 1200.0 counts, "1200" does not."""
    number = clean_number(value)
    if number != number.to_integral_value():
        raise Problem("wrong_type", f"Expected a whole number, not {printable(str(value), 20)}.")
    return int(number)


def clean_share(value: Any) -> Decimal:
    """Return a percentage above 0 and up to 100."""
    number = clean_number(value)
    if not 0 < number <= 100:
        raise Problem("out_of_range", "Expected a number above 0 and up to 100.")
    return number


def clean_duration(value: Any) -> Duration:
    """Return a duration of 1 to 36,500 days or the equal."""
    example = 'a duration such as {"n": 30, "unit": "day"}'
    if not isinstance(value, dict):
        raise Problem("wrong_type", f"Expected {example}, not {kind_of(value)}.")
    exact_keys(value, ("n", "unit"), example)
    unit = value["unit"]
    if not isinstance(unit, str) or unit not in UNITS:
        raise Problem("unknown_choice", f"Expected one of {', '.join(UNITS)}, not {kind_of(unit)}.", ("unit",))
    try:
        n = clean_integer(value["n"])
    except Problem as problem:
        raise Problem(problem.code, problem.message, ("n",)) from None
    if not 1 <= n <= MOST_UNITS[unit]:
        raise Problem("out_of_range", f"Expected 1 to {MOST_UNITS[unit]:,} {unit}s.", ("n",))
    return Duration(n, unit)


def clean_period(value: Any) -> str:
    """Return the name of a period."""
    if not isinstance(value, str) or value not in PERIODS:
        raise Problem("unknown_choice", f"Expected one of {', '.join(PERIODS)}, not {kind_of(value)}.")
    return value


def clean_moment(value: Any) -> DateOperand:
    """Return a date operand: an ISO date or datetime, "today", {"ago": …} or {"ahead": …}."""
    expected = 'Expected a date such as "2026-03-31", "today", {"ago": duration} or {"ahead": duration}'
    if isinstance(value, dict):
        if len(value) != 1 or next(iter(value)) not in ("ago", "ahead"):
            raise Problem("wrong_type", f"{expected}.")
        name = next(iter(value))
        try:
            duration = clean_duration(value[name])
        except Problem as problem:
            raise Problem(problem.code, problem.message, (name, *problem.at)) from None
        return DateOperand(ago=duration) if name == "ago" else DateOperand(ahead=duration)
    if not isinstance(value, str):
        raise Problem("wrong_type", f"{expected}, not {kind_of(value)}.")
    if value == "today":
        return DateOperand(today=True)
    try:
        if _DATE.match(value):
            return DateOperand(date=date.fromisoformat(value))
        if parts := _MOMENT.match(value):
            return DateOperand(datetime=_moment(*parts.groups()))
    except (ValueError, OverflowError):
        raise Problem("bad_date", f'"{printable(value, 40)}" is no day of the calendar (years 1 to 9999).') from None
    raise Problem("bad_date", f"{expected}, not {kind_of(value)}.")


def _moment(day: str, time: str, offset: str | None) -> datetime:
    found = datetime.fromisoformat(f"{day}T{time}{'+00:00' if offset == 'Z' else offset or ''}")
    return found.astimezone(UTC) if offset else found


def clean_range(value: Any, clean: Callable[[Any], Any], *, dates: bool = False) -> tuple[Any, Any]:
    """Return the two ends of a range, the first not above the second."""
    if not isinstance(value, list) or len(value) != 2:
        raise Problem("wrong_type", "Expected two values, the smaller first: [from, to].")
    ends = []
    for index, end in enumerate(value):
        try:
            ends.append(clean(end))
        except Problem as problem:
            raise Problem(problem.code, problem.message, (index, *problem.at)) from None
    first, second = ends
    wrong = _reversed(first, second) if dates else first > second
    if wrong:
        raise Problem("wrong_order", "The first value is above the second; swap them.")
    return first, second


def _reversed(first: DateOperand, second: DateOperand) -> bool:
    """Tell whether the range can hold no day, where that does not depend on the day of asking."""
    if first.datetime and second.datetime and (first.datetime.tzinfo is None) == (second.datetime.tzinfo is None):
        return first.datetime > second.datetime
    days = [o.date or (o.datetime.date() if o.datetime else None) for o in (first, second)]
    if days[0] and days[1]:
        # A zone can move a moment by a day; such a range may still hold something.
        return days[0] > days[1] + timedelta(days=0 if first.date and second.date else 1)
    if days[0] or days[1]:
        return False
    (n, unit), (m, other) = _offset(first), _offset(second)
    if n * m <= 0:
        return n > m
    return unit == other and n > m


def _offset(operand: DateOperand) -> tuple[int, str]:
    if operand.ago:
        return -operand.ago.n, operand.ago.unit
    return (operand.ahead.n, operand.ahead.unit) if operand.ahead else (0, "day")


def clean_list(value: Any) -> list[Any]:
    """Return a list of 1 to 1,000 values, not cleaned yet."""
    if not isinstance(value, list):
        raise Problem("wrong_type", f"Expected a list of values, not {kind_of(value)}.")
    if not value:
        raise Problem("empty_list", "The list is empty; give at least one value.")
    if len(value) > MAX_LIST:
        raise Problem("too_many", f"The list has {len(value):,} values; {MAX_LIST:,} are allowed.")
    return value


def exact_keys(value: dict[str, Any], keys: tuple[str, ...], example: str) -> None:
    """Refuse an object that lacks one of the keys or has another."""
    for key in value:
        if key not in keys:
            raise Problem("extra_key", f'Unknown key "{printable(str(key), 40)}"; expected {example}.')
    for key in keys:
        if key not in value:
            raise Problem("missing", f'"{key}" is missing; expected {example}.')
