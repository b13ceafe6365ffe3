"""Cases for every field and operator: rules as JSON, with operands drawn from what the world holds."""

import datetime as dt
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from segmentation_crm.common.fields import FieldDef, registry
from segments.rules.nodes import Rule
from segments.rules.operators import operators_of
from segments.rules.parse import parse_rule_json
from segments.rules.validate import validate

# The relation by which a record that is no member type itself is asked about.
ASKED_BY = {
    "technology": "account.technologies",
    "need": "account.needs",
    "purchase": "account.purchases",
    "contract": "account.contracts",
    "support_case": "account.support_cases",
    "survey_answer": "account.survey_answers",
    "line_item": "opportunity.line_items",
}
DURATIONS = [
    {"n": n, "unit": unit}
    for n, unit in (
        (30, "day"),
        (1, "week"),
        (90, "day"),
        (1, "year"),
        (3, "month"),
        (2, "quarter"),
        (2, "day"),
        (20, "year"),
    )
]
PERIODS = ["this_month", "last_month", "this_quarter", "last_fiscal_quarter", "this_fiscal_year", "last_year"]
PERIODS += ["this_week", "last_week", "today", "yesterday", "last_fiscal_year", "this_year", "last_quarter"]


def all_fields() -> list[tuple[FieldDef, str, str]]:
    """Return every field with the member type and the relation (or "") by which it is asked about."""
    found = []
    for field in registry.fields():
        relation = ASKED_BY.get(field.record, "")
        member = relation.split(".")[0] if relation else field.record
        found.append((field, member, relation))
    for relation in registry.relations.values():
        found.extend((extra, relation.owner, relation.key) for extra in relation.extra)
    return found


def operators_for(field: FieldDef, relation: str) -> list[str]:
    """Return the operators that the field takes where it is asked about."""
    return list(operators_of(field.type, history=bool(field.history), ranking=not relation))


def rule_of(condition: dict[str, Any], member: str, relation: str = "") -> Rule:
    """Return the validated rule of one condition, inside the relation where there is one."""
    group: dict[str, Any] = {"combinator": "and", "rules": [condition]}
    if relation:
        related = {"field": relation, "operator": "match", "match": {"mode": "some"}, "value": group}
        group = {"combinator": "and", "rules": [related]}
    return validate(parse_rule_json(dumps(group)), member)


def dumps(value: Any) -> str:
    """Return JSON text; Decimals become numbers."""
    return json.dumps(value, default=lambda v: int(v) if v == v.to_integral_value() else float(v))


def operands(field: FieldDef, operator: str, values: list[Any]) -> Iterator[Any]:
    """Yield operands for a field and operator from the values that records hold, likely ones first."""
    kind = field.item if field.type == "multi" else field.type
    shown = [json_value(kind, value) for value in values]
    some = shown[:1] + shown[len(shown) // 2 :][:3] + shown[-1:] + shown[1:6]
    if operator in ("is_empty", "is_set", "is_true", "is_false"):
        yield None
    elif operator in ("has_ever_been", "has_never_been"):
        yield from ([one] for one in history_values(field))
    elif operator == "has_been":
        yield from ({"value": one, "for": d} for one in history_values(field) for d in DURATIONS)
    elif operator in ("in_last", "not_in_last", "in_next", "not_in_next", "more_than_ago", "changed_in_last"):
        yield from DURATIONS
    elif operator == "anniversary_in_next":
        yield from reversed(DURATIONS[:7])
        yield {"n": 300, "unit": "day"}
    elif operator in ("in_period", "not_in_period"):
        yield from PERIODS
    elif operator in ("top_percent", "bottom_percent"):
        yield from (10, 25, 33.3, 60, 0.5)
    elif operator == "count":
        yield from ({"operator": o, "value": v} for o, v in (("gte", 2), ("lt", 2), ("eq", 1), ("neq", 0)))
        yield {"operator": "between", "value": [1, 2]}
    elif operator in ("between", "not_between"):
        ordered = [json_value(kind, value) for value in sorted(values)]
        middle = len(ordered) // 2
        yield from ([ordered[a], ordered[b]] for a, b in ((0, middle), (middle // 2, middle), (0, 0), (middle, -1)))
    elif operator == "all_of":
        yield from ([one] for one in some)
        yield from ([a, b] for a in some for b in some if a != b)
    elif operator in ("in", "not_in", "any_of", "none_of", "only_of"):
        yield from (some[:2], some[1:2], some)
    elif operator.endswith(("contains", "starts_with", "ends_with", "matches_word")):
        yield from parts_of(operator, shown)
    elif field.type in ("date", "datetime"):
        yield from some
        yield from ("today", {"ago": DURATIONS[0]}, {"ahead": DURATIONS[1]}, "2024-07-14T13:30:00-04:00")
    else:
        yield from some


def parts_of(operator: str, texts: list[str]) -> Iterator[str]:
    """Yield parts of texts that contain, begin, end or stand as words in some."""
    tricky = [t for t in texts if any(c in t for c in "%_\\^$ ")]
    for text in [*tricky[:4], *texts[:10]]:
        if operator.endswith("contains"):
            yield text[1:-1] or text
        elif operator.endswith("starts_with"):
            yield text[:2]
        elif operator.endswith("ends_with"):
            yield text[-2:]
        else:
            yield text.split()[0] if text.split() else text


def json_value(kind: str, value: Any) -> Any:
    """Return a stored value as the API writes it."""
    if isinstance(value, dt.datetime):
        # Half of them as whole days.
        return value.isoformat() if value.microsecond else value.date().isoformat()
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return value
    return value


def history_values(field: FieldDef) -> list[Any]:
    """Return values that histories hold."""
    if field.type == "reference":
        return ["new", "talks", "won"]
    return [choice.value for choice in field.choices]
