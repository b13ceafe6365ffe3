"""The canonical form of a rule: what is stored, and hashed.

Key order, 1 or 1.0, the order and repeats of lists that mean sets, ids or names and react-querybuilder's spellings
make no difference; the order of conditions does, because paths count by it.
"""

import hashlib
import json
from datetime import UTC
from decimal import Decimal
from typing import Any

from segmentation_crm.common.fields import FieldDef
from segmentation_crm.common.folding import fold

from .nodes import (
    Aggregate,
    Condition,
    CountTest,
    DateOperand,
    Duration,
    Group,
    HasBeen,
    Node,
    Related,
    SegmentTest,
)
from .operators import operators_of
from .references import References

VERSION = 1


def canonical(root: Group, references: References) -> dict[str, Any]:
    """Return the JSON of a validated tree; references in their stored form."""
    return {"version": VERSION, **_group(root, references)}


def digest(member_type: str, rule: dict[str, Any]) -> str:
    """Return the SHA-256 of a canonical rule and its member type."""
    text = json.dumps([member_type, rule], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _node(node: Node, references: References) -> dict[str, Any]:
    if isinstance(node, Group):
        return _group(node, references)
    if isinstance(node, Condition):
        found: dict[str, Any] = {"field": node.ref.key, "operator": node.operator}
        if node.value is not None:
            as_set = _is_list(node.ref.field.type, node.operator)
            found["value"] = operand_json(node.value, node.ref.field, references, as_set)
        return found
    if isinstance(node, Related):
        return _related(node, references)
    if isinstance(node, Aggregate):
        return _aggregate(node, references)
    return _segment(node, references)


def _group(group: Group, references: References) -> dict[str, Any]:
    found: dict[str, Any] = {"combinator": group.combinator}
    if group.negated:
        found["not"] = True
    found["rules"] = [_node(rule, references) for rule in group.rules]
    return found


def _related(node: Related, references: References) -> dict[str, Any]:
    match: dict[str, Any] = {"mode": node.mode}
    if node.threshold is not None:
        match["threshold"] = node.threshold
    found: dict[str, Any] = {"field": node.ref.key, "operator": "match", "match": match}
    if node.group is not None:
        found["value"] = _group(node.group, references)
    return found


def _aggregate(node: Aggregate, references: References) -> dict[str, Any]:
    figure: dict[str, Any] = {"function": node.function}
    of_field: FieldDef | None = None
    if isinstance(node.of, Group):
        figure["of"] = _group(node.of, references)
    elif node.of is not None:
        figure["of"] = node.of.key
        # A count of references is a number, not one of them.
        of_field = node.of.field if node.result_type == node.of.field.type else None
    found: dict[str, Any] = {"field": node.ref.key, "aggregate": figure}
    if node.where is not None:
        found["where"] = _group(node.where, references)
    found["operator"] = node.operator
    if node.value is not None:
        as_set = _is_list(node.result_type, node.operator)
        found["value"] = operand_json(node.value, of_field, references, as_set)
    return found


def _segment(node: SegmentTest, references: References) -> dict[str, Any]:
    key = f"{node.record}.segment" if node.hops else "segment"
    slugs = [references.natural(f"segment:{node.record}", pk) for pk in node.segment_ids]
    if node.within is not None:
        value = {"segment": slugs[0], "within": operand_json(node.within, None, references)}
        return {"field": key, "operator": node.operator, "value": value}
    if node.at is not None:
        return {"field": key, "operator": node.operator, "value": {"segment": slugs[0], "at": _moment(node.at)}}
    return {"field": key, "operator": node.operator, "value": sorted(slugs, key=str)}


def _is_list(type_name: str, operator: str) -> bool:
    found = operators_of(type_name, history=True).get(operator)
    return found is not None and found.operand == "list"


def operand_json(value: Any, field: FieldDef | None, references: References, as_set: bool = False) -> Any:
    """Return the JSON of a cleaned operand; the order of a set is made the same."""
    if isinstance(value, Duration):
        return {"n": value.n, "unit": value.unit}
    if isinstance(value, DateOperand):
        return _moment(value)
    if isinstance(value, HasBeen):
        return {
            "value": operand_json(value.value, field, references),
            "for": operand_json(value.duration, None, references),
        }
    if isinstance(value, CountTest):
        return {"operator": value.operator, "value": operand_json(value.value, None, references)}
    if isinstance(value, tuple):
        items = [operand_json(item, field, references) for item in value]
        return sorted(items, key=_order) if as_set else items
    if isinstance(value, int) and not isinstance(value, bool) and field is not None and _refers(field):
        return references.natural(field.target, value)
    return number_json(value) if isinstance(value, Decimal) else value


def _refers(field: FieldDef) -> bool:
    return (field.item or field.type) in ("reference", "tree")


def number_json(number: Decimal) -> int | float:
    """Return a cleaned number as JSON sends it; at most 15 digits, so that a float loses nothing."""
    return int(number) if number == number.to_integral_value() else float(number)


def _moment(operand: DateOperand) -> Any:
    if operand.today:
        return "today"
    if operand.ago is not None:
        return {"ago": {"n": operand.ago.n, "unit": operand.ago.unit}}
    if operand.ahead is not None:
        return {"ahead": {"n": operand.ahead.n, "unit": operand.ahead.unit}}
    if operand.date is not None:
        return operand.date.isoformat()
    moment = operand.datetime
    if moment is None:
        raise ValueError("an empty date operand")
    return (moment.astimezone(UTC) if moment.tzinfo else moment).isoformat()


def _order(value: Any) -> tuple[bool, str, Any]:
    return (True, fold(value), value) if isinstance(value, str) else (False, "", value)
