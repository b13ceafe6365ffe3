"""Bitmaps: exact counts at every node, each atom read once, units in words, time limits, and who sees what."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.choices import ActivityType
from segmentation_crm.common.models import Role
from segments.rules.bitmaps import read_keys
from segments.rules.clock import Clock
from segments.rules.deadline import RuleTooExpensive, limited
from segments.rules.evaluate import evaluate, matching_keys, member_bitmap, member_queryset, restricted
from segments.rules.preview import preview
from segments.rules.validate import validate
from tests import factories

pytestmark = pytest.mark.django_db
RED = {"field": "account.city", "operator": "eq", "value": "Red"}
BIG = {"field": "account.employee_count", "operator": "gte", "value": 100}


def root(*rules: Any, combinator: str = "and") -> dict[str, Any]:
    return {"combinator": combinator, "rules": list(rules)}


def some(relation: str, *rules: Any, combinator: str = "and", mode: str = "some", **match: Any) -> dict[str, Any]:
    value = {"value": root(*rules, combinator=combinator)} if rules else {}
    return {"field": relation, "operator": "match", "match": {"mode": mode, **match}, **value}


def total(function: str, of: str, operator: str, value: Any, relation: str = "account.opportunities") -> dict[str, Any]:
    return {"field": relation, "aggregate": {"function": function, "of": of}, "operator": operator, "value": value}


def keys(rule: dict[str, Any], member: str = "account", as_of: Any = None) -> set[int]:
    """Return the members, after checking that the query and the bitmaps agree."""
    checked = validate(rule, member)
    clock = Clock.at(as_of)
    found = set(member_queryset(checked, clock).values_list("pk", flat=True))
    assert set(evaluate(checked, clock).members) == found == set(member_bitmap(checked, clock))
    assert set(matching_keys(checked, found | {10**6}, clock)) == found
    return found


def test_each_node_has_its_own_count_and_unit() -> None:
    one = factories.AccountFactory(city="Red", employee_count=500)
    two = factories.AccountFactory(city="red ", employee_count=5)
    factories.AccountFactory(city="Blue", employee_count=500)
    factories.ContactFactory(account=one, seniority="vp", department="it")
    factories.ContactFactory(account=two, seniority="vp", department="sales")
    factories.ContactFactory(account=two, seniority="manager", department="it")
    vp = {"field": "contact.seniority", "operator": "eq", "value": "vp"}
    it = {"field": "contact.department", "operator": "eq", "value": "it"}
    rule = validate(root(RED, root(BIG, RED, combinator="or"), some("account.contacts", vp, it)), "account")
    found = {n.path: (len(n.members), n.unit) for n in evaluate(rule).nodes}
    assert found == {
        (): (1, "accounts"),
        ("rules", 0): (2, "accounts"),
        ("rules", 1): (3, "accounts"),
        ("rules", 1, "rules", 0): (2, "accounts"),
        ("rules", 1, "rules", 1): (2, "accounts"),
        ("rules", 2): (1, "accounts"),
        ("rules", 2, "value"): (1, "accounts with such a contact"),
        ("rules", 2, "value", "rules", 0): (2, "accounts with such a contact"),
        ("rules", 2, "value", "rules", 1): (2, "accounts with such a contact"),
    }


def test_an_atom_is_read_once_however_often_it_stands() -> None:
    factories.AccountFactory(city="Red")
    rule = validate(root(RED, root(RED, BIG), root(RED, combinator="or")), "account")
    clock = Clock.at()
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert evaluate(rule, clock).queries == 3
    assert len(queries) == 3
    atoms: dict[Any, Any] = {}
    evaluate(rule, clock, atoms=atoms)
    with CaptureQueriesContext(connection) as queries:
        evaluate(rule, clock, atoms=atoms)
    assert len(queries) == 0  # the members that exist stand among the atoms


def test_related_rules_speak_of_one_row_and_no_member_comes_twice() -> None:
    """R41: conditions on to-many data; each record once."""
    one, two, three = factories.AccountFactory.create_batch(3)
    for account, amounts in ((one, (10, 90)), (two, (50,)), (three, ())):
        for amount in amounts:
            factories.OpportunityFactory(account=account, amount=amount, type="renewal")
    factories.OpportunityFactory(account=two, amount=99, type="expansion")
    large = {"field": "opportunity.amount", "operator": "gte", "value": 80}
    renewal = {"field": "opportunity.type", "operator": "eq", "value": "renewal"}
    deals = "account.opportunities"
    assert keys(root(some(deals, large, renewal))) == {one.pk}
    assert keys(root(some(deals, large), some(deals, renewal))) == {one.pk, two.pk}
    assert keys(root(some(deals, large, renewal, mode="none"))) == {two.pk, three.pk}
    assert keys(root(some(deals, renewal, mode="all"))) == {one.pk}
    assert keys(root(some(deals, renewal, mode="at_least", threshold=2))) == {one.pk}
    assert keys(root(some(deals, renewal, mode="at_most", threshold=1))) == {two.pk, three.pk}
    assert keys(root(some(deals, mode="exactly", threshold=2))) == {one.pk, two.pk}
    assert keys(root(some(deals, mode="exactly", threshold=0))) == {three.pk}


@pytest.mark.parametrize(
    ("operator", "holds"), [("eq", True), ("gt", False), ("gte", True), ("lt", False), ("lte", True)]
)
def test_sums_are_exact(operator: str, holds: bool) -> None:
    """0.1 + 0.2 is 0.3, and a thousand cents are ten units, on both databases."""
    account = factories.AccountFactory()
    for amount in ("0.1", "0.2"):
        factories.OpportunityFactory(account=account, amount=Decimal(amount))
    assert keys(root(total("sum", "opportunity.amount", operator, Decimal("0.3")))) == (
        {account.pk} if holds else set()
    )
    assert keys(root(total("avg", "opportunity.amount", operator, Decimal("0.15")))) == (
        {account.pk} if holds else set()
    )


def test_sums_of_extremes_are_exact() -> None:
    account = factories.AccountFactory()
    for amount in ("99999999999.9999", "99999999999.9999", "-0.0001", "0.0003"):
        factories.OpportunityFactory(account=account, amount=Decimal(amount))
    sums = "opportunity.amount"
    assert keys(root(total("sum", sums, "eq", Decimal("200000000000")))) == {account.pk}
    assert keys(root(total("sum", sums, "gt", Decimal("200000000000")))) == set()
    assert keys(root(total("avg", sums, "eq", Decimal("50000000000")))) == {account.pk}
    for amount in ("9999999999999999", "9999999999999999"):
        factories.OpportunityFactory(account=account, amount=Decimal(amount))
    assert keys(root(total("sum", sums, "gt", Decimal("10000000000000000")))) == {account.pk}
    assert keys(root(total("sum", sums, "lt", Decimal("9000000000000000000")))) == {account.pk}


def test_a_third_is_compared_by_cross_multiplication() -> None:
    account = factories.AccountFactory()
    won = factories.StageFactory(is_won=True)
    lost = factories.StageFactory(is_lost=True)
    for stage in (won, lost, lost):
        factories.OpportunityFactory(account=account, stage=stage)
    ratio = {
        "field": "account.opportunities",
        "aggregate": {"function": "ratio", "of": root({"field": "opportunity.is_open", "operator": "is_false"})},
        "where": root({"field": "opportunity.is_won", "operator": "is_true"}),
    }
    third = Decimal("0.3333333333")
    assert keys(root({**ratio, "operator": "gt", "value": third})) == {account.pk}
    assert keys(root({**ratio, "operator": "eq", "value": third})) == set()
    other = factories.AccountFactory()
    assert keys(root({**ratio, "operator": "is_empty"})) == {other.pk}
    assert keys(root({**ratio, "operator": "neq", "value": third})) == {account.pk, other.pk}


def test_what_happens_at_as_of_or_later_does_not_exist() -> None:
    as_of = dt.datetime(2026, 3, 31, 12, tzinfo=dt.UTC)
    contact = factories.ContactFactory()
    for hours in (-1, 0, 1):
        at = as_of + dt.timedelta(hours=hours)
        factories.ActivityFactory(contact=contact, type=ActivityType.CALL, occurred_at=at)
    calls = {"field": "contact.activities", "aggregate": {"function": "count"}, "operator": "eq", "value": 1}
    assert keys(root(calls), "contact", as_of) == {contact.pk}
    everything = root({"field": "activity.type", "operator": "eq", "value": "call"})
    assert len(keys(everything, "activity", as_of)) == 1
    assert len(keys(everything, "activity", dt.date(2026, 3, 31))) == 3


def test_deleted_merged_and_erased_records_are_nowhere() -> None:
    gone = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    kept = factories.AccountFactory(city="Red")
    deleted = factories.AccountFactory(city="Red", deleted_at=gone)
    factories.AccountFactory(city="Red", merged_into=kept)
    contact = factories.ContactFactory(account=deleted)
    factories.ContactFactory(account=kept, erased_at=gone)
    assert keys(root(RED)) == {kept.pk}
    assert keys(root(some("account.contacts"))) == set()
    assert keys(root(RED), "contact") == set()
    assert keys(root({**RED, "operator": "neq"}), "contact") == {contact.pk}
    assert keys(root({"field": "account.employee_count", "operator": "is_empty"}), "contact") == {contact.pk}


def test_the_largest_legal_tree_runs() -> None:
    """R32: depth 8, NOT everywhere, 200 atoms, related nested 3."""
    account = factories.AccountFactory(city="Red", employee_count=500)
    contact = factories.ContactFactory(account=account, seniority="vp")
    deal = factories.OpportunityFactory(account=account)
    factories.OpportunityContactFactory(opportunity=deal, contact=contact)
    factories.ActivityFactory(contact=contact, account=account)
    leaf: Any = {"field": "activity.channel", "operator": "neq", "value": "email"}
    call: Any = {"field": "activity.occurred_at", "operator": "not_in_last", "value": {"n": 3, "unit": "month"}}
    tree: Any = {"combinator": "or", "not": True, "rules": [leaf, call]}
    tree = {"combinator": "and", "not": True, "rules": [{**some("contact.activities"), "value": tree}]}
    title = {"field": "contact.job_title", "operator": "matches_word", "value": "sales"}
    tree["rules"].append(title)
    tree = {"combinator": "or", "not": True, "rules": [{**some("opportunity.contacts"), "value": tree}]}
    name = {"field": "opportunity.name", "operator": "contains", "value": "x"}
    tree["rules"].append(name)
    tree = {"combinator": "and", "not": True, "rules": [{**some("account.opportunities"), "value": tree}]}
    for level in range(4):
        tree = {"combinator": "or" if level % 2 else "and", "not": True, "rules": [tree, RED, BIG]}
    fillers = [
        {"field": "account.name", "operator": "not_contains", "value": f"nobody {number}"} for number in range(184)
    ]
    tree["rules"] += fillers
    assert len(keys(tree)) in (0, 1)
    assert keys({**tree, "not": False}).isdisjoint(keys({**tree, "not": True}))


def test_a_rule_that_takes_too_long_is_stopped() -> None:
    """R42: the database stops the query, and the connection works on."""
    slow = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000) SELECT count(*) FROM n"

    def count() -> None:
        with limited(0.2) as deadline, connection.cursor() as cursor:
            deadline.check()
            cursor.execute(slow)

    with pytest.raises(RuleTooExpensive):
        count()
    assert factories.AccountFactory().pk


def test_previews_can_write_nothing() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("PostgreSQL only: SQLite has no read-only transaction")
    from django.db import InternalError

    with pytest.raises(InternalError), limited():
        factories.AccountFactory()
    assert factories.AccountFactory().pk


def test_preview_counts_what_the_viewer_may_see_and_judges_by_all_rows() -> None:
    """Three people: alice owns one account, bob is her manager, charlie sees nothing of it."""
    team, other_team = factories.TeamFactory(), factories.TeamFactory()
    alice = factories.UserFactory(role=Role.SALES_REP, team=team)
    bob = factories.UserFactory(role=Role.SALES_MANAGER, team=team)
    charlie = factories.UserFactory(role=Role.SALES_REP, team=other_team)
    viewer = factories.UserFactory(role=Role.VIEWER)
    mine = factories.AccountFactory(city="Red", employee_count=500, owner=alice, name="Mine")
    factories.AccountFactory(city="Red", employee_count=900, owner=charlie)
    top = {"field": "account.employee_count", "operator": "top_percent", "value": 50}
    for user, red, best, total_seen in ((alice, 1, 0, 1), (bob, 1, 0, 1), (charlie, 1, 1, 1), (viewer, 2, 1, 2)):
        answer = preview(root(RED), "account", user)
        assert (answer.count, answer.total) == (red, total_seen)
        assert [n.count for n in answer.nodes] == [red, red]
        assert preview(root(top), "account", user).count == best
    answer = preview(root(RED), "account", alice)
    assert answer.sample == ((mine.pk, "Mine"),)
    assert answer.as_dict()["sample"] == [{"id": mine.pk, "name": "Mine"}]
    assert answer.undecided is None
    assert answer.sentence
    assert answer.note == ""
    assert preview(root(RED), "account", alice, dt.date(2020, 1, 1)).note


def test_many_keys_travel_as_one_parameter() -> None:
    accounts = factories.AccountFactory.create_batch(3)
    wanted = [accounts[0].pk, accounts[2].pk, *range(10**6, 10**6 + 40_000)]
    found = read_keys(restricted(type(accounts[0]).objects.all(), wanted).values("pk"))
    assert set(found) == {accounts[0].pk, accounts[2].pk}
