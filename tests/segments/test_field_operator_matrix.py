"""Every field with every operator it takes: the query, the bitmaps and the oracle name the same members.

The matrix walks the registry, so a field declared without a value in the world fails here. Each case matches at least
one record, misses at least one, and the world holds an empty one; ALWAYS names what its type makes impossible.
"""

import os
from typing import Any

import pytest

from segmentation_crm.common.fields import Computed, FieldDef, registry
from segments.rules.nodes import InvalidRule
from tests.oracle import Oracle
from tests.oracle.values import is_live
from tests.segments.rule_cases import all_fields, operands, operators_for, rule_of
from tests.worlds.fixture import Judged

# (computation or column, operators): never empty, so is_empty finds nobody and is_set everybody.
NEVER_EMPTY = {
    "engaged_within",
    "is_engagement",
    "count_values",
    "is_hierarchy_root",
    "do_not_contact",
    "bot_suspected",
    "account_type",
    "deliverability",
    "type",
    "occurred_at",
    "created_at",
    "updated_at",
    "name",
    "product",
    "need",
    "is_cloud_provider",
    "is_competitor",
    "is_integration_partner",
}
# Event times at as_of or later do not exist, so none lies ahead (of dates at most today's).
NEVER_AHEAD = {"last_engaged_at", "occurred_at", "ordered_at", "answered_at", "opened_at", "opened_on"}
# Provenance is told of some 100 stored fields in the same way; a few of each record stand for all (TREES: all).
FEW_PROVENANCE = ("name", "city", "country", "employee_count", "job_title", "buying_roles", "seniority")
RECORDS = ["account", "contact", "opportunity", "activity", "technology", "need", "purchase", "contract"]
RECORDS += ["support_case", "survey_answer", "line_item"]


def test_every_record_is_walked() -> None:
    assert set(registry.records) == set(RECORDS)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("record", RECORDS)
def test_field_operator_matrix(judged: Judged, record: str) -> None:
    wrong: list[str] = []
    cases = 0
    for field, member, relation in all_fields():
        if field.record != record or is_left_out(field):
            continue
        values = values_of(judged.oracle, field)
        for operator in operators_for(field, relation):
            problem = judge(judged, field, operator, values, member, relation)
            cases += 1
            if problem:
                wrong.append(f"{field.key} {operator}: {problem}")
    assert cases
    assert not wrong, "\n".join(wrong)


def judge(judged: Judged, field: FieldDef, operator: str, values: list[Any], member: str, relation: str) -> str:
    """Try operands until one splits the members; return what is wrong, or nothing."""
    total = judged.total(member)
    refused = ""
    tried = 0
    for operand in operands(field, operator, values):
        if tried == 15:
            break
        tried += 1
        condition = {"field": field.key, "operator": operator}
        if operand is not None:
            condition["value"] = operand
        try:
            rule = rule_of(condition, member, relation)
        except InvalidRule as error:
            refused = str(error)
            continue
        wanted, queried, evaluated = judged.verdicts(rule)
        found = set(evaluated.members)
        if wanted != queried:
            return f"{operand!r}: the query adds {queried - wanted} and lacks {wanted - queried}"
        if wanted != found:
            return f"{operand!r}: the bitmap adds {found - wanted} and lacks {wanted - found}"
        if 0 < len(wanted) < total:
            return ""
    if tried and operator in ("is_set", "is_empty") and name_of(field) in NEVER_EMPTY:
        return ""
    if tried and operator in ("in_next", "not_in_next") and name_of(field) in NEVER_AHEAD:
        return ""
    return f"no operand of {tried} both matches and misses ({refused or 'give the world more values'})"


def name_of(field: FieldDef) -> str:
    """Return the computation of a computed field, else the field's name."""
    return field.source.name if isinstance(field.source, Computed) and field.source.name != "via" else field.name


def is_left_out(field: FieldDef) -> bool:
    """Tell whether this is one of the many fields about provenance that a few stand for."""
    about = isinstance(field.source, Computed) and field.source.name.startswith("provenance")
    return about and "TREES" not in os.environ and field.name.split(".")[0] not in FEW_PROVENANCE


def values_of(oracle: Oracle, field: FieldDef) -> list[Any]:
    """Return the values that live records hold, sorted."""
    if isinstance(field.source, Computed) and field.source.name == "through_values":
        return [choice.value for choice in field.choices[:4]]
    record = registry.records[field.record]
    found: set[Any] = set()
    for row in oracle.world.rows(record.model):
        if oracle.values.exists(record, row):
            value = oracle.values.read(field, row, [])
            found |= value if isinstance(value, set) else {value}
    if target := registry.records.get(field.target):
        # Rules cannot name what is deleted.
        found = {key for key in found - {None} if is_live(target, oracle.world.tables[target.model][key])}
    return sorted(found - {None})
