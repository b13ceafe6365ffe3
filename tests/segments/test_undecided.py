"""Undecided: missing data decide. Bound to the oracle by brute force over possible values, on random rules."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from segmentation_crm.common.fields import registry
from segments.rules.bitmaps import Evaluator
from segments.rules.clock import Clock
from segments.rules.judging import Judge
from segments.rules.keyed import KeyedEvaluator
from segments.rules.nodes import Condition, Rule
from segments.rules.operators import HISTORY, RANKING
from segments.rules.parse import parse_rule_json
from segments.rules.undecided import find_undecided
from segments.rules.unknowns import own_conditions, unknowns_of
from segments.rules.validate import validate
from segments.rules.worlds import values_of
from tests.factories import AccountFactory, ContactFactory, TermFactory
from tests.oracle import Oracle, load_world
from tests.rule_strategies import rules
from tests.segments.rule_cases import all_fields, dumps, operands, operators_for, rule_of
from tests.worlds.fixture import Judged

from .asking import condition, group, related

pytestmark = pytest.mark.django_db


def asked(raw: dict[str, Any], member: str = "account") -> Any:
    """Return whom missing data decide, after checking that the way over given keys says the same."""
    rule = validate(raw if "combinator" in raw else group(raw), member)
    clock = Clock.at()
    whole = Evaluator(member, clock)
    found = find_undecided(rule, whole)
    again = find_undecided(rule, KeyedEvaluator(member, clock, list(whole.universe)))
    assert again.as_dict() == found.as_dict()
    assert again.keys == found.keys
    return found


LARGE = condition("account.employee_count", "gte", 200)
GERMAN = condition("account.country", "eq", "DE")


def test_who_lacks_the_figure_is_undecided_and_the_figure_settles_it():
    AccountFactory(employee_count=500)
    AccountFactory(employee_count=5)
    blank = AccountFactory(employee_count=None)
    found = asked(LARGE)
    assert set(found.keys) == {blank.pk}
    assert found.as_dict() == {
        "count": 1,
        "upper_bound": False,
        "fields": [{"field": "account.employee_count", "missing": 1, "settles": 1}],
    }


def test_what_something_else_decides_is_decided():
    AccountFactory(employee_count=None, country="FR")
    both = AccountFactory(employee_count=None, country="")
    one = AccountFactory(employee_count=None, country="DE")
    found = asked(group(LARGE, GERMAN))
    assert set(found.keys) == {both.pk, one.pk}
    # France for the one, few employees for the other leave it open; no field alone settles a record lacking both.
    assert found.as_dict()["fields"] == [
        {"field": "account.employee_count", "missing": 2, "settles": 1},
        {"field": "account.country", "missing": 1, "settles": 0},
    ]


def test_conditions_on_the_same_field_are_answered_together():
    AccountFactory(employee_count=None)
    # No number is both; not set is neither.
    assert not asked(
        group(condition("account.employee_count", "gt", 10), condition("account.employee_count", "lt", 5))
    ).keys
    # Whatever the number is, and also where there is none.
    either = group(LARGE, condition("account.employee_count", "not_between", [200, 10**9]), combinator="or")
    assert not asked(either).keys
    always = group(LARGE, group(LARGE, negated=True), combinator="or")
    assert not asked(always).keys


def test_a_stored_band_bounds_the_number():
    small = AccountFactory(employee_count=None, employee_band="11-50")
    across = AccountFactory(employee_count=None, employee_band="51-200")
    large = AccountFactory(employee_count=None, employee_band="501-1000")
    unknown = AccountFactory(employee_count=None, employee_band="")
    assert set(asked(LARGE).keys) == {across.pk, large.pk, unknown.pk}
    assert small.pk not in asked(condition("account.employee_count", "gt", 50)).keys
    # Of whom the band says enough the number is still asked for, and it settles.
    assert asked(condition("account.employee_count", "gt", 300)).as_dict()["count"] == 2
    revenue = AccountFactory(annual_revenue=None, revenue_band="10-50M")
    found = asked(condition("account.annual_revenue", "lt", 10_000_000))
    assert revenue.pk not in found.keys


def test_size_class_and_age_ask_for_what_they_follow_from():
    blank = AccountFactory(employee_count=None, founded_year=None)
    found = asked(group(condition("account.size_class", "eq", "small"), condition("account.age_years", "gte", 10)))
    assert set(found.keys) == {blank.pk}
    assert {gap.unknown.key for gap in found.gaps} == {"account.employee_count", "account.founded_year"}
    # The number gives the band too: not both small and of the greatest band.
    never = group(condition("account.employee_count", "lt", 50), condition("account.employee_band", "eq", "10001+"))
    assert not asked(never).keys
    assert (
        asked(condition("account.employee_band", "eq", "10001+")).as_dict()["fields"][0]["field"]
        == "account.employee_band"
    )


def test_a_field_of_the_account_settles_its_contacts():
    blank = AccountFactory(employee_count=None)
    ann, ben = ContactFactory(account=blank), ContactFactory(account=AccountFactory(employee_count=7))
    found = asked(LARGE, "contact")
    assert ann.pk in found.keys
    assert ben.pk not in found.keys
    assert found.as_dict()["fields"][0]["field"] == "account.employee_count"


def test_facts_are_never_unknown():
    AccountFactory()
    assert not asked(related("account.opportunities", "some", condition("opportunity.amount", "gte", 5))).keys
    assert not asked(condition("account.tags", "is_empty")).keys
    assert not asked(condition("account.last_engaged_at", "in_last", {"n": 3, "unit": "day"})).keys
    assert not asked(condition("account.lifecycle_stage", "has_ever_been", ["customer"])).keys
    AccountFactory(lifecycle_stage="")
    assert asked(condition("account.lifecycle_stage", "eq", "customer")).keys


def test_more_than_three_missing_fields_give_an_upper_bound():
    fields = {"employee_count": None, "country": "", "growth_stage": "", "ownership": ""}
    blank = AccountFactory(**fields)
    AccountFactory(employee_count=None, country="DE", growth_stage="growth", ownership="private")
    conditions = [
        LARGE,
        GERMAN,
        condition("account.growth_stage", "eq", "growth"),
        condition("account.ownership", "is_set"),
    ]
    found = asked(group(*conditions))
    assert found.upper_bound
    assert blank.pk in found.keys
    assert found.as_dict()["count"] == 2
    # Set or not, three fields more are open.
    assert found.as_dict()["fields"][0] == {"field": "account.employee_count", "missing": 2, "settles": 1}
    assert asked(group(*conditions, combinator="or")).as_dict()["count"] == 1


def test_only_what_one_asks_within_is_looked_at():
    first, second = AccountFactory(employee_count=None), AccountFactory(employee_count=None)
    evaluator = Evaluator("account", Clock.at())
    found = find_undecided(validate(group(LARGE), "account"), evaluator, BitMap([first.pk]))
    assert set(found.keys) == {first.pk}
    assert second.pk in find_undecided(validate(group(LARGE), "account"), evaluator).keys


def test_a_tree_is_cut_at_its_nodes():
    top = TermFactory(vocabulary="industry", name="Manufacturing")
    low = TermFactory(vocabulary="industry", name="Machines", parent=top)
    AccountFactory(industry=None)
    under = condition("account.industry", "under", top.pk)
    exactly = condition("account.industry", "eq", low.pk)
    # Whoever is below is under; no industry is exactly the lower one and not under the upper.
    assert not asked(group(exactly, group(under, negated=True))).keys
    assert asked(group(exactly, under)).keys


# --- the judge and the compiler are one ---
def test_the_judge_answers_like_the_compiled_query(judged: Judged) -> None:
    """For every stored field and operator, over the values that records hold."""
    judge, oracle = Judge(judged.clock), judged.oracle
    seen = 0
    for definition, member, relation in all_fields():
        if relation or ".source" in definition.key or ".age_days" in definition.key:
            continue
        held = values_by_key(oracle, definition)
        every = {one for v in held.values() for one in (v if isinstance(v, set) else {v})}
        flat = sorted(every - {None}, key=str)
        for operator in operators_for(definition, relation):
            if operator in HISTORY or operator in RANKING or not flat:
                continue
            try:
                operand = next(iter(operands(definition, operator, sorted(flat))))
                raw = {"field": definition.key, "operator": operator}
                rule = rule_of({**raw, **({} if operand is None else {"value": operand})}, member)
            except Exception:
                continue
            node = next(own_conditions(rule.root))
            wanted = oracle.members(rule)
            live = {row["id"] for row in oracle.universe(member)}
            said = {
                key for key, value in held.items()
                if key in live and judge.holds(node, frozenset(value) if isinstance(value, set) else value)
            }  # fmt: skip
            assert said == wanted, (definition.key, operator, operand)
            seen += 1
    assert seen > 500


def values_by_key(oracle: Oracle, definition: Any) -> dict[int, Any]:
    """Return what each live record holds in a field."""
    record = registry.records[definition.record]
    rows = [row for row in oracle.world.rows(record.model) if oracle.values.exists(record, row)]
    return {row["id"]: oracle.values.read(definition, row, []) for row in rows}


# --- brute force ---
BRUTE = settings(
    max_examples=60, deadline=None, database=None, derandomize=True,
    suppress_health_check=list(HealthCheck), phases=[Phase.generate],
)  # fmt: skip


class Filled(Oracle):
    """The oracle, over records whose missing fields hold given values."""

    filled: dict[tuple[str, tuple[str, ...]], Any]

    def positive(self, field, ref, operator, operand, record, row, link):
        key = (field.key, ref.hops)
        if operator not in HISTORY and key in self.filled:
            value = self.filled[key]
            if field.type == "multi":
                return self.several(field, set(value or ()), operator, operand)
            return value is not None and self.single(field.type, field.target, value, operator, operand)
        return super().positive(field, ref, operator, operand, record, row, link)


def possible(node: Condition, conditions: list[Condition], oracle: Oracle) -> Iterator[Any]:
    """Yield values that a field may hold, from the oracle's side: constants, their neighbours, what records hold."""
    definition = node.ref.field
    held = [v for v in values_by_key(oracle, definition).values() if v is not None]
    if definition.type == "multi":
        items = sorted({one for v in held for one in v}, key=str)[:4]
        named = [one for c in conditions if isinstance(c.value, tuple) for one in c.value]
        pool = list(dict.fromkeys([*named, *items]))[:4]
        for size in range(1, 2 ** len(pool)):
            yield {one for n, one in enumerate(pool) if size >> n & 1}
        return
    yield from held[:40]
    for c in conditions:
        for one in c.value if isinstance(c.value, tuple) else (c.value,):
            if isinstance(one, int | Decimal) and definition.type in ("integer", "decimal", "percent", "money"):
                yield from (one - 1, one, one + 1)
            elif isinstance(one, int | str) and definition.type in ("enum", "reference", "tree"):
                yield one


