"""Writing records over the API: what is kept, refused and computed (R33–R36, R52–R55, R58, R66, R118)."""

import pytest

from accounts.choices import Vocabulary
from accounts.models import Account, Contact, FieldHistory, Note, Term, TermAlias
from segmentation_crm.common.models import AuditEntry, Role
from tests.factories import (
    AccountFactory,
    ContactFactory,
    CustomFieldFactory,
    ExchangeRateFactory,
    IndustryCodeFactory,
    NoteFactory,
    OpportunityFactory,
    ProductFactory,
    StageFactory,
    TeamFactory,
    TermFactory,
    UserFactory,
)
from tests.support.api import caller

pytestmark = pytest.mark.django_db


@pytest.fixture
def client():
    return caller(UserFactory())


@pytest.fixture
def rep():
    return UserFactory(role=Role.SALES_REP, team=TeamFactory())


def errors_of(answer, status=400):
    assert answer.status_code == status, answer.content
    return {error["field"]: error["code"] for error in answer.json()["errors"]}


def test_an_account_is_made_with_values_of_every_kind(client):
    TermFactory(vocabulary=Vocabulary.TAG, name="Key account", slug="key-account")
    industry = TermFactory(vocabulary=Vocabulary.INDUSTRY, name="Software", slug="software")
    code = IndustryCodeFactory(system="sic", code="9Z1")
    CustomFieldFactory(record="account", key="employees_abroad", type="integer")
    CustomFieldFactory(record="account", key="clouds", type="multi", choices=[{"value": "aws"}, {"value": "gcp"}])
    ExchangeRateFactory(base="EUR", quote="USD", rate="1.10")
    answer = client.post(
        "/api/v1/accounts/",
        {
            "name": "  Acme   Corp ",
            "domain": "https://www.Acme.example/about",
            "country": "DE",
            "industry": "software",
            "sic_codes_secondary": [code.code],
            "tags": ["Key Account"],
            "languages": ["de", "en"],
            "email_domains": ["Acme.example"],
            "employee_count": 120,
            "annual_revenue": "2000000",
            "annual_revenue_currency": "EUR",
            "custom": {"employees_abroad": 7, "clouds": ["gcp", "aws"]},
        },
    )
    assert answer.status_code == 201, answer.content
    body = answer.json()
    assert answer["ETag"] == '"1"'
    assert (body["name"], body["domain"], body["industry"]) == ("Acme Corp", "acme.example", industry.pk)
    assert (body["employee_band"], body["size_class"], body["revenue_band"]) == ("51-200", "mid_market", "1-10M")
    assert body["annual_revenue_reporting"] == "2200000.0000"
    assert (body["tags"], body["languages"], body["email_domains"]) == (["key-account"], ["de", "en"], ["acme.example"])
    assert body["sic_codes_secondary"] == [code.code]
    assert body["custom"] == {"clouds": ["aws", "gcp"], "employees_abroad": 7}
    assert client.get(f"/api/v1/accounts/{body['id']}/").json() == body


