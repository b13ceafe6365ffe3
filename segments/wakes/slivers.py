"""Slivers: queries for a superset of the records of one kind that time alone may change between two moments.

Each returns keys of the record that is read at its place in the rule; the climb to the members is done elsewhere.
Between the earlier clock a and the later clock b a bound moves from one value to another: whose value lies between the
two may have changed sides.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import DateTimeField, F, Q
from django.db.models.lookups import GreaterThanOrEqual, IsNull, LessThanOrEqual
from pyroaring import BitMap

from segmentation_crm.common.fields import Computed, FieldDef, RecordDef
from segments.history.folding import moved_within

from ..rules.bitmaps import read_keys
from ..rules.clock import Clock, Days, Moments
from ..rules.compile import compile_node, dates, history, scalars, sources
from ..rules.compile.aggregates import days_ago
from ..rules.compile.computed import engagements
from ..rules.compile.places import member_place, model_of
from ..rules.compile.segments import moment_asked, window_start
from ..rules.compile.sources import Figure, ManyValues, OwnValue
from ..rules.compile.verdicts import Fetch, as_bitmap
from ..rules.nodes import Aggregate, Condition, DateOperand, Duration, FieldRef, SegmentTest
from ..rules.operators import RANKING
from . import declarations
from .declarations import DAILY, NEVER

Span = tuple[Any, Any]
Sliver = Callable[[Clock, Clock], BitMap]
TICK = timedelta(microseconds=1)


def came_to_exist(record: RecordDef, a: Clock, b: Clock) -> BitMap:
    """Return the rows whose event time lies from a to b: they did not exist at a and do at b (1 query)."""
    if record.event_time is None:
        return BitMap()
    name, kind = record.event_time
    rows = model_of(record.prefix)._default_manager.order_by()
    if kind == "datetime":
        return read_keys(rows.filter(**{f"{name}__gte": a.as_of, f"{name}__lt": b.as_of}).values("pk"))
    # A date counts as its local midnight.
    start = b.start_of(b.today)
    if a.today == b.today and start is not None and start < a.as_of:
        return BitMap()
    return read_keys(rows.filter(**{f"{name}__gte": a.today, f"{name}__lte": b.today}).values("pk"))


def of_condition(node: Condition, member_type: str) -> Sliver | None:
    """Return the sliver of a condition over the record that holds its field; None where time never wakes it.

    Of a condition that ranks, the keys are those of the members.
    """
    way = declarations.wakes(node.ref.field, node.operator)
    if way == NEVER or not _moves(node):
        return None
    if node.operator in declarations.HISTORY:
        return lambda a, b: _history(node, a, b)
    if way == DAILY:
        return lambda a, b: _recomputed(node, member_type, a, b)
    return lambda a, b: _bounds_moved(node, member_type, a, b)


def of_value(field: FieldDef) -> Sliver | None:
    """Return the sliver of a field's value itself, for figures made of it; None where it stays."""
    if declarations.value_wakes(field) == NEVER:
        return None
    return lambda a, b: _value_moved(field, a, b)


def of_figure(node: Aggregate, member_type: str) -> Sliver | None:
    """Return the sliver of an aggregate over its related rows, besides those that come into existence."""
    declarations.FUNCTIONS[node.function]
    if node.function == "days_since_last":
        return lambda a, b: _days_moved(node, a, b)
    if not isinstance(node.of, FieldRef):
        return None
    value = of_value(node.of.field)
    # The smallest, largest, first or last value is that of one row: where the figure changes sides, so does that row.
    compared = None
    if node.result_type in ("date", "datetime"):
        compared = of_condition(Condition(node.path, replace(node.of, hops=()), node.operator, node.value), member_type)
    return _either([sliver for sliver in (value, compared) if sliver])


def of_segments(node: SegmentTest) -> Sliver | None:
    """Return the sliver of a condition over other segments: whose coming or going a moving window passes."""
    if declarations.SEGMENTS[node.operator] == NEVER:
        return None
    return lambda a, b: _runs_passed(node, a, b)


def _either(slivers: list[Sliver]) -> Sliver | None:
    if not slivers:
        return None
    return lambda a, b: BitMap.union(BitMap(), *(sliver(a, b) for sliver in slivers))


