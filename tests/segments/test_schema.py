"""What clients learn of the language, and search in long lists of values."""

import json

import pytest

from segmentation_crm.common.fields import registry
from segmentation_crm.common.models import Role
from segments.rules.choices_search import labels, search, search_values
from segments.rules.operators import BY_TYPE, operators_of
from segments.rules.schema import MOST_CHOICES, fields_schema
from segments.rules.validate import validate
from tests import factories
from tests.segments.raw_rules import condition, group

pytestmark = pytest.mark.django_db


@pytest.fixture
def schema():
    return fields_schema(factories.UserFactory())


def test_schema_is_json_and_names_every_field_and_relation(schema):
    assert json.loads(json.dumps(schema)) == schema
    assert [f["key"] for f in schema["fields"]] == [f.key for f in registry.fields()]
    assert [r["key"] for r in schema["relations"]] == list(registry.relations)
    assert [r["record"] for r in schema["records"]] == list(registry.records)


def test_schema_costs_one_query(django_assert_num_queries):
    user = factories.UserFactory()
    with django_assert_num_queries(1):
        fields_schema(user)


def test_schema_gives_operators_choices_or_search_of_every_field(schema):
    operators = {name: {o["name"] for o in table} for name, table in schema["types"].items()}
    history = {o["name"] for o in schema["history_operators"]}
    assert set(operators) == set(BY_TYPE)
    for field in schema["fields"]:
        assert set(field["operators"]) <= operators[field["type"]] | history
        kind = field.get("item", field["type"])
        assert ("choices" in field or "search" in field) == (kind in ("enum", "reference", "tree")), field["key"]
        assert len(field.get("choices", [])) <= MOST_CHOICES
        assert field["label"]
        assert field["group"] in schema["groups"]


def test_schema_tells_history_groups_and_prefixes(schema):
    by_key = {f["key"]: f for f in schema["fields"]}
    assert "has_been" in by_key["account.lifecycle_stage"]["operators"]
    assert "has_been" not in by_key["account.urgency"]["operators"]
    assert by_key["account.country"]["search"].endswith("?field=account.country&q=")
    assert by_key["account.tier"]["choices"][0] == {"value": "1", "label": "Tier 1"}
    records = {r["record"]: r for r in schema["records"]}
    assert records["contact"]["to_one"] == [{"prefix": "account", "record": "account", "relations": True}]
    assert records["account"]["to_one"] == [{"prefix": "account.parent", "record": "account", "relations": False}]
    assert records["contact"]["segments"] == ["segment", "account.segment"]
    roles = next(r for r in schema["relations"] if r["key"] == "contact.opportunities")
    assert [f["key"] for f in roles["extra_fields"]] == ["opportunity.contact_role"]
    assert {"value": "value", "label": "Customer value"} in schema["families"]


def test_schema_shows_four_operators_before_more(schema):
    for name, table in schema["types"].items():
        shown = [o for o in table if not o["more"]]
        assert 2 <= len(shown) <= 4, name


def test_schema_holds_custom_fields():
    factories.CustomFieldFactory(key="gold", type="multi", choices=[{"value": "a", "label": "A"}])
    fields = fields_schema(factories.UserFactory())["fields"]
    found = next(f for f in fields if f["key"] == "account.custom.gold")
    assert found["choices"] == [{"value": "a", "label": "A"}]
    assert found["operators"] == list(operators_of("multi"))


# --- search ---
def test_search_finds_words_with_those_that_start_first():
    user = factories.UserFactory()
    for slug, name in (("food", "Food"), ("seafood", "Seafood"), ("metal", "Metal")):
        factories.TermFactory(vocabulary="industry", slug=slug, name=name)
    assert search_values("account.industry", "FOOD", user) == [
        {"value": "food", "label": "Food"},
        {"value": "seafood", "label": "Seafood"},
    ]
    assert search_values("account.industry", "100%", user) == []
    assert search_values("account.nonsense", "x", user) is None
    assert search_values("account.name", "x", user) == []


