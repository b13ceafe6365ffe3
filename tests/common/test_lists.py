"""Lists: from parameters to rows, views and rules in force, columns, counting; the same for pages, acts and exports."""

import datetime as dt
import json

import pytest
from django.http import QueryDict

from segmentation_crm.common import lists
from segmentation_crm.common.access import can
from segmentation_crm.common.lists.columns import remember
from segmentation_crm.common.lists.counting import count_rows
from segmentation_crm.common.lists.resolve import resolve
from segmentation_crm.common.lists.saved_views import default_of, stored_query, views_of
from segmentation_crm.common.models import Role, SavedView
from tests.factories import AccountFactory, ContactFactory, UserFactory
from tests.segments.making import larger_than, three_people

pytestmark = pytest.mark.django_db
KEYS = ("account", "contact", "opportunity", "activity", "task", "segment")


@pytest.fixture
def admin():
    return UserFactory(role=Role.ADMIN)


def names(resolved):
    """Return the names of the rows, in order."""
    assert resolved.errors == []
    return [row.name for row in resolved.queryset]


def view(owner, query=None, rules=None, **values):
    """Return a saved view of accounts."""
    values = {"record": "account", "name": "Chosen", **values}
    return SavedView.objects.create(owner=owner, query=query or {}, rules=rules, **values)


@pytest.mark.parametrize("key", KEYS)
def test_every_list_has_a_definition_that_holds_together(key, admin):
    definition = lists.get(key)
    columns = definition.columns(admin, [])
    found = [column.key for column in columns]
    assert len(found) == len(set(found)) >= 12
    assert sum(column.default for column in columns) >= 5
    filterset = definition.filterset(QueryDict(), queryset=definition.base(admin))
    assert {facet.name for facet in definition.facets} <= set(filterset.form.fields)
    sorts = {value for value, _ in filterset.form.fields["ordering"].choices}
    assert {column.sort for column in columns if column.sort} <= sorts
    assert definition.ordering in sorts


@pytest.mark.parametrize("key", ["account", "contact"])
def test_addresses_and_numbers_of_people_are_marked_as_personal(key, admin):
    viewer = UserFactory(role=Role.VIEWER)
    assert not can(viewer, "records.export_personal")
    definition = lists.get(key)
    personal = {column.key for column in definition.columns(admin, []) if column.personal}
    assert "phone" in personal
    assert personal.isdisjoint(column.key for column in definition.exportable(viewer))
    assert personal <= {column.key for column in definition.exportable(admin)}


def test_search_filters_and_sort_make_the_rows(admin):
    AccountFactory(name="Adler", country="DE", employee_count=10)
    AccountFactory(name="Bergmann", country="DE", employee_count=30)
    AccountFactory(name="Bertrand", country="FR", employee_count=20)
    shown = resolve(lists.get("account"), admin, QueryDict("country=DE&ordering=-employee_count"))
    assert names(shown) == ["Bergmann", "Adler"]
    assert names(resolve(lists.get("account"), admin, {"search": "ber"})) == ["Bergmann", "Bertrand"]
    assert names(resolve(lists.get("account"), admin, shown.params)) == ["Bergmann", "Adler"]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("colour=red", "There is no filter “colour”"),
        ("employee_count_min=many", "Employees from"),
        ("owner=somebody", "Give the id of a person, or me."),
        ("ordering=secret", "Select a valid choice"),
        ("rules={", "damaged"),
        ("rules=" + json.dumps({"combinator": "and", "rules": []}), "The group is empty"),
        ("view=999999", "not there any more"),
        ("view=99999999999999999999999", "not there any more"),
        ("view=x", "not there any more"),
    ],
)
def test_what_is_wrong_is_said_and_no_row_is_shown(query, words, admin):
    AccountFactory()
    shown = resolve(lists.get("account"), admin, QueryDict(query))
    assert any(words in error for error in shown.errors), shown.errors
    assert not shown.queryset.exists()


