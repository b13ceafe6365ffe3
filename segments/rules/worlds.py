"""The worlds of an unknown: its domain cut where a condition's answer changes, one value for each class (DESIGN §4).

Numbers and dates are cut at the constants and just beside them, choices and references at the values named plus
"another one", texts at their constants joined in every way, multi fields at the sets of values named. Classes in which
every condition answers the same are one. Where the classes would be too many, the answers are unknown (None).
"""

import datetime as dt
from calendar import monthrange
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations, pairwise, permutations
from typing import Any

from django.db.models import DecimalField

from accounts.choices import EmployeeBand, RevenueBand
from accounts.services.bands import EMPLOYEE_LIMITS, REVENUE_LIMITS
from segmentation_crm.common.fields import FieldDef
from segmentation_crm.common.folding import fold

from .clock import Clock, Moments, YearDays
from .compile import dates, scalars
from .judging import Judge, Verdict
from .nodes import Condition, CountTest
from .operators import MOMENTS, NUMBERS, RANKING
from .unknowns import BANDS, Unknown, column_of, followed, limits

Truths = tuple[Verdict, ...]
OTHER_ID = 0  # no row has it: some other record or word than those named
OTHER_TEXT = "☃"
MOST_TEXTS = 3
MOST_VALUES = 6
TICK = dt.timedelta(microseconds=1)
DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class World:
    """One class of values: `truths` answer the unknown's conditions, in order. filled: the field has a value.

    value: a value of the class; OTHER_ID or OTHER_TEXT stand for one that the rule does not name.
    """

    truths: Truths
    filled: bool
    value: Any = None


def worlds_of(unknown: Unknown, judge: Judge, band: str = "") -> list[World]:
    """Return the worlds of an unknown whose field is empty now, "stays empty" first (a query for each tree named).

    band: the stored band that bounds the figure.
    """
    found = [World(_truths(unknown, judge, None, band), False)]
    if not band and unknown.asks_band:
        for token in _bands(unknown.field):
            found.append(World(_truths(unknown, judge, None, token), False))
    for value in values_of(unknown, judge):
        if (
            band
            and unknown.band is not None
            and followed(unknown.band.field, unknown.field, value, "", judge.clock) != band
        ):
            continue
        found.append(World(_truths(unknown, judge, value, ""), True, value))
    return _distinct(found)


def _distinct(found: Iterable[World]) -> list[World]:
    return list({(world.truths, world.filled): world for world in reversed(list(found))}.values())[::-1]


def _truths(unknown: Unknown, judge: Judge, value: Any, band: str) -> Truths:
    answers = []
    for condition in unknown.conditions:
        if value is UNKNOWN:
            answers.append(None if condition.operator not in ("is_set", "is_empty") else condition.operator == "is_set")
            continue
        held = followed(condition.ref.field, unknown.field, value, band, judge.clock)
        answers.append(judge.holds(condition, held))
    return tuple(answers)


class _Unknown:
    """Stands for a value of which nothing is known but that there is one."""

    def __repr__(self) -> str:
        return "a value"


UNKNOWN: Any = _Unknown()


def _bands(definition: FieldDef) -> list[str]:
    bands: Any = EmployeeBand if definition.key == "account.employee_count" else RevenueBand
    return [str(value) for value in bands.values if value]


def values_of(unknown: Unknown, judge: Judge) -> list[Any]:
    """Return values that stand for all classes of the field's domain, none empty (a query for each tree named)."""
    kind = unknown.field.type
    if kind in NUMBERS:
        return _numbers(unknown, judge.clock)
    if kind in MOMENTS:
        return _moments(unknown, judge.clock) if kind == "datetime" else _days(unknown, judge.clock)
    if kind == "boolean":
        return [True, False]
    if kind == "text":
        return _texts(unknown.conditions)
    if kind == "multi":
        return _sets(unknown)
    return _choices(unknown, judge)