def test_patch_writes_what_is_sent_and_nothing_else(client):
    CustomFieldFactory(record="account", key="one", type="text")
    CustomFieldFactory(record="account", key="two", type="text")
    account = AccountFactory(name="Acme", city="Bonn", employee_count=5)
    path = f"/api/v1/accounts/{account.pk}/"
    TermFactory(slug="a", name="A")
    client.patch(path, {"tags": ["a"], "custom": {"one": "1", "two": "2"}})
    body = client.patch(path, {"employee_count": 500, "custom": {"one": None}}).json()
    assert (body["name"], body["city"], body["employee_count"]) == ("Acme", "Bonn", 500)
    assert (body["employee_band"], body["tags"], body["custom"]) == ("201-500", ["a"], {"two": "2"})
    assert body["version"] == 3
    assert client.patch(path, {"tags": []}).json()["tags"] == []


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"name": ""}, "name", "blank"),
        ({"name": None}, "name", "null"),
        ({"name": "x" * 256}, "name", "max_length"),
        ({"name": ["x"]}, "name", "invalid"),
        ({"employee_count": "many"}, "employee_count", "invalid"),
        ({"employee_count": 10**30}, "employee_count", "max_value"),
        ({"annual_revenue": "1e400"}, "annual_revenue", "max_digits"),
        ({"annual_revenue": "NaN"}, "annual_revenue", "invalid"),
        ({"annual_revenue_currency": "XXZ"}, "annual_revenue_currency", "unknown_currency"),
        ({"annual_revenue_currency": "eur"}, "annual_revenue_currency", "unknown_currency"),
        ({"country": "de"}, "country", "unknown_country"),
        ({"subdivision": "DE-XX"}, "subdivision", "unknown_subdivision"),
        ({"domain": "no domain"}, "domain", "invalid"),
        ({"tier": "5"}, "tier", "invalid_choice"),
        ({"customer_since": "2025-02-30"}, "customer_since", "invalid"),
        ({"customer_since": "0000-01-01"}, "customer_since", "invalid"),
        ({"became_aware_at": "99999-01-01T00:00:00Z"}, "became_aware_at", "invalid"),
        ({"founded_year": 0}, "founded_year", "accounts_account_founded_year_range"),
        ({"owner": 10**30}, "owner", "does_not_exist"),
        ({"owner": True}, "owner", "incorrect_type"),
        ({"owner": 1.5}, "owner", "incorrect_type"),
        ({"industry": "nowhere"}, "industry", "does_not_exist"),
        ({"parent_account": {"id": 1}}, "parent_account", "incorrect_type"),
        ({"tags": "vip"}, "tags", "not_a_list"),
        ({"tags": [1]}, "tags", "not_a_list"),
        ({"tags": ["nowhere"]}, "tags", "unknown"),
        ({"tags": ["x"] * 501}, "tags", "too_many"),
        ({"languages": ["qq"]}, "languages", "unknown"),
        ({"seasonality": ["13"]}, "seasonality", "unknown"),
        ({"custom": []}, "custom", "not_an_object"),
        ({"custom": {"nowhere": 1}}, "custom", "unknown_field"),
        ({"size_class": "small"}, "size_class", "read_only"),
        ({"annual_revenue_reporting": "1"}, "annual_revenue_reporting", "read_only"),
        ({"deleted_at": None}, "deleted_at", "unknown_field"),
        ({"owner_id": 1}, "owner_id", "unknown_field"),
        ({"owner__role": "admin"}, "owner__role", "unknown_field"),
    ],
)
def test_bad_input_is_refused_by_field_and_changes_nothing(client, body, field, code):
    account = AccountFactory(name="Acme")
    found = errors_of(client.patch(f"/api/v1/accounts/{account.pk}/", body))
    assert field in found
    if not code.startswith("accounts_"):
        assert found[field] == code
    account.refresh_from_db()
    assert (account.name, account.version) == ("Acme", 1)


@pytest.mark.parametrize(
    ("type_", "value", "stored"),
    [
        ("text", "x", "x"),
        ("integer", 5, 5),
        ("decimal", "1.50", "1.5"),
        ("boolean", False, False),
        ("date", "2026-03-31", "2026-03-31"),
        ("datetime", "2026-03-31T10:00:00Z", "2026-03-31T10:00:00+00:00"),
        ("enum", "a", "a"),
        ("multi", ["b", "a"], ["a", "b"]),
    ],
)
def test_a_custom_value_comes_back_as_its_type(client, type_, value, stored):
    CustomFieldFactory(record="contact", key="field", type=type_, choices=[{"value": "a"}, {"value": "b"}])
    contact = ContactFactory()
    path = f"/api/v1/contacts/{contact.pk}/"
    assert client.patch(path, {"custom": {"field": value}}).json()["custom"] == {"field": stored}
    for wrong in ({"a": 1}, [[1]], "2026-02-30" if type_ in ("date", "datetime") else {"b": 2}):
        answer = client.patch(path, {"custom": {"field": wrong}})
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["path"][:2] == ["custom", "field"]


def test_a_domain_and_an_address_stand_once(client):
    AccountFactory(domain="acme.example")
    assert "domain" in errors_of(client.post("/api/v1/accounts/", {"name": "Two", "domain": "WWW.acme.example"}))
    ContactFactory(email="ada@acme.example")
    assert "email" in errors_of(client.post("/api/v1/contacts/", {"email": "Ada@Acme.example"}))


def test_an_account_is_not_put_under_itself(client):
    parent = AccountFactory()
    child = AccountFactory(parent_account=parent)
    for target in (child, parent):
        answer = client.patch(f"/api/v1/accounts/{parent.pk}/", {"parent_account": target.pk})
        assert answer.status_code == 400


