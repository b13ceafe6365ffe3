""" "Top %" conditions: the value at the threshold is kept, and whoever lies between the old and the new one is asked.

A changed value moves the threshold for records that nobody touched; only those between the two thresholds can change
sides.
"""

from decimal import Decimal
from typing import Any

from django.db.models import F
from pyroaring import BitMap

from ..models import Segment
from ..rules.bitmaps import read_keys
from ..rules.clock import Clock
from ..rules.compile import member_place, members, sources
from ..rules.nodes import Condition, Rule
from ..wakes import Reading

Known = dict[str, Any]


def passed_over(segment: Segment, rule: Rule, reading: Reading, clock: Clock) -> BitMap:
    """Return the members between the last and the present threshold of every "top %" condition, and keep the present.

    Everybody with a value where the last one is not known. Costs 2 queries for each condition, 1 more where it moved.
    """
    kept: Known = segment.thresholds.get("values", {})
    if segment.thresholds.get("version") != segment.rules_version:
        kept = {}
    found, now = BitMap(), present(rule, reading, clock)
    for node in reading.rankings:
        name = name_of(node)
        if name not in kept or kept[name] != now[name]:
            found |= _between(node, rule.member_type, kept.get(name), now[name], clock)
    if now != kept:
        segment.thresholds = {"version": segment.rules_version, "values": now}
        Segment.objects.filter(pk=segment.pk).update(thresholds=segment.thresholds)
    return found


def present(rule: Rule, reading: Reading, clock: Clock) -> Known:
    """Return the value at each condition's threshold as text, None where nobody has one (2 queries a condition)."""
    found: Known = {}
    for node in reading.rankings:
        name = name_of(node)
        if name not in found:
            value = _threshold(node, rule.member_type, clock)
            found[name] = None if value is None else str(value)
    return found


def name_of(node: Condition) -> str:
    """Return what a condition is kept under."""
    return f"{node.ref.key} {node.operator} {node.value}"


def _ranked(node: Condition, member_type: str, clock: Clock) -> Any:
    place = member_place(member_type).hop(node.ref.hops, node.ref.field.record)
    value = sources.expression(place, node.ref.field, clock)
    return members(member_type, clock).annotate(ranked=value).filter(ranked__isnull=False)


def _threshold(node: Condition, member_type: str, clock: Clock) -> Any:
    """Return the value at rank ceil(p · n / 100), None where nobody has a value."""
    ranked = _ranked(node, member_type, clock)
    numerator, denominator = Decimal(node.value).as_integer_ratio()
    rank = -(-ranked.count() * numerator // (100 * denominator))
    if not rank:
        return None
    order = F("ranked").desc() if node.operator == "top_percent" else F("ranked").asc()
    return ranked.order_by(order).values_list("ranked", flat=True)[rank - 1]


def _between(node: Condition, member_type: str, old: str | None, new: str | None, clock: Clock) -> BitMap:
    ranked = _ranked(node, member_type, clock)
    if old is not None and new is not None:
        low, high = sorted((Decimal(old), Decimal(new)))
        ranked = ranked.filter(ranked__gte=low, ranked__lte=high)
    return read_keys(ranked.values("pk"))