def test_search_shows_where_a_node_lies_in_its_tree():
    user = factories.UserFactory()
    parent = factories.TermFactory(vocabulary="industry", slug="making", name="Making")
    factories.TermFactory(vocabulary="industry", slug="food", name="Food", parent=parent)
    assert search_values("account.industry", "food", user) == [{"value": "food", "label": "Making › Food"}]


def test_search_finds_codes_by_code_and_title():
    user = factories.UserFactory()
    factories.IndustryCodeFactory(system="sic", code="T99", title="Testing of tests")
    assert search_values("account.sic_code", "t99", user) == [{"value": "T99", "label": "T99 Testing of tests"}]
    assert search_values("account.sic_code", "testing of te", user) == [
        {"value": "T99", "label": "T99 Testing of tests"}
    ]


def test_search_finds_tokens_of_long_lists_and_of_open_ones():
    user = factories.UserFactory()
    assert {"value": "DE", "label": "Germany"} in (search_values("account.country", "germ", user) or [])
    assert search_values("account.country", "de", user)[0]["value"] == "DE"
    factories.AccountFactory(source="salesforce")
    factories.AccountFactory(source="salesforce")
    assert search_values("account.source", "sales", user) == [{"value": "salesforce", "label": "salesforce"}]
    assert search_values("opportunity.contact_role", "champ", user) == [{"value": "champion", "label": "Champion"}]


def test_search_shows_only_visible_accounts_and_contacts():
    team = factories.TeamFactory()
    alice = factories.UserFactory(username="alice", role=Role.SALES_REP, team=team)
    bob = factories.UserFactory(username="bob", role=Role.SALES_MANAGER, team=team)
    charlie = factories.UserFactory(username="charlie", role=Role.SALES_REP)
    account = factories.AccountFactory(name="Hidden Ltd", owner=alice)
    factories.ContactFactory(first_name="Hidden", last_name="Person", email="h@x.example", account=account)
    for user in (alice, bob):
        assert search_values("contact.account", "hidden", user) == [{"value": account.pk, "label": "Hidden Ltd"}]
        assert len(search_values("activity.contact", "hidden", user) or []) == 1
    assert search_values("contact.account", "hidden", charlie) == []
    assert search_values("activity.contact", "h@x", charlie) == []


def test_search_returns_at_most_what_was_asked():
    user = factories.UserFactory()
    field = registry.field("account.country")
    assert field is not None
    assert len(search(field, "", user, 7)) == 7
    assert len(search(field, "", user, 10_000)) == 50


@pytest.mark.parametrize("text", ["%", "_", "\\", "'", '"', "a" * 5000, "İ"])
def test_search_takes_any_text(text):
    user = factories.UserFactory()
    for key in ("account.industry", "account.sic_code", "contact.account", "activity.contact", "account.owner"):
        assert isinstance(search_values(key, text, user), list)


def test_what_search_returns_validates_and_has_a_label():
    user = factories.UserFactory(username="alice")
    account = factories.AccountFactory(name="Acme")
    factories.ContactFactory(email="ann@acme.example", account=account)
    factories.TermFactory(vocabulary="tag", name="VIP", slug="vip")
    factories.StageFactory(name="Won", slug="won")
    for key, member_type in (
        ("account.owner", "account"),
        ("account.parent_account", "account"),
        ("account.sic_code", "account"),
        ("activity.contact", "activity"),
        ("opportunity.stage", "opportunity"),
    ):
        for found in search_values(key, "", user) or []:
            assert validate(group(condition(key, "eq", found["value"])), member_type, user=user)
            field = registry.field(key)
            assert field is not None
            assert labels(field, [found["value"]], user)[0]["value"] == found["value"]


def test_labels_leave_out_what_is_unknown():
    user = factories.UserFactory()
    term = factories.TermFactory(vocabulary="tag", name="VIP", slug="vip")
    tags, tier = registry.field("account.tags"), registry.field("account.tier")
    assert tags is not None
    assert tier is not None
    assert labels(tags, ["vip", term.pk, "nobody", 0, -5], user) == [
        {"value": "vip", "label": "VIP"},
        {"value": term.pk, "label": "VIP"},
    ]
    assert labels(tier, ["1", "9"], user) == [{"value": "1", "label": "Tier 1"}]
