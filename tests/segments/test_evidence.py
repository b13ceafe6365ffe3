"""Evidence: the tree's root is the query's verdict, what was read is told, and what is suggested really flips it."""

import datetime as dt

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from accounts.models import Account, RecordChange
from accounts.services.custom_fields import create_custom_field, set_custom_values
from segmentation_crm.common.effective_time import effective_time
from segmentation_crm.common.models import Role
from segments.evidence import explain, nearest_misses
from segments.evidence.flips import FlipSearch, apply_edits, atoms_of
from segments.evidence.past import explain_at
from segments.evidence.tree import TreeBuilder
from segments.rules.bitmaps import Evaluator
from segments.rules.clock import Clock
from segments.rules.evaluate import matching_keys
from segments.rules.keyed import KeyedEvaluator
from segments.rules.parse import parse_rule_json
from segments.rules.validate import validate
from segments.services.overrides import set_override
from segments.services.rebuilding import rebuild_segment
from tests.factories import AccountFactory, ContactFactory, OpportunityFactory, StageFactory, TermFactory, UserFactory
from tests.rule_strategies import rules
from tests.segments.rule_cases import dumps
from tests.worlds.fixture import Judged

from .asking import condition, figure, group, related
from .making import built, larger_than, three_people

pytestmark = pytest.mark.django_db
LARGE = condition("account.employee_count", "gte", 200)
GERMAN = condition("account.country", "eq", "DE")


@pytest.fixture
def admin():
    return UserFactory(role=Role.ADMIN)


def lines(node):
    """Return (words, holds, state, value) of every node, in order."""
    found = [(node.words, node.holds, node.state, node.value)]
    for part in node.nodes:
        found += lines(part)
    return found


def test_the_tree_says_what_was_read(admin):
    account = AccountFactory(employee_count=240, country="FR", annual_revenue=None, name="Kessler")
    segment = built(group(LARGE, group(GERMAN, condition("account.annual_revenue", "gt", 5), combinator="or")))
    found = explain(segment, account, admin)
    assert lines(found.tree) == [
        ("All of these", False, "unknown", None),
        ("At least 200 employees", True, "true", "240 employees"),
        ("At least one of these", False, "unknown", None),
        ("Country is Germany", False, "false", "France"),
        ("Annual revenue is more than 5", False, "unknown", "no value"),
    ]
    assert not found.is_in
    assert not found.is_behind
    assert [[(e.field, e.old, e.new) for e in c.edits] for c in found.changes] == [
        [("account.annual_revenue", "no value", "$6")],
        [("account.country", "France", "Germany")],
    ] or len(found.changes) == 2


def test_the_related_rows_that_matched_are_named(admin):
    account = AccountFactory()
    won, lost = StageFactory(is_won=True, is_open=False), StageFactory(is_lost=True, is_open=False)
    for number in range(7):
        OpportunityFactory(account=account, name=f"Deal {number}", stage=won, amount=100)
    OpportunityFactory(account=account, name="Lost one", stage=lost, amount=100)
    rule = group(
        related("account.opportunities", "some", condition("opportunity.is_won", "is_true")),
        figure("account.opportunities", "sum", "gte", 500, of="opportunity.amount"),
    )
    tree = explain(built(rule), account, admin).tree
    deals, total = tree.nodes
    assert (deals.rows.count, deals.rows.total, deals.rows.hidden, len(deals.rows.shown)) == (7, 8, 0, 5)
    assert deals.rows.shown[0].words.startswith("Deal")
    assert deals.rows.shown[0].url
    assert total.rows.figure == "$800"
    inner = deals.nodes[0]
    assert (inner.holds, inner.inner, inner.rows_inside) == (True, True, 7)


def test_rows_of_hidden_accounts_are_counted_not_shown():
    alice, bob, charlie = three_people()
    hidden = AccountFactory(owner=charlie, name="Verborgen", employee_count=900)
    anna = ContactFactory(account=hidden, owner=alice, first_name="Anna", last_name="Own")
    OpportunityFactory(account=hidden, name="Secret deal", amount=77_777, owner=charlie)
    rule = group(
        LARGE,
        related("account.opportunities", "some", condition("opportunity.amount", "gt", 5)),
        figure("account.opportunities", "max", "gt", 5, of="opportunity.amount"),
        condition("contact.account", "in", [hidden.pk]),
    )
    segment = built(rule, member_type="contact")
    for viewer, sees in ((alice, False), (bob, False), (charlie, True)):
        found = explain(segment, anna, viewer)
        text = str(found.tree.as_dict()) + str(found.changes) + found.no_change
        assert found.tree.holds
        assert ("Verborgen" in text) is sees
        assert ("Secret deal" in text) is sees
        assert ("77,777" in text) is sees
        assert ("900" in text) is sees
        assert found.tree.nodes[1].rows.hidden == (0 if sees else 1)


