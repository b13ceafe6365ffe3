"""What the builder and other clients need to know of the language: GET /api/v1/segments/fields/."""

from typing import Any
from urllib.parse import quote

from segmentation_crm.common.access import AnyUser
from segmentation_crm.common.fields import FieldDef, RecordDef, RelationDef, registry
from segmentation_crm.common.fields.definitions import FAMILIES

from . import operators, validate, values
from .operators import Operator

# Longer lists of choices are searched, not sent.
MOST_CHOICES = 60
_SEARCH = "/api/v1/segments/values/?field={}&q="


def fields_schema(user: AnyUser) -> dict[str, Any]:
    """Return records, relations and fields with their operators, and the words for all of them (1 query)."""
    fields = registry.fields()
    return {
        "version": 1,
        "limits": {
            "groups_deep": validate.MAX_GROUP_DEPTH,
            "related_deep": validate.MAX_RELATED_DEPTH,
            "conditions": validate.MAX_ATOMS,
            "values_in_list": values.MAX_LIST,
            "values": validate.MAX_VALUES,
            "characters": values.MAX_TEXT,
        },
        "families": [{"value": name, "label": _family(name)} for name in FAMILIES],
        "groups": list(dict.fromkeys(field.group for field in fields)),
        "types": {name: [_operator(o) for o in operators.operators_of(name).values()] for name in operators.BY_TYPE},
        "history_operators": [_operator(o) for o in operators.HISTORY.values()],
        "segment_operators": [_operator(o) for o in operators.SEGMENT.values()],
        "segments": {
            record.prefix: {"search": f"/api/v1/segments/values/?field=segment&member_type={record.prefix}&q="}
            for record in registry.records.values()
            if record.prefix in ("account", "contact")
        },
        "not_inside_related": sorted(operators.RANKING),
        "count_tests": [
            {"name": name, "label": operators.BY_TYPE["integer"][name].label} for name in operators.COUNT_TESTS
        ],
        "modes": [
            {"name": name, "label": label, "threshold": name in operators.COUNTED_MODES}
            for name, label in operators.MODES.items()
        ],
        "functions": [
            {"name": f.name, "label": f.label, "takes": f.takes, "of": sorted(f.of), "result": f.result}
            for f in operators.FUNCTIONS.values()
        ],
        "periods": [{"value": name, "label": label} for name, label in operators.PERIODS.items()],
        "units": [{"value": unit, "label": f"{unit}s", "most": operators.MOST_UNITS[unit]} for unit in operators.UNITS],
        "records": [_record(record) for record in registry.records.values()],
        "relations": [_relation(relation) for relation in registry.relations.values()],
        "fields": [_field(field) for field in fields],
    }


def _family(name: str) -> str:
    words = {"value": "Customer value"}.get(name, name.replace("_", " "))
    return words[:1].upper() + words[1:]


def _operator(operator: Operator) -> dict[str, Any]:
    return {
        "name": operator.name,
        "label": operator.label,
        "operand": operator.operand,
        "negative": operator.negative,
        "more": operator.more,
    }


def _record(record: RecordDef) -> dict[str, Any]:
    relations = [key for key, relation in registry.relations.items() if relation.owner == record.prefix]
    return {
        "record": record.prefix,
        "singular": record.singular,
        "plural": record.plural,
        "member": record.member,
        "to_one": [
            {"prefix": prefix, "record": prefix.split(".", 1)[0], "relations": "." not in prefix}
            for prefix in record.to_one
        ],
        "relations": relations,
        "segments": (["segment"] if record.prefix in ("account", "contact") else [])
        + (["account.segment"] if "account" in record.to_one else []),
    }


def _relation(relation: RelationDef) -> dict[str, Any]:
    return {
        "key": relation.key,
        "owner": relation.owner,
        "record": relation.record,
        "label": relation.label,
        "singular": relation.singular,
        "plural": relation.label.lower(),
        "family": relation.family,
        "ordered_by": relation.order_by,
        "extra_fields": [_field(field) for field in relation.extra],
    }


def _field(field: FieldDef) -> dict[str, Any]:
    found: dict[str, Any] = {
        "key": field.key,
        "record": field.record,
        "label": field.label,
        "type": field.type,
        "group": field.group,
        "family": field.family,
        "everyday": field.everyday,
        "help": field.help,
        "unit": field.unit,
        "personal": field.personal,
        "operators": list(operators.operators_of(field.type, history=bool(field.history))),
        "functions": [f.name for f in operators.FUNCTIONS.values() if field.type in f.of],
    }
    if field.item:
        found["item"] = field.item
    if field.target:
        found["target"] = field.target
    kind = field.item or field.type
    if kind in ("reference", "tree") or (kind == "enum" and not 0 < len(field.choices) <= MOST_CHOICES):
        found["search"] = _SEARCH.format(quote(field.key))
    elif kind == "enum":
        found["choices"] = [{"value": choice.value, "label": choice.label} for choice in field.choices]
    return found
