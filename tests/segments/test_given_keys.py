"""Rules over given keys, atom by atom: the same verdicts as one restricted query, whatever the portions."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from segments.rules.clock import Clock
from segments.rules.evaluate import matching_keys
from segments.rules.given_keys import GivenKeys
from segments.rules.validate import validate
from tests.factories import AccountFactory, OpportunityFactory

BIG = {"field": "account.employee_count", "operator": "gte", "value": 100}
KNOWN = {"field": "account.country", "operator": "is_set"}
DEALS = {"field": "account.opportunities", "operator": "match", "match": {"mode": "at_least", "threshold": 2}}
ATOMS = (BIG, KNOWN, DEALS)


def _trees():
    atoms = st.sampled_from(ATOMS)

    def group(rules):
        lists = st.lists(rules, min_size=1, max_size=3)
        return st.builds(
            lambda c, n, r: {"combinator": c, "not": n, "rules": r},
            st.sampled_from(("and", "or")),
            st.booleans(),
            lists,
        )

    return group(st.recursive(atoms, group, max_leaves=6))


@pytest.fixture
def accounts(db):
    made = [
        AccountFactory(employee_count=size, country=country)
        for size in (None, 50, 100, 400)
        for country in ("", "DE", "FR")
    ]
    for account in made[::2]:
        OpportunityFactory.create_batch(2, account=account)
    return [account.pk for account in made]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(trees=st.lists(_trees(), min_size=1, max_size=4), data=st.data())
def test_the_verdicts_are_those_of_one_restricted_query(accounts, trees, data):
    clock = Clock.at()
    asking = GivenKeys("account", clock)
    for tree in trees:
        rule = validate(tree, "account")
        keys = BitMap(data.draw(st.lists(st.sampled_from(accounts), unique=True)))
        assert asking.matching(rule, keys) == matching_keys(rule, keys, clock)


@pytest.mark.django_db
def test_an_atom_is_asked_once_about_each_key(accounts):
    clock = Clock.at()
    asking = GivenKeys("account", clock)
    first = validate({"combinator": "and", "rules": [BIG, DEALS]}, "account")
    second = validate({"combinator": "or", "rules": [BIG, {"combinator": "and", "rules": [BIG]}]}, "account")
    asking.matching(first, BitMap(accounts[:6]))
    with CaptureQueriesContext(connection) as queries:
        asking.matching(second, BitMap(accounts[:6]))
    assert len(queries) == 0
    with CaptureQueriesContext(connection) as queries:
        asking.matching(second, BitMap(accounts))
    assert len(queries) == 2  # who of the new ones lives, and who of them is big


@pytest.mark.django_db
def test_keys_without_record_and_no_keys_choose_nobody(accounts):
    asking = GivenKeys("account", Clock.at())
    nobody = validate({"combinator": "or", "not": True, "rules": [BIG]}, "account")
    assert not asking.matching(nobody, BitMap())
    assert not asking.matching(nobody, BitMap([2_000_000_000]))