def test_what_stands_above_the_rule_is_told(admin):
    account = AccountFactory(employee_count=500)
    segment = built(larger_than(200))
    assert explain(segment, account, admin).is_in
    set_override(admin, segment, account.pk, "exclude", "Competitor")
    found = explain(segment, account, admin)
    assert not found.is_in
    assert found.tree.holds
    assert "Competitor" in found.standing.decided
    assert "kept out by hand" in found.no_change
    assert found.changes == ()


def test_no_edit_flips_what_rests_on_other_records(admin):
    account = AccountFactory(employee_count=500)
    segment = built(group(LARGE, related("account.opportunities", "some")))
    found = explain(segment, account, admin)
    assert found.changes == ()
    assert "rests on opportunities" in found.no_change
    other = built(group(condition("account.last_engaged_at", "in_last", {"n": 3, "unit": "day"})), name="Engaged")
    assert "what happened" in explain(other, account, admin).no_change


def test_the_fewest_fields_are_named_and_tried(admin):
    account = AccountFactory(employee_count=10, country="FR", growth_stage="seed")
    segment = built(group(LARGE, GERMAN, condition("account.growth_stage", "neq", "seed")))
    change = explain(segment, account, admin).changes[0]
    assert [(e.label, e.old, e.new) for e in change.edits][:2] == [
        ("Employees", "10 employees", "200 employees"),
        ("Country", "France", "Germany"),
    ]
    assert len(change.edits) == 3
    account.refresh_from_db()
    assert account.employee_count == 10
    assert account.version == 1
    apply_edits(change, admin)
    assert account.pk in matching_keys(validate(segment.rules, "account"), [account.pk])


def test_many_kinds_of_fields_can_be_suggested(admin):
    top = TermFactory(vocabulary="industry", name="Manufacturing")
    TermFactory(vocabulary="industry", name="Software")
    tag = TermFactory(vocabulary="tag", name="Hot")
    create_custom_field("account", "erp", "ERP", "enum", choices=["sap", "none"])
    account = AccountFactory(industry=top, employee_count=None, name="Kessler", tier="")
    set_custom_values(account, {"erp": "none"})
    cases = [
        condition("account.industry", "not_under", top.pk),
        condition("account.tags", "any_of", [tag.pk]),
        condition("account.custom.erp", "eq", "sap"),
        condition("account.name", "contains", "GmbH"),
        condition("account.size_class", "eq", "small"),
        condition("account.employee_band", "eq", "201-500"),
        condition("account.age_years", "gte", 1900),
        condition("account.do_not_contact", "is_true"),
        condition("account.tier", "in", ["1", "2"]),
        condition("account.annual_revenue", "between", [10, 20]),
        condition("account.tags", "is_set"),
    ]
    for case in cases:
        rule = validate(group(case), "account")
        builder = TreeBuilder(rule, account.pk, admin, Clock.at())
        truths = {atom.path: builder.holds(atom) for atom in atoms_of(rule.root)}
        changes = FlipSearch(rule, account.pk, truths, admin).run()
        if case["field"] == "account.age_years":
            continue
        assert changes, case
        with transaction.atomic():
            apply_edits(changes[0], admin)
            assert (account.pk in matching_keys(rule, [account.pk])) != truths[rule.root.rules[0].path], case
            transaction.set_rollback(True)


def test_nearest_misses_come_by_how_few_conditions_keep_them_out(admin):
    AccountFactory(employee_count=500, country="DE", growth_stage="growth")
    one = AccountFactory(employee_count=500, country="FR", growth_stage="growth")
    two = AccountFactory(employee_count=5, country="FR", growth_stage="growth")
    AccountFactory(employee_count=5, country="FR", growth_stage="seed")
    raw = group(LARGE, GERMAN, condition("account.growth_stage", "eq", "growth"))
    rule = validate(raw, "account")
    evaluator = Evaluator("account", Clock.at())
    found = nearest_misses(rule, evaluator, evaluator.universe, limit=2)
    assert [(m.key, m.turns, m.fails) for m in found] == [
        (one.pk, 1, ("Country is Germany",)),
        (two.pk, 2, ("At least 200 employees", "Country is Germany")),
    ]
    either = validate(group(raw, group(GERMAN, negated=True), combinator="or"), "account")
    assert {m.turns for m in nearest_misses(either, evaluator, evaluator.universe)} <= {1}


# --- properties ---
RANDOM = settings(
    max_examples=40, deadline=None, database=None, derandomize=True,
    suppress_health_check=list(HealthCheck), phases=[Phase.generate],
)  # fmt: skip


