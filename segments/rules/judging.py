"""One condition judged on one given value, without the database: what a record would answer if it held that value.

Undecided records and suggested edits ask this. It is bound to the compiler by tests: for every field and operator the
answers over the values that records hold are those of the compiled query.
"""

import datetime as dt
import re
from dataclasses import dataclass, field
from typing import Any

from segmentation_crm.common.fields import FieldDef
from segmentation_crm.common.folding import fold

from .clock import Clock, Days, Moments
from .compile import dates, scalars, texts, trees
from .nodes import Condition, CountTest
from .operators import BY_TYPE, MOMENTS, NUMBERS, RANKING

# What a ranking says of a value depends on everybody else's.
Verdict = bool | None


@dataclass
class Judge:
    """Judges conditions on values at one moment. Nodes of trees are read once for each condition (1 query).

    Values are what the compiler compares: folded text, a token, an id, a number (money in the organisation's
    currency), a date, a moment, a bool, a frozenset for a multi field; None is empty.
    """

    clock: Clock
    _below: dict[tuple[str, tuple[int, ...]], frozenset[int]] = field(default_factory=dict)
    _bounds: dict[tuple[str, str, Any], Any] = field(default_factory=dict)

    def holds(self, node: Condition, value: Any, of: FieldDef | None = None) -> Verdict:
        """Tell whether the condition holds for the value; None where a ranking would have to be computed anew.

        of: the field whose value it is, where that is not the condition's own.
        """
        field_def = of or node.ref.field
        if node.operator in ("is_empty", "is_set"):
            return is_empty(value) == (node.operator == "is_empty")
        operator, negative = scalars.positive_of(field_def.type, node.operator)
        if is_empty(value):
            return negative
        if operator in RANKING:
            return None
        return self._positive(field_def, operator, node.value, value) != negative

    def _positive(self, field_def: FieldDef, operator: str, operand: Any, value: Any) -> bool:
        kind = field_def.type
        if kind == "multi":
            return _several(field_def, operator, operand, value)
        if kind == "text":
            return text_holds(value, operator, operand)
        if kind in NUMBERS:
            return scalars.holds(operator, value, operand)
        if kind in MOMENTS:
            return self._dated(kind, operator, operand, value)
        if kind == "boolean":
            return bool(value) == (operator == "is_true")
        wanted = scalars.listed(operand)
        if operator == "under":
            return value in self.below(field_def.target, wanted)
        return value in wanted

    def below(self, target: str, ids: tuple[int, ...]) -> frozenset[int]:
        """Return the nodes of a tree and all below them (1 query, once)."""
        key = (target, tuple(ids))
        if key not in self._below:
            self._below[key] = frozenset(trees.descendants(target, ids).values_list("pk", flat=True))
        return self._below[key]

    def _dated(self, kind: str, operator: str, operand: Any, value: Any) -> bool:
        bounds = self._bounds_of(kind, operator, operand)
        if operator == "anniversary_in_next":
            day = self.clock.day_of(value) if kind == "datetime" else value
            number = day.month * 100 + day.day
            return any(one.first <= number <= one.last and day.year < one.year for one in bounds)
        return within_days(value, bounds) if kind == "date" else within_moments(value, bounds)

    def _bounds_of(self, kind: str, operator: str, operand: Any) -> Any:
        """Return the bounds of a date condition; asked for every value, so they are kept."""
        key = (kind, operator, operand)
        if key not in self._bounds:
            if operator == "anniversary_in_next":
                self._bounds[key] = self.clock.anniversaries(operand)
            else:
                find = dates.days if kind == "date" else dates.moments
                self._bounds[key] = find(operator, operand, self.clock)
        return self._bounds[key]


def is_empty(value: Any) -> bool:
    """Tell whether a value counts as none: None, no text, no values."""
    return value is None or value == "" or value == frozenset()


def within_days(day: dt.date, bounds: Days) -> bool:
    """Tell whether a date lies in the days."""
    return (bounds.first is None or day >= bounds.first) and (bounds.last is None or day <= bounds.last)


def within_moments(moment: dt.datetime, bounds: Moments) -> bool:
    """Tell whether a moment lies in the bounds, the end excluded."""
    return (not bounds.start or moment >= bounds.start) and (not bounds.end or moment < bounds.end)


def text_holds(value: str, operator: str, operand: Any) -> bool:
    """Tell whether a folded text meets a positive operator."""
    if operator in ("eq", "in"):
        return value in [fold(one) for one in (operand if operator == "in" else (operand,))]
    other = fold(operand)
    if operator == "matches_word":
        return other in value and re.search(texts.word_pattern(other), value) is not None
    return {"contains": other in value, "starts_with": value.startswith(other), "ends_with": value.endswith(other)}[
        operator
    ]


def _several(field_def: FieldDef, operator: str, operand: Any, values: frozenset[Any]) -> bool:
    if operator == "count":
        return count_holds(operand, len(values))
    wanted = {fold(one) if field_def.item == "text" else one for one in scalars.listed(operand)}
    return {"any_of": bool(values & wanted), "all_of": wanted <= values, "only_of": values <= wanted}[operator]


def count_holds(test: CountTest, number: int) -> bool:
    """Tell whether a number of values meets the test of a multi field's count."""
    operator = BY_TYPE["integer"][test.operator]
    return scalars.holds(operator.positive, number, test.value) != operator.negative


__all__ = ["Judge", "count_holds", "is_empty", "text_holds", "within_days", "within_moments"]
