"""How time wakes rules: everything is declared, and slivers name everybody whose verdict time changes."""

import datetime as dt
import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from pyroaring import BitMap

from accounts.capture import Taken, climb
from segmentation_crm.common.fields import Computed, FieldDef, registry
from segments.rules.clock import Clock
from segments.rules.evaluate import member_bitmap
from segments.rules.nodes import InvalidRule, Rule
from segments.rules.operators import FUNCTIONS, SEGMENT
from segments.rules.validate import validate
from segments.wakes import NEVER, Undeclared, existence_name, reading_of, value_wakes, wakes
from segments.wakes import declarations as declared
from segments.wakes.slivers import came_to_exist
from tests.segments.asking import condition, days, figure, group, related
from tests.segments.rule_cases import all_fields, operands, operators_for, rule_of
from tests.segments.test_field_operator_matrix import is_left_out, values_of
from tests.worlds import pools
from tests.worlds.fixture import Judged

# From a moment in the afternoon: within the day, over midnight, over a month, over the fiscal and the calendar year.
PASSES = [dt.timedelta(hours=2), dt.timedelta(hours=11), dt.timedelta(days=200)]
# Every field with every operator, and more operands of each, instead of one field of each kind for every operator.
EVERYTHING = "TREES" in os.environ
TRIED = 3 if EVERYTHING else 1


@pytest.mark.django_db
def test_every_field_and_operator_says_how_time_wakes_it() -> None:
    for field, _, relation in all_fields():
        for operator in operators_for(field, relation):
            assert wakes(field, operator) in (declared.NEVER, declared.SLIVER, declared.DAILY)


def test_every_figure_and_segment_condition_says_how_time_wakes_it() -> None:
    assert set(declared.FUNCTIONS) == set(FUNCTIONS)
    assert set(declared.SEGMENTS) == set(SEGMENT)


def test_what_is_not_declared_is_refused() -> None:
    field = registry.field("account.age_years") or next(f for f in registry.fields() if f.wakes == "daily")
    with pytest.raises(Undeclared, match="say in segments"):
        value_wakes(replace(field, source=Computed("moon_phase")))
    with pytest.raises(Undeclared, match=r"segments\.wakes says daily"):
        value_wakes(replace(field, wakes="never"))
    with pytest.raises(Undeclared):
        wakes(field, "rhymes_with")


def nominated(rule: Rule, a: Clock, b: Clock) -> BitMap:
    """Return whom time wakes between two moments."""
    reading = reading_of(rule)
    named = {waking.name: waking.sliver(a, b) for waking in reading.wakings}
    named |= {existence_name(p): came_to_exist(registry.records[p], a, b) for p in reading.existing}
    return climb(reading.reads, Taken(), named)


def missed(rule: Rule, passes: list[dt.timedelta]) -> Any:
    """Return members whose verdict time changed and whom nothing named, over some stretches of time."""
    start = Clock.at(pools.AS_OF)
    before = member_bitmap(rule, start)
    for step in passes:
        later = replace(start, as_of=start.as_of + step)
        found = (before ^ member_bitmap(rule, later)) - nominated(rule, start, later)
        if found:
            return step, sorted(found)
    return None


@pytest.mark.timeout(600)
def test_slivers_name_everybody_whom_time_changes(judged: Judged) -> None:
    wrong = []
    for field, member, relation, operator in woken():
        values = values_of(judged.oracle, field)
        for operand in list(operands(field, operator, values))[:TRIED]:
            rule = rule_with(field, operator, operand, member, relation)
            if rule is not None and (found := missed(rule, PASSES)):
                wrong.append(f"{field.key} {operator} {operand}: {found}")
    assert not wrong, "\n".join(wrong)


def woken() -> Iterator[tuple[FieldDef, str, str, str]]:
    """Yield field, member type, relation and operator where time wakes the condition.

    Unless everything is tried: each operator once for each kind of field, with the fields of a kind taking turns.
    """
    kinds = defaultdict(list)
    for field, member, relation in all_fields():
        if is_left_out(field) or member == "activity":
            continue
        for operator in operators_for(field, relation):
            if wakes(field, operator) != NEVER:
                kind = (type(field.source), field.type, field.wakes, member, bool(relation), operator)
                kinds[kind].append((field, member, relation, operator))
    for turn, found in enumerate(kinds.values()):
        yield from found if EVERYTHING else [found[turn % len(found)]]


def rule_with(field: FieldDef, operator: str, operand: Any, member: str, relation: str) -> Rule | None:
    """Return the rule of one condition, None where the operand does not fit."""
    try:
        return rule_of({"field": field.key, "operator": operator, "value": operand}, member, relation)
    except InvalidRule:
        return None


FIGURES = [
    ("contact", figure("contact.activities", "days_since_last", "gte", 30)),
    ("contact", figure("contact.activities", "count", "gte", 2)),
    ("account", figure("account.activities", "max", "in_last", days(30), of="activity.occurred_at")),
    ("account", figure("account.activities", "last", "more_than_ago", days(7), of="activity.occurred_at")),
    ("account", figure("account.contacts", "max", "in_last", days(30), of="contact.last_engaged_at")),
    ("account", figure("account.children", "sum", "gte", 100, of="account.age_years")),
    ("account", figure("account.opportunities", "count", "gte", 1)),
    ("contact", related("account.purchases", "none", condition("purchase.ordered_at", "in_last", days(30)))),
    ("contact", condition("account.last_engaged_at", "not_in_last", days(30))),
    ("account", related("account.contacts", "all", condition("contact.engaged_90d", "is_true"))),
    ("contact", related("contact.accounts", "some", condition("account.age_years", "gte", 20))),
    ("contact", condition("account.age_years", "top_percent", 25)),
]


@pytest.mark.parametrize(("member", "rule"), FIGURES)
def test_slivers_of_figures_and_related_rows(judged: Judged, member: str, rule: dict[str, Any]) -> None:
    try:
        checked = validate(group(rule), member)
    except InvalidRule as problem:
        pytest.fail(str(problem))
    assert missed(checked, PASSES) is None
