"""Conditions: one field of a record compared."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, Max, Q, Subquery, Value, Window
from django.db.models.functions import Rank
from django.db.models.lookups import GreaterThanOrEqual, LessThan, LessThanOrEqual

from segments.rules.operators import HISTORY, RANKING

from ..clock import Clock, Moments
from ..nodes import Condition
from . import dates, history, multi, scalars, sources
from .latest import latest_within
from .places import Place, members
from .sources import Figure, Flag, ManyValues, OwnValue
from .verdicts import Not, Own, Rows, Verdict, constant, guarded


def compile_condition(node: Condition, place: Place, clock: Clock) -> Verdict:
    """Return the verdict of a condition at a place; negative operators are NOT of their positive."""
    field = node.ref.field
    at = place.hop(node.ref.hops, field.record)
    if node.operator == "is_empty":
        return Not(compile_condition(replace(node, operator="is_set"), place, clock))
    operator, negative = scalars.positive_of(field.type, node.operator)
    if operator in HISTORY:
        verdict = history.compile_history(replace(node, operator=operator), at, clock)
    elif operator in RANKING:
        verdict = _ranked(node, at, clock)
    elif field.type == "multi":
        verdict = multi.compile_multi(field, operator, node.value, at, clock)
    else:
        verdict = _single(node, operator, at, clock)
    return Not(verdict) if negative else verdict


def _single(node: Condition, operator: str, at: Place, clock: Clock) -> Verdict:
    field, value = node.ref.field, node.value
    found = sources.find(at, field, clock)

    def test(expression: Any) -> Q:
        return scalars.positive(field.type, expression, operator, value, clock, field.target)

    match found:
        case OwnValue():
            return Own(at.guard() & test(found.expression))
        case ManyValues():
            return Rows(at.key, found.rows.filter(test(found.value)), found.owner, guard=at.guard())
        case Figure() if isinstance(found.aggregate, Max) and field.type == "datetime" and operator in dates.BOUNDED:
            return guarded(_latest(found, dates.moments(operator, value, clock), at, clock), at.guard())
        case Figure():
            return _figure(found, test, operator, value, at)
        case Flag():
            truth = found.verdict
            answer = {"is_true": truth, "is_false": Not(truth), "is_set": constant(True)}[operator]
            return guarded(answer, at.present())


def _latest(found: Figure, wanted: Moments, at: Place, clock: Clock) -> Verdict:
    (column,) = found.aggregate.get_source_expressions()[:1]
    return latest_within(lambda q: Rows(at.key, found.rows.filter(q), found.owner), column.name, wanted, clock)


def _figure(found: Figure, test: Callable[[Any], Q], operator: str, value: Any, at: Place) -> Verdict:
    def rows(having: Q) -> Rows:
        return Rows(at.key, found.rows, found.owner, figures={"figure": found.aggregate}, having=having)

    if found.default is None:
        return guarded(rows(test(F("figure"))), at.guard())
    if operator == "is_set":
        return guarded(constant(True), at.present())
    if scalars.holds(operator, found.default, value):
        # Those without a row hold too: the complement of the rows that do not.
        return guarded(Not(rows(~test(F("figure")))), at.present())
    return guarded(rows(test(F("figure"))), at.guard())


def _ranked(node: Condition, at: Place, clock: Clock) -> Verdict:
    """Compare with the value at rank ceil(p · n / 100) of all live members with a value, ties in."""
    top = node.operator == "top_percent"
    value = sources.expression(at, node.ref.field, clock)
    share = Decimal(node.value)
    numerator, denominator = share.as_integer_ratio()
    population = members(at.member, clock).annotate(ranked=value).filter(ranked__isnull=False)
    order = F("ranked").desc() if top else F("ranked").asc()
    ranked = population.annotate(better=Window(Rank(), order_by=order) - Value(1), everybody=Window(Count("*")))
    # In whole numbers: fewer than p · n / 100 are better, which is rank ceil(p · n / 100) or less.
    inside = ranked.filter(LessThan(F("better") * Value(100 * denominator), F("everybody") * Value(numerator)))
    threshold = Subquery(inside.order_by("ranked" if top else "-ranked").values("ranked")[:1])
    compare = GreaterThanOrEqual if top else LessThanOrEqual
    return Own(scalars.is_set(node.ref.field.type, value) & Q(compare(value, threshold)))
