"""Aggregates: a figure over related rows, compared (RULES §1, §5.6).

A figure that zero rows satisfy (count at most 3) is the complement of its opposite, so that the related table alone
answers. Sums, averages and ratios are compared in whole numbers or exact decimals, never as floating point.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

from django.db.models import Count, DateTimeField, F, Max, Min, Q
from django.db.models.lookups import Exact, GreaterThan, GreaterThanOrEqual, IsNull, LessThan, LessThanOrEqual

from ..clock import Clock, Days
from ..nodes import Aggregate, Condition, FieldRef, Group
from . import dates, scalars, sources
from .balance import Balance
from .conditions import compile_condition
from .latest import latest_within
from .places import Place
from .relations import RelationRows, relation_rows
from .verdicts import Not, Verdict, as_q, constant

# Figures that are 0 over no rows; all others are empty.
ZERO = frozenset({"count", "count_distinct", "sum"})
_SIGNS = {
    "gt": GreaterThan,
    "gte": GreaterThanOrEqual,
    "lt": LessThan,
    "lte": LessThanOrEqual,
    "eq": Exact,
}


def compile_aggregate(node: Aggregate, place: Place, clock: Clock, compile_node: Callable[..., Verdict]) -> Verdict:
    """Return the verdict of an aggregate node at a place."""
    if node.operator == "is_empty":
        return Not(compile_aggregate(replace(node, operator="is_set"), place, clock, compile_node))
    operator, negative = scalars.positive_of(node.result_type, node.operator)
    found = relation_rows(node.ref, place, clock)

    def inner(group: Group) -> Q:
        return as_q(compile_node(group, found.inner, clock))

    if node.function == "ratio":
        verdict = _ratio(node, operator, found, inner)
    else:
        if node.where is not None:
            found = replace(found, rows=found.rows.filter(inner(node.where)))
        verdict = _figure(node, operator, found, clock)
    return Not(verdict) if negative else verdict


def _figure(node: Aggregate, operator: str, found: RelationRows, clock: Clock) -> Verdict:
    if node.function in ("first", "last"):
        return _picked(node, operator, found, clock)
    if node.function == "days_since_last":
        return _days_since_last(operator, node.value, found, clock)
    if node.function in ZERO:
        if operator == "is_set":
            return constant(True)
        test, figures = _zero_figure(node, operator, found, clock)
        if scalars.holds(operator, 0, node.value):
            return Not(found.test(figures=figures, having=~test))
        return found.test(figures=figures, having=test)
    assert isinstance(node.of, FieldRef)
    value = value_of(node.of, found.inner, clock)
    if node.function == "avg":
        figures = {"values_known": Count(value)}
        having = Q(GreaterThan(F("values_known"), 0))
        if operator != "is_set":
            test, more = balanced(value, operator, node.value, mean=True)
            having, figures = having & test, {**figures, **more}
        return found.test(figures=figures, having=having)
    figure = Min(value) if node.function == "min" else Max(value)
    having = scalars.positive(node.result_type, F("figure"), operator, node.value, clock)
    return found.test(figures={"figure": figure}, having=having)


def _zero_figure(node: Aggregate, operator: str, found: RelationRows, clock: Clock) -> tuple[Q, dict[str, Any]]:
    if node.function == "count":
        return scalars.number(F("figure"), operator, node.value), {"figure": Count("*")}
    assert isinstance(node.of, FieldRef)
    value = value_of(node.of, found.inner, clock)
    if node.function == "count_distinct":
        return scalars.number(F("figure"), operator, node.value), {"figure": Count(value, distinct=True)}
    return balanced(value, operator, node.value)


def value_of(ref: FieldRef, inner: Place, clock: Clock) -> Any:
    """Return the field of the related record as an expression of the rows, NULL where empty."""
    return sources.expression(inner.hop(ref.hops, ref.field.record), ref.field, clock)


def balanced(value: Any, operator: str, operand: Any, mean: bool = False) -> tuple[Q, dict[str, Any]]:
    """Return the test of a sum or mean by the sign of its exact difference from the operand."""
    if operator == "between":
        figures = {"above_low": Balance(value, operand[0], mean), "below_high": Balance(value, operand[1], mean)}
        return Q(GreaterThanOrEqual(F("above_low"), 0)) & Q(LessThanOrEqual(F("below_high"), 0)), figures
    return Q(_SIGNS[operator](F("balance"), 0)), {"balance": Balance(value, operand, mean)}


def _picked(node: Aggregate, operator: str, found: RelationRows, clock: Clock) -> Verdict:
    """Compare the field of the first or last row: by the relation's date, rows without one at the end, then id."""
    assert isinstance(node.of, FieldRef)
    day, key = (F("__".join((*found.inner.path, found.relation.order_by))), F(found.inner.key))
    if node.function == "first":
        order = (day.asc(nulls_last=True), key.asc())
    else:
        order = (day.desc(nulls_last=True), key.desc())
    condition = Condition(node.path, node.of, operator, node.value)
    return found.test(pick=order, picked=as_q(compile_condition(condition, found.inner, clock)))


def _days_since_last(operator: str, value: Any, found: RelationRows, clock: Clock) -> Verdict:
    """Compare local days from the last dated row to today, as bounds on its date."""
    name = found.relation.order_by
    bounds = Days() if operator == "is_set" else days_ago(operator, value, clock)
    if isinstance(found.inner.field(name), DateTimeField):
        return latest_within(found.test, "__".join((*found.inner.path, name)), clock.moments(bounds), clock)
    having = Q(IsNull(F("figure"), False))
    if operator != "is_set":
        having &= dates.within_days(F("figure"), bounds)
    return found.test(figures={"figure": Max("__".join((*found.inner.path, name)))}, having=having)


def days_ago(operator: str, value: Any, clock: Clock) -> Days:
    """Return the days that lie so many days ago; figures beyond the calendar give all days or none."""
    today, last_day = clock.today.toordinal(), date.max.toordinal()
    low, high = {
        "gte": (None, today - _at(value, 0)),
        "gt": (None, today - _at(value, 0) - 1),
        "lte": (today - _at(value, 0), None),
        "lt": (today - _at(value, 0) + 1, None),
        "eq": (today - _at(value, 0), today - _at(value, 0)),
        "between": (today - _at(value, 1), today - _at(value, 0)),
    }[operator]
    if (high is not None and high < 1) or (low is not None and low > last_day):
        return dates.NEVER
    return Days(
        None if low is None or low < 1 else date.fromordinal(low),
        None if high is None or high > last_day else date.fromordinal(high),
    )


def _at(value: Any, index: int) -> int:
    return int(value[index] if isinstance(value, list | tuple) and len(value) > index else scalars.listed(value)[0])


def _ratio(node: Aggregate, operator: str, found: RelationRows, inner: Callable[[Group], Q]) -> Verdict:
    """Compare count(where and of) ÷ count(of) by cross-multiplication; empty where count(of) = 0."""
    assert isinstance(node.of, Group)
    of = inner(node.of)
    if operator == "is_set":
        return found.test(of)
    part = Count("pk") if node.where is None else Count("pk", filter=inner(node.where))
    figures = {"part": part, "whole": Count("pk")}

    def against(sign: str, share: Any) -> Q:
        numerator, denominator = share.as_integer_ratio()
        return Q(_SIGNS[sign](F("part") * denominator, F("whole") * numerator))

    if operator == "between":
        having = against("gte", node.value[0]) & against("lte", node.value[1])
    else:
        having = against(operator, node.value)
    return found.test(of, figures=figures, having=having)