def _moves(node: Condition) -> bool:
    """Tell whether the operand moves with the clock, or the value does."""
    if declarations.value_wakes(node.ref.field) != NEVER or node.ref.field.type not in ("date", "datetime"):
        return True
    operands = node.value if isinstance(node.value, tuple) else (node.value,)
    return any(
        not isinstance(one, DateOperand) or one.today or one.ago is not None or one.ahead is not None
        for one in operands
    )


# --- what lies between the bounds of two moments ---


def _bounds_moved(node: Condition, member_type: str, a: Clock, b: Clock) -> BitMap:
    field = node.ref.field
    found = _value_moved(field, a, b) if declarations.value_wakes(field) != NEVER else BitMap()
    if field.type not in ("date", "datetime") or declarations.OPERATORS[field.type][node.operator] == NEVER:
        return found
    if declarations.OPERATORS[field.type][node.operator] == DAILY:
        return found | _recomputed(node, member_type, a, b)
    operator, _ = scalars.positive_of(field.type, node.operator)
    if field.type == "date":
        spans = between_days(dates.days(operator, node.value, a), dates.days(operator, node.value, b))
    else:
        spans = between_moments(dates.moments(operator, node.value, a), dates.moments(operator, node.value, b))
    return found | having_values(field, spans, b) if spans else found


def between_days(a: Days, b: Days) -> list[Span]:
    """Return spans, ends included, that hold every day whose verdict differs between the two bounds."""
    pairs = [(a.first or date.min, b.first or date.min), (a.last or date.max, b.last or date.max)]
    return [(min(pair), max(pair)) for pair in pairs if pair[0] != pair[1]]


def between_moments(a: Moments, b: Moments) -> list[Span]:
    """Return spans, ends included, that hold every moment whose verdict differs between the two bounds."""
    pairs = [(a.start, b.start), (a.end, b.end)]
    # None is unbounded: whatever lies on the known side of the other bound.
    return [
        (None, low or high) if None in (low, high) else (min(low, high), max(low, high))  # type: ignore[type-var]
        for low, high in pairs
        if low != high
    ]


def having_values(field: FieldDef, spans: list[Span], clock: Clock) -> BitMap:
    """Return the records with a value of the field in one of the spans, ends included (1 query)."""
    place = member_place(field.record)
    found = sources.find(place, field, clock)
    match found:
        case OwnValue(expression):
            rows = place.model._default_manager.order_by()
            return read_keys(rows.filter(_in_spans(expression, spans)).values("pk"))
        case ManyValues():
            rows = found.rows.order_by().filter(_in_spans(found.value, spans))
            return read_keys(rows.values(found.owner))
        case Figure():
            # The figure is the value of one of its rows.
            rows = found.rows.filter(_in_spans(found.aggregate.get_source_expressions()[0], spans))
            return read_keys(rows.values(found.owner))
    raise TypeError(f"{field.key}: no spans over {found!r}")


def _in_spans(expression: Any, spans: Iterable[Span]) -> Q:
    test = Q()
    for low, high in spans:
        one = Q(IsNull(expression, False))
        if low is not None and low not in (date.min,):
            one &= Q(GreaterThanOrEqual(expression, low))
        if high is not None and high not in (date.max,):
            one &= Q(LessThanOrEqual(expression, high))
        test |= one
    return test


# --- values that time itself changes ---


def _value_moved(field: FieldDef, a: Clock, b: Clock) -> BitMap:
    """Return the records whose value differs between the moments over the same data."""
    assert isinstance(field.source, Computed)
    match field.source.name:
        case "years_since":
            if a.today.year == b.today.year:
                return BitMap()
            (column,) = field.source.args
            rows = model_of(field.record)._default_manager.filter(**{f"{column}__isnull": False}).order_by()
            return read_keys(rows.values("pk"))
        case "provenance_age":
            if a.today == b.today:
                return BitMap()
            found = sources.find(member_place(field.record), field, b)
            assert isinstance(found, ManyValues)
            return read_keys(found.rows.order_by().values(found.owner))
        case "last_engaged_at":
            return _engaged(field, [(a.as_of, b.as_of)], b)
        case "engaged_within":
            window = Duration(field.source.args[0], "day")
            spans = between_moments(a.last_moments(window), b.last_moments(window))
            return _engaged(field, spans, b)
    raise declarations.Undeclared(f"{field.key}: no sliver of the computation {field.source.name}.")