FIELDS = (
    "account.employee_count", "account.annual_revenue", "account.country", "account.industry", "account.growth_stage",
    "account.employee_growth_12m", "account.customer_since", "account.languages", "account.city", "account.tier",
)  # fmt: skip


def test_brute_force_over_possible_values_agrees(judged: Judged) -> None:
    """Undecided exactly when some value of the missing fields changes the verdict; settled when none leaves it open."""
    oracle = Filled(load_world(), judged.clock.as_of)
    names = judged.names
    keep = {*FIELDS}
    every = [f.key for f in registry.fields("account") if f.key not in keep]
    leave_out = frozenset([*every, *(key.replace("account.", "account.parent.", 1) for key in [*every, *FIELDS])])
    world = type(names)(**{**names.__dict__, "leave_out": names.leave_out | leave_out, "segments": {}, "custom": ()})
    compared = [0]

    @BRUTE
    @given(st.data())
    def check(data: st.DataObject) -> None:
        raw = data.draw(rules("account", world, max_depth=2, max_related=0))
        rule = validate(parse_rule_json(dumps(raw)), "account")
        if any(c.operator in RANKING for c in own_conditions(rule.root)):
            return
        found = find_undecided(rule, Evaluator("account", judged.clock))
        unknowns = unknowns_of(rule.root)
        for row in oracle.universe("account"):
            compare(rule, row, found, unknowns)

    def compare(rule: Rule, row: Any, found: Any, unknowns: Any) -> None:
        oracle.filled, oracle.member_type = {}, "account"
        lacking = [u for u in unknowns if oracle.values.read(u.field, row) in (None, set())]
        banded = [u for u in lacking if u.band is not None and row[u.band.field.name]]
        if not lacking or len(lacking) > 2 or banded:
            return
        pools = [[None, *possible(u.is_empty(), list(u.conditions), oracle)] for u in lacking]
        verdicts: dict[tuple[int, ...], bool] = {}
        for chosen in product(*(range(len(pool)) for pool in pools)):
            oracle.filled = {
                (u.field.key, u.ref.hops): pool[n] for u, pool, n in zip(lacking, pools, chosen, strict=True)
            }
            verdicts[chosen] = oracle.holds(rule.root, "account", row, None)
        oracle.filled = {}
        differs = len(set(verdicts.values())) > 1
        compared[0] += differs
        # The pool of values is finite: where it shows a difference there is one.
        if differs:
            assert row["id"] in found.keys, rule.canonical
        for place, unknown in enumerate(lacking):
            settled = row["id"] in next((g.settles for g in found.gaps if g.unknown.key == unknown.key), set())
            if settled:
                by_value: dict[int, set[bool]] = {}
                for chosen, verdict in verdicts.items():
                    if chosen[place]:
                        by_value.setdefault(chosen[place], set()).add(verdict)
                assert all(len(v) == 1 for v in by_value.values()), rule.canonical
        if row["id"] in found.keys and not found.upper_bound:
            assert_witness(rule, row, lacking)

    def assert_witness(rule: Rule, row: Any, lacking: Any) -> None:
        """The worlds themselves, judged by the oracle: who is called undecided has two worlds that differ."""
        judge = Judge(judged.clock)
        pools = [[None, *values_of(u, judge)] for u in lacking]
        seen = set()
        for chosen in product(*pools):
            oracle.filled = {(u.field.key, u.ref.hops): v for u, v in zip(lacking, chosen, strict=True)}
            seen.add(oracle.holds(rule.root, "account", row, None))
        oracle.filled = {}
        assert seen == {True, False}, rule.canonical

    check()
    assert compared[0] > 100