@pytest.mark.parametrize("route", ["contacts", "opportunities", "purchases", "activities", "tasks", "needs"])
def test_r54_a_foreign_id_in_a_body_answers_like_a_missing_one(rep, route):
    foreign = AccountFactory()
    TermFactory(vocabulary=Vocabulary.NEED, slug="speed")
    base = {
        "opportunities": {"name": "x"},
        "activities": {"type": "call", "occurred_at": "2026-01-01T00:00:00Z"},
        "tasks": {"title": "x"},
        "needs": {"need": "speed"},
    }.get(route, {})
    bodies = []
    for pk in (foreign.pk, 10**9):
        answer = caller(rep).post(f"/api/v1/{route}/", {**base, "account": pk})
        assert answer.status_code == 400
        bodies.append(answer.content.decode().replace(str(pk), "#"))
    assert bodies[0] == bodies[1]
    assert "does_not_exist" in bodies[0]


def test_a_rep_owns_what_the_rep_makes_and_hands_nothing_over(rep):
    client = caller(rep)
    other = UserFactory(role=Role.SALES_REP)
    made = client.post("/api/v1/accounts/", {"name": "Mine"})
    assert made.json()["owner"] == rep.pk
    path = f"/api/v1/accounts/{made.json()['id']}/"
    assert errors_of(client.patch(path, {"owner": other.pk})) == {"owner": "not_allowed"}
    assert errors_of(client.patch(path, {"owner": None})) == {"owner": "not_allowed"}
    assert errors_of(client.post("/api/v1/accounts/", {"name": "Theirs", "owner": other.pk})) == {
        "owner": "not_allowed"
    }
    assert client.delete(path).status_code == 403
    assert Account.objects.count() == 1


def test_what_its_maker_would_not_see_is_not_made(rep):
    answer = caller(rep).post("/api/v1/purchases/", {"order_number": "1"})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == "not_visible"


def test_a_deleted_account_is_gone_from_lists_and_kept_in_the_database(client):
    account = AccountFactory()
    path = f"/api/v1/accounts/{account.pk}/"
    assert client.delete(path).status_code == 204
    assert client.get(path).status_code == 404
    account.refresh_from_db()
    assert account.deleted_at is not None
    assert AuditEntry.objects.filter(action="account.deleted").exists()


def test_a_contact_gets_its_name_and_account(client):
    account = AccountFactory()
    body = client.post("/api/v1/contacts/", {"first_name": "Ada", "last_name": "L", "account": account.pk}).json()
    assert (body["name"], body["account"]) == ("Ada L", account.pk)
    changed = client.patch(f"/api/v1/contacts/{body['id']}/", {"last_name": "Lovelace", "email": "ADA@x.example"})
    assert (changed.json()["name"], changed.json()["email"]) == ("Ada Lovelace", "ada@x.example")
    assert Contact.objects.get().full_name_folded == "ada lovelace"


def test_an_opportunity_that_is_won_makes_a_customer(client):
    account = AccountFactory()
    won = StageFactory(name="Done", is_won=True)
    opportunity = OpportunityFactory(account=account, stage=StageFactory(pipeline=won.pipeline))
    body = client.patch(f"/api/v1/opportunities/{opportunity.pk}/", {"stage": won.slug}).json()
    assert (body["is_won"], body["stage"]) == (True, won.pk)
    assert body["closed_at"] is not None
    account.refresh_from_db()
    assert account.account_type == "customer"
    history = FieldHistory.objects.filter(record_type="opportunity", record_id=opportunity.pk, field="stage")
    assert won.slug in history.values_list("value", flat=True)


def test_a_purchase_gets_its_amount(client):
    account, product = AccountFactory(), ProductFactory()
    body = {"account": account.pk, "product": product.slug, "quantity": "3", "unit_price": "10", "discount": "0.1"}
    answer = client.post("/api/v1/purchases/", body)
    assert answer.status_code == 201, answer.content
    assert (answer.json()["amount"], answer.json()["amount_reporting"]) == ("27.0000", "27.0000")