def test_me_is_whoever_asks():
    alice, bob, _ = three_people()
    AccountFactory(name="Alice's", owner=alice)
    AccountFactory(name="Bob's", owner=bob)
    shared = view(alice, {"owner": "me"}, visibility="team")
    for user, expected in ((alice, ["Alice's"]), (bob, ["Bob's"])):
        assert names(resolve(lists.get("account"), user, {"view": shared.pk})) == expected


def test_the_address_overrides_its_view_and_can_empty_a_filter(admin):
    for name, country, tier in (("Adler", "DE", "1"), ("Berg", "DE", "2"), ("Caron", "FR", "1")):
        AccountFactory(name=name, country=country, tier=tier)
    kept = view(admin, {"country": "DE", "tier": "1", "ordering": "-name"})
    chosen = f"view={kept.pk}"
    assert names(resolve(lists.get("account"), admin, QueryDict(chosen))) == ["Adler"]
    assert names(resolve(lists.get("account"), admin, QueryDict(f"{chosen}&country=FR"))) == ["Caron"]
    emptied = resolve(lists.get("account"), admin, QueryDict(f"{chosen}&country="))
    assert names(emptied) == ["Caron", "Adler"]
    # What an act or a file gets stands for the same rows.
    assert names(resolve(lists.get("account"), admin, QueryDict(emptied.query))) == ["Caron", "Adler"]


def test_a_rule_is_evaluated_over_all_rows_and_shown_within_what_one_sees():
    alice, _, charlie = three_people()
    for owner, count in ((alice, 10), (alice, 20), (charlie, 30), (charlie, 40)):
        AccountFactory(name=f"{owner.username} {count}", owner=owner, employee_count=count)
    top = {
        "combinator": "and",
        "rules": [{"field": "account.employee_count", "operator": "top_percent", "value": 50}],
    }
    rules = json.dumps(top)
    assert names(resolve(lists.get("account"), charlie, {"rules": rules})) == ["charlie 30", "charlie 40"]
    # The best half of all belongs to charlie: alice sees none, not the best half of her own.
    assert names(resolve(lists.get("account"), alice, {"rules": rules})) == []


def test_a_view_brings_its_rule_and_the_address_takes_it_away(admin):
    AccountFactory(name="Large", employee_count=100)
    AccountFactory(name="Small", employee_count=1)
    kept = view(admin, rules=larger_than(50))
    shown = resolve(lists.get("account"), admin, {"view": kept.pk})
    assert names(shown) == ["Large"]
    assert "at least 50 employees" in shown.sentence
    assert "rules" not in shown.params
    without = resolve(lists.get("account"), admin, {"view": kept.pk, "rules": "none"})
    assert names(without) == ["Large", "Small"]
    assert names(resolve(lists.get("account"), admin, without.params)) == ["Large", "Small"]
    other = resolve(lists.get("account"), admin, {"view": kept.pk, "rules": json.dumps(larger_than(500))})
    assert names(other) == []
    assert names(resolve(lists.get("account"), admin, other.params)) == []


def test_a_view_whose_rule_broke_says_why_and_shows_nothing(admin):
    AccountFactory()
    gone = {"combinator": "and", "rules": [{"field": "account.custom.gone", "operator": "eq", "value": "x"}]}
    kept = view(admin, rules=gone, name="Broken one")
    shown = resolve(lists.get("account"), admin, {"view": kept.pk})
    assert len(shown.errors) == 1
    assert "Broken one" in shown.errors[0]
    assert "gone" in shown.errors[0]
    assert not shown.queryset.exists()


def test_a_rule_of_the_address_names_only_what_its_reader_sees():
    alice, _, charlie = three_people()
    hidden = AccountFactory(name="Verborgen", owner=charlie)
    child = AccountFactory(name="Child", owner=alice, parent_account=hidden)
    rules = {"combinator": "and", "rules": [{"field": "account.parent_account", "operator": "eq", "value": hidden.pk}]}
    assert resolve(lists.get("account"), alice, {"rules": json.dumps(rules)}).errors
    # A view of somebody who sees it works for the others, and does not name it.
    shared = view(charlie, rules=rules, visibility="everyone")
    shown = resolve(lists.get("account"), alice, {"view": shared.pk})
    assert names(shown) == [child.name]
    assert "Verborgen" not in shown.sentence