def test_the_root_is_the_querys_verdict_on_random_rules(judged: Judged) -> None:
    """For every record at hand; and every node of the tree says what the evaluator over all records says."""
    viewer = UserFactory(role=Role.ADMIN)

    @RANDOM
    @given(st.data())
    def check(data: st.DataObject) -> None:
        member = data.draw(st.sampled_from(["account", "contact"]))
        raw = data.draw(rules(member, judged.names, max_depth=3, max_related=2))
        rule = validate(parse_rule_json(dumps(raw)), member)
        whole = Evaluator(member, judged.clock)
        keys = list(whole.universe)
        matching = set(matching_keys(rule, keys, judged.clock))
        assert set(KeyedEvaluator(member, judged.clock, keys).node(rule.root)) == matching
        for key in keys[:: max(1, len(keys) // 3)]:
            tree = TreeBuilder(rule, key, viewer, judged.clock).root()
            assert tree.holds == (key in matching), rule.canonical
            for part, node in zip(tree.nodes, rule.root.rules, strict=True):
                assert part.holds == (key in whole.node(node))

    check()


EDITED = ("account.employee_count", "account.country", "account.tier", "account.founded_year", "account.industry")


def test_applying_a_suggestion_flips_and_none_means_none(judged: Judged) -> None:
    """Over random rules on editable fields: what is suggested flips; where nothing is, no single edit does."""
    viewer = UserFactory(role=Role.ADMIN)
    names = judged.names
    every = [f.key for f in _fields("account") if f.key not in EDITED]
    leave = [*every, *(k.replace("account.", "account.parent.", 1) for k in [*every, *EDITED])]
    world = type(names)(**{**names.__dict__, "leave_out": frozenset(leave), "segments": {}, "custom": ()})
    told = [0, 0]

    @settings(RANDOM, max_examples=9)
    @given(st.data())
    def check(data: st.DataObject) -> None:
        raw = data.draw(rules("account", world, max_depth=2, max_related=1))
        rule = validate(parse_rule_json(dumps(raw)), "account")
        for key in list(Evaluator("account", Clock.at()).universe)[::19]:
            builder = KeyedEvaluator("account", Clock.at(), [key])
            truths = {atom.path: key in builder.node(atom) for atom in atoms_of(rule.root)}
            before = key in matching_keys(rule, [key])
            changes = FlipSearch(rule, key, truths, viewer).run()
            for change in changes:
                told[0] += 1
                with transaction.atomic():
                    apply_edits(change, viewer)
                    assert (key in matching_keys(rule, [key])) != before, rule.canonical
                    transaction.set_rollback(True)
            if not changes or len(changes[0].edits) > 1:
                told[1] += 1
                assert not _some_single_edit_flips(rule, key, before, judged), rule.canonical

    check()
    assert told[0] > 5
    assert told[1] > 2


def _fields(record):
    from segmentation_crm.common.fields import registry

    return registry.fields(record)


def _some_single_edit_flips(rule, key, before, judged):
    """Write values of all sorts into each field by itself; tell whether one flips the rule."""
    tries = {
        "employee_count": [None, 0, 1, 2, 9, 10, 11, 49, 50, 51, 199, 200, 201, 999, 1000, 1001, 2000, 20_000, 10**6],
        "country": ["", "DE", "FR", "US", "GB", "ZW"],
        "tier": ["", "1", "2", "3"],
        "founded_year": [None, 1, 1899, 1989, 1990, 1999, 2000, 2010, 2020, 2024],
        "industry_id": [None, *judged.names.references["term:industry"]],
    }
    for name, values in tries.items():
        for value in values:
            with transaction.atomic():
                account = Account.objects.get(pk=key)
                setattr(account, name, value)
                account.save()
                flips = (key in matching_keys(rule, [key])) != before
                transaction.set_rollback(True)
            if flips:
                return True
    return False


# --- at a past moment ---
def test_a_past_moment_tells_verdict_version_run_and_what_was_recorded(admin):
    now = timezone.now()
    with effective_time(now - dt.timedelta(days=60)):
        account = AccountFactory(employee_count=10, country="DE", city="Ulm")
        segment = built(group(LARGE, condition("account.country", "eq", "DE")))
    with effective_time(now - dt.timedelta(days=30)):
        account.employee_count = 500
        account.save()
        rebuild_segment(segment.pk)
    with effective_time(now - dt.timedelta(days=10)):
        account.employee_count = 20
        account.save()
        rebuild_segment(segment.pk)
    then = explain_at(segment, account, now - dt.timedelta(days=20), admin)
    assert then.was_in is True
    assert (then.move.entered, then.version) == (True, 1)
    assert then.move.at == now - dt.timedelta(days=30)
    lines_then = {node.field: (node.state, node.value) for node in then.tree.nodes}
    assert lines_then["account.employee_count"] == ("true", "500 employees")
    assert lines_then["account.country"] == ("true", "Germany")
    earlier = explain_at(segment, account, now - dt.timedelta(days=45), admin)
    assert earlier.was_in in (False, None)
    assert earlier.move is None
    before = explain_at(segment, account, now - dt.timedelta(days=90), admin)
    assert before.was_in is None
    later = explain_at(segment, account, now - dt.timedelta(days=5), admin)
    assert (later.was_in, later.move.entered) == (False, False)


def test_what_was_not_recorded_is_not_made_up(admin):
    account = AccountFactory(employee_count=500)
    segment = built(group(LARGE, related("account.opportunities", "none")))
    Account.objects.filter(pk=account.pk).update(employee_count=600)
    RecordChange.objects.all().delete()
    then = explain_at(segment, account, timezone.now(), admin)
    assert {node.state for node in then.tree.nodes} == {"not_recorded"}
    assert {node.value for node in then.tree.nodes} == {"not recorded"}
