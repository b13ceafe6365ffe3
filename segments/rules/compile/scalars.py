"""Single values compared: every operator over an expression of a type, TRUE or FALSE, never NULL (RULES §4, §5.1)."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.db.models import DecimalField, Q, Value
from django.db.models.lookups import (
    Exact,
    GreaterThan,
    GreaterThanOrEqual,
    In,
    IsNull,
    LessThan,
    LessThanOrEqual,
)

from segments.rules.operators import BY_TYPE, HISTORY, MOMENTS, NUMBERS

from ..clock import Clock
from . import dates, texts
from .trees import descendants

COMPARE = {
    "gt": GreaterThan,
    "gte": GreaterThanOrEqual,
    "lt": LessThan,
    "lte": LessThanOrEqual,
    "eq": Exact,
}
BLANK_IS_EMPTY = frozenset({"text", "enum"})


def positive_of(type_name: str, operator: str) -> tuple[str, bool]:
    """Return the positive twin of an operator, and whether the operator is NOT of it."""
    found = BY_TYPE[type_name].get(operator) or HISTORY[operator]
    return found.positive, found.negative


def is_set(type_name: str, expression: Any) -> Q:
    """Return the test that there is a value; a blank text is none (folded texts are trimmed)."""
    found = Q(IsNull(expression, False))
    return found & ~Q(Exact(expression, Value(""))) if type_name in BLANK_IS_EMPTY else found


def positive(type_name: str, expression: Any, operator: str, value: Any, clock: Clock, target: str = "") -> Q:
    """Return the test of a positive operator: FALSE where the value is empty.

    The expression is a column or a subquery's figure of that type. Ranking, history and multi operators are not
    single values: they are compiled elsewhere.
    """
    there = is_set(type_name, expression)
    if operator == "is_set":
        return there
    if type_name == "text":
        return there & texts.positive(expression, operator, value)
    if type_name in NUMBERS:
        return there & number(expression, operator, value)
    if type_name in MOMENTS:
        return there & dates.positive(type_name, expression, operator, value, clock)
    if type_name == "boolean":
        return there & Q(Exact(expression, operator == "is_true"))
    if operator == "under":
        return there & Q(In(expression, descendants(target, listed(value))))
    return there & one_of(expression, listed(value))


def listed(value: Any) -> tuple[Any, ...]:
    """Return the operand as a tuple: one value or several."""
    return tuple(value) if isinstance(value, list | tuple | set | frozenset) else (value,)


def one_of(expression: Any, values: Iterable[Any]) -> Q:
    """Return the test that the expression equals one of the values."""
    wanted = list(values)
    if len(wanted) == 1:
        return Q(Exact(expression, Value(wanted[0])))
    return Q(In(expression, wanted))


# --- numbers ---
def exact_number(value: int | Decimal) -> Value:
    """Return the number as a parameter that neither database rounds."""
    if isinstance(value, Decimal):
        places = max(0, -int(value.as_tuple().exponent))  # type: ignore[arg-type]
        return Value(value, output_field=DecimalField(max_digits=60, decimal_places=max(places, 1)))
    return Value(value)


def number(expression: Any, operator: str, value: Any) -> Q:
    """Return the comparison of a number; NULL stays to be guarded by the caller."""
    if operator == "between":
        low, high = value
        return Q(GreaterThanOrEqual(expression, exact_number(low))) & Q(LessThanOrEqual(expression, exact_number(high)))
    return Q(COMPARE[operator](expression, exact_number(value)))


def holds(operator: str, figure: int | Decimal, value: Any) -> bool:
    """Tell whether a known figure meets a positive number test."""
    if operator == "between":
        return bool(value[0] <= figure <= value[1])
    tests = {
        "gt": figure > value,
        "gte": figure >= value,
        "lt": figure < value,
        "lte": figure <= value,
        "eq": figure == value,
    }
    return bool(tests[operator])