def test_terms_are_added_renamed_moved_and_merged(client):
    made = client.post("/api/v1/terms/", {"vocabulary": "tag", "name": "Fast growing"})
    assert made.status_code == 201, made.content
    assert made.json()["slug"] == "fast-growing"
    path = f"/api/v1/terms/{made.json()['id']}/"
    renamed = client.patch(path, {"name": "Growing"}).json()
    assert (renamed["slug"], renamed["aliases"]) == ("fast-growing", ["Fast growing"])
    assert "name" in errors_of(client.post("/api/v1/terms/", {"vocabulary": "tag", "name": "growing"}))
    assert errors_of(client.patch(path, {"vocabulary": "likes"})) == {"vocabulary": "invalid"}
    other = TermFactory(vocabulary="tag", name="Rising")
    account = AccountFactory()
    client.patch(f"/api/v1/accounts/{account.pk}/", {"tags": ["fast-growing"]})
    merged = client.post(f"{path}merge/", {"into": other.pk})
    assert merged.json()["id"] == other.pk
    assert client.get(f"/api/v1/accounts/{account.pk}/").json()["tags"] == [other.slug]
    assert TermAlias.objects.filter(term=other, text="Growing").exists()
    assert not Term.objects.filter(pk=made.json()["id"]).exists()
    assert errors_of(client.post(f"/api/v1/terms/{other.pk}/merge/", {"into": 10**9})) == {"into": "does_not_exist"}
    assert client.delete(f"/api/v1/terms/{other.pk}/").status_code == 405


@pytest.mark.parametrize(
    "route", ["products", "vendors", "technology_products", "personas", "pipelines", "campaign_refs"]
)
def test_catalogue_entries_keep_their_slug(client, route):
    made = client.post(f"/api/v1/{route}/", {"name": "First name"})
    assert made.status_code == 201, made.content
    renamed = client.patch(f"/api/v1/{route}/{made.json()['id']}/", {"name": "Second name"}).json()
    assert (renamed["name"], renamed["slug"]) == ("Second name", "first-name")
    assert "name" in errors_of(client.post(f"/api/v1/{route}/", {"name": "second NAME"}))


def test_a_custom_field_keeps_key_and_type(client):
    body = {"record": "account", "key": "region_code", "label": "Region", "type": "enum", "choices": ["a", "b"]}
    made = client.post("/api/v1/custom_fields/", body)
    assert made.status_code == 201, made.content
    assert made.json()["choices"] == [{"value": "a", "label": "a"}, {"value": "b", "label": "b"}]
    path = f"/api/v1/custom_fields/{made.json()['id']}/"
    assert set(errors_of(client.patch(path, {"key": "x", "type": "text"}))) == {"key", "type"}
    assert client.patch(path, {"is_active": False, "label": "Where"}).json()["label"] == "Where"
    for key in ("Bad", "a.b", 'a"', "a%", "x" * 41, "1a"):
        assert "key" in errors_of(client.post("/api/v1/custom_fields/", {**body, "key": key}))


def test_only_its_author_changes_a_note():
    account = AccountFactory()
    author, other = UserFactory(role=Role.MARKETING_MANAGER), UserFactory(role=Role.MARKETING_MANAGER)
    made = caller(author).post("/api/v1/notes/", {"text": "Called.", "account": account.pk, "mentions": [other.pk]})
    assert made.status_code == 201, made.content
    assert (made.json()["author"], made.json()["mentions"]) == (author.pk, [other.pk])
    path = f"/api/v1/notes/{made.json()['id']}/"
    assert caller(other).patch(path, {"text": "x"}).status_code == 403
    assert caller(other).delete(path).status_code == 403
    assert caller(author).patch(path, {"text": "Met."}).json()["text"] == "Met."
    assert errors_of(caller(author).patch(path, {"author": other.pk})) == {"author": "read_only"}
    NoteFactory(account=account)
    assert caller(author).delete(path).status_code == 204
    assert Note.objects.count() == 1


def test_consents_are_added_and_never_changed(client):
    contact = ContactFactory()
    made = client.post("/api/v1/consents/", {"contact": contact.pk, "channel": "email", "status": "granted"})
    assert made.status_code in (201, 400)
    if made.status_code == 201:
        path = f"/api/v1/consents/{made.json()['id']}/"
        assert client.patch(path, {"status": ""}).status_code == 405
        assert client.delete(path).status_code == 405


def test_r118_two_patches_of_different_fields_are_both_kept(client):
    account = AccountFactory(name="Acme")
    path = f"/api/v1/accounts/{account.pk}/"
    client.patch(path, {"city": "Oslo"})
    client.patch(path, {"street": "Main street"})
    account.refresh_from_db()
    assert (account.city, account.street, account.version) == ("Oslo", "Main street", 3)
    assert account.city_folded == "oslo"