def test_lists_without_rules_refuse_one(admin):
    shown = resolve(lists.get("task"), admin, {"rules": json.dumps(larger_than(1))})
    assert shown.errors == ["The list of tasks takes no rule."]


def test_columns_come_from_address_then_user_then_the_usual(admin):
    definition = lists.get("account")
    columns = definition.columns(admin, [])
    usual = [column.key for column in columns if column.default]

    def shown(text):
        wanted = lists.keys_wanted("account", admin, QueryDict(text))
        return [column.key for column in lists.chosen(columns, wanted)]

    assert shown("") == usual
    remember("account", admin, ["tier", "name", "country"])
    assert shown("") == ["name", "tier", "country"]
    assert shown("columns=city,gone,city") == ["name", "city"]
    remember("account", admin, [])
    assert shown("") == usual


def test_columns_read_for_all_rows_at_once(admin, django_assert_num_queries):
    for number in range(4):
        account = AccountFactory(name=f"A{number}")
        ContactFactory(account=account)
        ContactFactory(account=account)
    definition = lists.get("account")
    rows = list(definition.base(admin))
    columns = {column.key: column for column in definition.columns(admin, rows)}
    with django_assert_num_queries(1):
        assert [columns["contact_count"].plain(row) for row in rows] == [2, 2, 2, 2]
    with django_assert_num_queries(1):
        assert [columns["last_activity"].plain(row) for row in rows] == [None] * 4


def test_plain_values_are_plain(admin):
    row = AccountFactory(name="Adler", country="DE", customer_since=dt.date(2024, 5, 1), employee_count=7)
    definition = lists.get("account")
    row = definition.base(admin).get(pk=row.pk)
    values = {column.key: column.plain(row) for column in definition.columns(admin, [row])}
    assert values["name"] == "Adler"
    assert values["country"] == "Germany"
    assert values["customer_since"] == dt.date(2024, 5, 1)
    assert values["employee_count"] == 7
    assert values["city"] is None


def test_rows_are_counted_when_asked_and_only_in_the_time_there_is(admin):
    AccountFactory.create_batch(3)
    counted = count_rows(resolve(lists.get("account"), admin, {}))
    assert counted.rows == 3
    slow = count_rows(resolve(lists.get("account"), admin, {}), seconds=0)
    assert slow.rows is None
    assert slow.errors == ()
    wrong = count_rows(resolve(lists.get("account"), admin, {"colour": "red"}))
    assert wrong.rows is None
    assert "colour" in wrong.errors[0]


def test_the_list_opens_with_ones_own_default_then_the_teams_then_everyones():
    alice, bob, charlie = three_people()
    boss = UserFactory(role=Role.ADMIN)
    everyone = view(boss, name="All hands", visibility="everyone", is_default=True)
    team = view(bob, name="Team's", visibility="team", is_default=True)
    own = view(alice, name="Own", is_default=True)
    for user, expected in ((alice, own), (bob, team), (charlie, everyone)):
        assert default_of(views_of("account", user)) == expected
    assert default_of(views_of("contact", alice)) is None


def test_what_a_view_stores_is_what_it_opens(admin):
    query = QueryDict("country=DE&tier=1&tier=2&search=x&columns=name,tier&view=4&rules={}&cursor=a&owner=")
    stored = stored_query(query)
    assert stored == {"country": "DE", "tier": ["1", "2"], "search": "x", "columns": ["name", "tier"]}
    kept = view(admin, stored)
    assert stored_query(resolve(lists.get("account"), admin, {"view": kept.pk}).params) == stored


@pytest.mark.parametrize("key", lists.keys())
def test_joins_of_columns_are_of_columns_there_are_and_of_what_the_list_joins(key, admin):
    definition = lists.get(key)
    assert set(definition.joins) <= {column.key for column in definition.columns(admin, [])}
    for name in {name for names in definition.joins.values() for name in names}:
        joined = definition.base(admin).query.select_related
        for part in name.split("__"):
            assert part in joined, name
            joined = joined[part]