# --- numbers ---
def _numbers(unknown: Unknown, clock: Clock) -> list[Any]:
    constants: set[Any] = set()
    for condition in unknown.conditions:
        if condition.ref.field.key == unknown.field.key:
            if condition.value is not None and condition.operator not in RANKING:
                constants |= set(scalars.listed(condition.value))
        elif condition.ref.field.key == "account.age_years" and condition.value is not None:
            constants |= {clock.today.year - age for age in scalars.listed(condition.value)}
        elif condition.ref.field.key == "account.size_class":
            constants |= {limit for _, limit in clock.size_limits}
    if unknown.field.key in BANDS:
        steps: Any = EMPLOYEE_LIMITS if unknown.field.key == "account.employee_count" else REVENUE_LIMITS
        constants |= {0, *(limit for limit, _ in steps)}
    low, high = limits(unknown.field)
    if unknown.field.type == "integer":
        whole = {int(c) for c in constants} | {-int(-c // 1) for c in constants}
        candidates: set[Any] = {c + step for c in whole for step in (-1, 0, 1)} or {0 if low is None else max(low, 0)}
    else:
        candidates = _decimals(sorted({Decimal(c) for c in constants}), _places(unknown.field))
    candidates |= {one for one in (low, high) if one is not None and abs(one) < 10**12}
    return sorted(c for c in candidates if (low is None or c >= low) and (high is None or c <= high))


def _places(definition: FieldDef) -> int:
    column = column_of(definition)
    return column.decimal_places if isinstance(column, DecimalField) else 4


def _decimals(constants: list[Decimal], places: int) -> set[Any]:
    """Return the constants that a column of so many places can hold, and what lies between and around them."""
    if not constants:
        return {Decimal(1)}
    step = Decimal(1).scaleb(-places)
    found = {c for c in constants if c == c.quantize(step)}
    found |= {constants[0].quantize(Decimal(1)) - 1, constants[-1].quantize(Decimal(1)) + 1}
    for first, second in pairwise(constants):
        middle = ((first + second) / 2).quantize(step)
        found |= {middle} if first < middle < second else set()
    return found


# --- dates and moments ---
def _days(unknown: Unknown, clock: Clock) -> list[dt.date]:
    """Return the days at and beside every bound, and where yearly windows open and close near them."""
    cuts: set[dt.date] = {clock.today}
    yearly: list[YearDays] = []
    for condition in unknown.conditions:
        operator, _ = scalars.positive_of("date", condition.operator)
        if operator == "anniversary_in_next":
            yearly += clock.anniversaries(condition.value)
        elif condition.value is not None:
            bounds = dates.days(operator, condition.value, clock)
            cuts |= {day for day in (bounds.first, bounds.last) if day is not None}
    cuts |= {dt.date(due.year, 1, 1) for due in yearly}
    last = dt.date.max.toordinal()
    near = {day.toordinal() + step for day in {*cuts, *_turns(cuts, yearly)} for step in (-1, 0, 1)}
    return [dt.date.fromordinal(n) for n in sorted(near) if 1 <= n <= last]


def _turns(cuts: Iterable[dt.date], yearly: Iterable[YearDays]) -> Iterator[dt.date]:
    """Yield the days at which yearly windows open and close in the years around each cut, a leap year among them."""
    edges = {edge for due in yearly for edge in (due.first, due.last)}
    if edges:
        years = {year for cut in cuts for year in range(cut.year - 4, cut.year + 5) if 1 <= year <= 9999}
        for year in years:
            for edge in {*edges, 228}:
                month, day = divmod(edge, 100)
                yield dt.date(year, month, min(day, monthrange(year, month)[1]))


def _moments(unknown: Unknown, clock: Clock) -> list[dt.datetime]:
    cuts: set[dt.datetime] = {clock.as_of}
    yearly: list[YearDays] = []
    for condition in unknown.conditions:
        operator, _ = scalars.positive_of("datetime", condition.operator)
        if operator == "anniversary_in_next":
            yearly += clock.anniversaries(condition.value)
        elif condition.value is not None:
            bounds: Moments = dates.moments(operator, condition.value, clock)
            cuts |= {moment for moment in (bounds.start, bounds.end) if moment is not None}
    found = {cut + step for cut in cuts for step in (-TICK, TICK * 0, TICK) if _inside(cut, step)}
    if yearly:
        days = {clock.day_of(cut) for cut in cuts} | {dt.date(due.year, 1, 1) for due in yearly}
        for day in {*days, *_turns(days, yearly)}:
            start = clock.start_of(day) if 2 <= day.year <= 9997 else None
            if start is not None:
                found |= {start - DAY / 2, start + DAY / 2, start + DAY * 3 / 2}
    return sorted(found)


def _inside(moment: dt.datetime, step: dt.timedelta) -> bool:
    return 2 <= moment.year <= 9997 or step == dt.timedelta(0)


# --- choices, references, trees ---
def _choices(unknown: Unknown, judge: Judge) -> list[Any]:
    """Return one value of every region that the conditions cut out, and one that none of them names."""
    named: list[frozenset[Any]] = []
    for condition in unknown.conditions:
        operator, _ = scalars.positive_of(unknown.field.type, condition.operator)
        if condition.value is None:
            continue
        wanted = scalars.listed(condition.value)
        named.append(judge.below(unknown.field.target, wanted) if operator == "under" else frozenset(wanted))
    regions: dict[tuple[bool, ...], Any] = {}
    for value in sorted(frozenset().union(*named), key=str):
        regions.setdefault(tuple(value in one for one in named), value)
    closed = [choice.value for choice in unknown.field.choices]
    if closed:
        other = next((value for value in closed if not any(value in one for one in named)), None)
        return [*regions.values(), *([other] if other is not None else [])]
    return [*regions.values(), OTHER_TEXT if unknown.field.type == "enum" else OTHER_ID]


# --- texts ---
def _texts(conditions: Iterable[Condition]) -> list[Any]:
    whole: set[str] = set()
    parts: set[str] = set()
    for condition in conditions:
        operator, _ = scalars.positive_of("text", condition.operator)
        if condition.value is None:
            continue
        folded = {fold(str(one)) for one in scalars.listed(condition.value)}
        if operator in ("eq", "in"):
            whole |= folded
        else:
            parts |= folded
    if len(parts) > MOST_TEXTS:
        return [UNKNOWN]
    found = {*whole, *parts, OTHER_TEXT}
    for size in range(1, len(parts) + 1):
        for order in permutations(sorted(parts), size):
            for glue in ("", " ", OTHER_TEXT):
                joined = glue.join(order)
                found |= {joined, OTHER_TEXT + joined, joined + OTHER_TEXT, OTHER_TEXT + joined + OTHER_TEXT}
                found |= {f"{OTHER_TEXT} {joined}", f"{joined} {OTHER_TEXT}", f"{OTHER_TEXT} {joined} {OTHER_TEXT}"}
    return sorted(text.strip() for text in found if text.strip())


# --- multi fields ---
def _sets(unknown: Unknown) -> list[Any]:
    """Return the sets of the values named, with as many others as the counts ask about."""
    named: set[Any] = set()
    most = 1
    for condition in unknown.conditions:
        if isinstance(condition.value, CountTest):
            most = max(most, *(int(n) + 1 for n in scalars.listed(condition.value.value)))
        elif condition.value is not None:
            values = scalars.listed(condition.value)
            named |= {fold(one) for one in values} if unknown.field.item == "text" else set(values)
    if len(named) > MOST_VALUES or most > 50:
        return [UNKNOWN]
    others = _others(unknown.field, named, most)
    found = []
    for size in range(len(named) + 1):
        for chosen in combinations(sorted(named, key=str), size):
            found += [frozenset(chosen) | frozenset(others[:more]) for more in range(len(others) + 1)]
    return [one for one in found if one]


def _others(definition: FieldDef, named: set[Any], most: int) -> list[Any]:
    if definition.choices:
        return [choice.value for choice in definition.choices if choice.value not in named][:most]
    if definition.item in ("reference", "tree"):
        return [-number for number in range(1, most + 1)]
    return [f"{OTHER_TEXT}{number}" for number in range(1, most + 1)]


__all__ = ["OTHER_ID", "OTHER_TEXT", "UNKNOWN", "World", "values_of", "worlds_of"]
