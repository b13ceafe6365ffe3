"""Operands: the value of a condition cleaned as its operator and field demand (RULES §3, §4)."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from segmentation_crm.common.fields import FieldDef
from segmentation_crm.common.folding import fold

from .nodes import CountTest, DateOperand, Duration, HasBeen
from .operators import COUNT_TESTS, MOMENTS, Operator
from .references import References, Resolved
from .values import (
    Problem,
    clean_duration,
    clean_integer,
    clean_list,
    clean_moment,
    clean_number,
    clean_period,
    clean_range,
    clean_share,
    clean_text,
    exact_keys,
    kind_of,
    token_cleaner,
)

# What the value of a segment condition over history looks like, by kind of operand.
SEGMENT_EXAMPLES = {
    "within": '{"segment": "slug", "within": {"n": 30, "unit": "day"}}',
    "at": '{"segment": "slug", "at": "2026-03-31"}',
}


@dataclass(frozen=True)
class SegmentValue:
    """The cleaned value of a segment condition: which segments; of one over history its window or moment."""

    ids: tuple[int, ...] = ()
    within: Duration | None = None
    at: DateOperand | None = None


class Operands:
    """Cleans the operands of one rule and counts the values of its lists.

    While `collecting`, references are only noted and stand as 0; afterwards they are ids, their words in `labels`.
    """

    def __init__(self, references: References, collecting: bool) -> None:
        self.references = references
        self.collecting = collecting
        self.values = 0

    def clean(
        self, operator: Operator, field: FieldDef | None, type_name: str, raw: Any, labels: dict[Any, str]
    ) -> tuple[Any, list[Problem]]:
        """Return the cleaned operand and what is wrong with it; field is None for figures of their own (count)."""
        one = self._cleaner(field, type_name, labels)
        try:
            if operator.operand == "list":
                return self._list(raw, one)
            return self._single(operator, type_name, one, raw), []
        except Problem as problem:
            return None, [problem]

    def _single(self, operator: Operator, type_name: str, one: Callable[[Any], Any], raw: Any) -> Any:
        match operator.operand:
            case "one":
                return one(raw)
            case "range":
                return clean_range(raw, one, dates=type_name in MOMENTS)
            case "share":
                return clean_share(raw)
            case "duration":
                return clean_duration(raw)
            case "period":
                return clean_period(raw)
            case "number_test":
                return _count_test(raw)
            case "held":
                return _held(raw, one)
        if raw is None or raw == "":
            return None
        raise Problem("extra_value", f'"{operator.label}" takes no value.')

    def _list(self, raw: Any, one: Callable[[Any], Any]) -> tuple[Any, list[Problem]]:
        problems: list[Problem] = []
        found: dict[Hashable, Any] = {}
        items = clean_list(raw)
        self.values += len(items)
        for index, item in enumerate(items):
            try:
                cleaned = one(item)
            except Problem as problem:
                problems.append(Problem(problem.code, problem.message, (index, *problem.at)))
                continue
            found.setdefault(fold(cleaned) if isinstance(cleaned, str) else cleaned, cleaned)
        return tuple(found.values()), problems

    def _cleaner(self, field: FieldDef | None, type_name: str, labels: dict[Any, str]) -> Callable[[Any], Any]:
        """Return the function that cleans one value of the field's type, or of a multi field's items."""
        kind = field.item if field is not None and type_name == "multi" else type_name
        if kind in ("reference", "tree") and field is not None:
            return self._reference(field.target, labels)
        if kind == "enum" and field is not None:
            return token_cleaner(field)
        if kind in MOMENTS:
            return clean_moment
        if kind == "integer":
            return clean_integer
        return clean_text if kind == "text" else clean_number

    def segments(
        self, operator: Operator, target: str, raw: Any, labels: dict[Any, str]
    ) -> tuple[SegmentValue, list[Problem]]:
        """Return the cleaned value of a segment condition and what is wrong with it; target is segment:<record>."""
        one = self._reference(target, labels)
        try:
            if operator.operand == "list":
                ids, problems = self._list(raw, one)
                return SegmentValue(ids or ()), problems
            return self._segment_history(operator, raw, one), []
        except Problem as problem:
            return SegmentValue(), [problem]

    def _segment_history(self, operator: Operator, raw: Any, one: Callable[[Any], int]) -> SegmentValue:
        example, name = SEGMENT_EXAMPLES[operator.operand], operator.operand
        if not isinstance(raw, dict):
            raise Problem("wrong_type", f"Expected {example}, not {kind_of(raw)}.")
        exact_keys(raw, ("segment", name), example)
        self.values += 1
        parts: dict[str, Any] = {}
        for part, clean in (("segment", one), (name, clean_duration if name == "within" else clean_moment)):
            try:
                parts[part] = clean(raw[part])
            except Problem as problem:
                raise Problem(problem.code, problem.message, (part, *problem.at)) from None
        return SegmentValue((parts["segment"],), parts.get("within"), parts.get("at"))

    def _reference(self, target: str, labels: dict[Any, str]) -> Callable[[Any], int]:
        def clean(raw: Any) -> int:
            if self.collecting:
                self.references.want(target, raw)
                return 0
            found: Resolved = self.references.get(target, raw)
            labels[found.id] = found.label
            return found.id

        return clean


def _count_test(raw: Any) -> CountTest:
    example = '{"operator": "gte", "value": 3}'
    if not isinstance(raw, dict):
        raise Problem("wrong_type", f"Expected {example}, not {kind_of(raw)}.")
    exact_keys(raw, ("operator", "value"), example)
    operator = raw["operator"]
    if not isinstance(operator, str) or operator not in COUNT_TESTS:
        raise Problem(
            "unknown_operator", f"Expected one of {', '.join(COUNT_TESTS)}, not {kind_of(operator)}.", ("operator",)
        )
    try:
        value = clean_range(raw["value"], clean_integer) if "between" in operator else clean_integer(raw["value"])
    except Problem as problem:
        raise Problem(problem.code, problem.message, ("value", *problem.at)) from None
    return CountTest(operator, value)


def _held(raw: Any, one: Callable[[Any], Any]) -> HasBeen:
    example = '{"value": …, "for": {"n": 30, "unit": "day"}}'
    if not isinstance(raw, dict):
        raise Problem("wrong_type", f"Expected {example}, not {kind_of(raw)}.")
    exact_keys(raw, ("value", "for"), example)
    parts: dict[str, Any] = {}
    for name, clean in (("value", one), ("for", clean_duration)):
        try:
            parts[name] = clean(raw[name])
        except Problem as problem:
            raise Problem(problem.code, problem.message, (name, *problem.at)) from None
    return HasBeen(parts["value"], parts["for"])