def _engaged(field: FieldDef, spans: list[Span], clock: Clock) -> BitMap:
    if not spans:
        return BitMap()
    return read_keys(engagements(clock).filter(_in_spans(F("occurred_at"), spans)).values(f"{field.record}_id"))


def _recomputed(node: Condition, member_type: str, a: Clock, b: Clock) -> BitMap:
    """Return the records for which the condition holds at one of the moments only (3 queries; none within a day)."""
    if a.today == b.today:
        return BitMap()
    operator, _ = scalars.positive_of(node.ref.field.type, node.operator)
    if operator in ("is_set", "is_empty"):
        return BitMap()
    if operator in RANKING:
        # Ranked among the members, wherever the value stands.
        place, alone = member_place(member_type), replace(node, operator=operator)
    else:
        place = member_place(node.ref.field.record)
        alone = replace(node, operator=operator, ref=replace(node.ref, hops=()))
    # Whoever exists: whether a record is live, the whole rule says.
    rows = place.model._default_manager.order_by()
    everybody = read_keys(rows.values("pk"))
    fetch = Fetch(rows, read_keys)
    at_a, at_b = (as_bitmap(compile_node(alone, place, clock), everybody, fetch) for clock in (a, b))
    return at_a ^ at_b


# --- history, days since, segments ---


def _history(node: Condition, a: Clock, b: Clock) -> BitMap:
    """Return the records with a stay in a value that begins or ends between the moments, or where the window begins."""
    spans: list[Span] = [(a.as_of, b.as_of)]
    duration = node.value.duration if node.operator == "has_been" else node.value
    if node.operator in ("has_been", "changed_in_last"):
        starts = [clock.start_of(clock.back(duration)) for clock in (a, b)]
        if starts[0] != starts[1]:
            known = [start for start in starts if start is not None]
            spans.append((None if len(known) < 2 else min(known), max(known)))
    # Those that begin before b; an end may lie anywhere.
    rows = history.history_rows(node.ref.field, replace(b, as_of=b.as_of + TICK))
    test = _in_spans(F("valid_from"), spans) | _in_spans(F("valid_to"), spans)
    return read_keys(rows.filter(test).values("record_id"))


def _days_moved(node: Aggregate, a: Clock, b: Clock) -> BitMap:
    """Return the related rows whose date changes sides of "so many days ago" as the local day changes."""
    operator, _ = scalars.positive_of("integer", node.operator)
    if a.today == b.today or operator in ("is_set", "is_empty"):
        return BitMap()
    record, name = node.ref.relation.record, node.ref.relation.order_by
    model = model_of(record)
    spans = between_days(days_ago(operator, node.value, a), days_ago(operator, node.value, b))
    if isinstance(model._meta.get_field(name), DateTimeField):
        spans = [(_start(b, low), _end(b, high)) for low, high in spans]
    return (
        read_keys(model._default_manager.order_by().filter(_in_spans(F(name), spans)).values("pk"))
        if spans
        else (BitMap())
    )


def _start(clock: Clock, day: date) -> datetime | None:
    return None if day == date.min else clock.start_of(day)


def _end(clock: Clock, day: date) -> datetime | None:
    return None if day == date.max else clock.end_of(day)


def _runs_passed(node: SegmentTest, a: Clock, b: Clock) -> BitMap:
    (segment_id,) = node.segment_ids
    if node.operator == "was_in_at":
        spans: list[tuple[datetime | None, datetime]] = [(moment_asked(node, a), moment_asked(node, b))]
    else:
        start = window_start(node, b)
        spans = [(a.as_of, b.as_of)] if start is None else [(window_start(node, a), start), (a.as_of, b.as_of)]
    found = BitMap()
    for low, high in spans:
        if low != high:
            moved = moved_within([segment_id], low, high)
            found |= moved.entered | moved.left
    return found


__all__ = ["Sliver", "came_to_exist", "of_condition", "of_figure", "of_segments", "of_value"]
