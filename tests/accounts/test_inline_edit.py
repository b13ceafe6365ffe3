"""Facts edited in place: one field with the edit page's checks, its source, and nothing overwritten unseen."""

import json
import re
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from accounts.choices import CustomFieldType, Vocabulary
from accounts.models import Account, Provenance, RecordChange
from accounts.services.custom_fields import create_custom_field
from segmentation_crm.common.models import Role
from tests import factories as make

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def owner():
    return make.UserFactory(role=Role.SALES_REP, team=make.TeamFactory())


@pytest.fixture
def account(owner):
    return make.AccountFactory(name="Acme", city="Ulm", domain="acme.example", owner=owner, employee_count=10)


def url(record, name):
    return reverse(f"accounts:{record._meta.model_name}_fact", args=[record.pk, name])


def logged_in(person):
    client = Client()
    client.force_login(person)
    return client


def was(client, record, name):
    page = client.get(url(record, name), headers=HTMX).content.decode()
    return re.search(r'name="was" value="([^"]*)"', page).group(1).replace("&quot;", '"')


def test_one_field_is_shown_and_saved(owner, account):
    client = logged_in(owner)
    page = client.get(url(account, "city"), headers=HTMX).content.decode()
    assert 'name="city"' in page
    assert 'name="domain"' not in page
    response = client.post(url(account, "city"), {"city": "Bonn", "was": was(client, account, "city")}, headers=HTMX)
    assert response["HX-Retarget"] == "#facts"
    assert json.loads(response["HX-Trigger-After-Settle"]) == {"crm:focus": {"id": "edit-city"}}
    assert "Bonn" in response.content.decode()
    account.refresh_from_db()
    assert (account.city, account.domain, account.name) == ("Bonn", "acme.example", "Acme")
    row = RecordChange.objects.filter(record_id=account.pk).latest("id")
    assert (row.actor, row.via, row.changes) == (owner, "page", [{"field": "city", "old": "Ulm", "new": "Bonn"}])


def test_a_wrong_value_comes_back_with_words_and_nothing_is_lost(owner, account):
    client = logged_in(owner)
    make.AccountFactory(domain="taken.example")
    for typed, words in (("no domain at all", "is no web domain"), ("taken.example", "already has this domain")):
        page = client.post(url(account, "domain"), {"domain": typed}, headers=HTMX).content.decode()
        assert words in page
        assert f'value="{typed}"' in page
    account.refresh_from_db()
    assert account.domain == "acme.example"


def test_somebody_else_changed_it_meanwhile(owner, account):
    client = logged_in(owner)
    stale = was(client, account, "city")
    boss = make.UserFactory(role=Role.ADMIN, first_name="Ada", last_name="Byron")
    logged_in(boss).post(url(account, "city"), {"city": "Hamburg"}, headers=HTMX)
    page = client.post(url(account, "city"), {"city": "Bonn", "was": stale}, headers=HTMX).content.decode()
    assert "Ada Byron changed this" in page
    assert "Hamburg" in page
    assert 'value="Bonn"' in page
    account.refresh_from_db()
    assert account.city == "Hamburg"
    # Saved again, one's own value stands: both were seen.
    client.post(url(account, "city"), {"city": "Bonn", "was": was(client, account, "city")}, headers=HTMX)
    account.refresh_from_db()
    assert account.city == "Bonn"


def test_a_change_of_another_field_is_no_conflict(owner, account):
    client = logged_in(owner)
    seen = was(client, account, "city")
    other = Account.objects.get(pk=account.pk)
    other.name = "Acme Ltd"
    other.save()
    client.post(url(account, "city"), {"city": "Bonn", "was": seen}, headers=HTMX)
    account.refresh_from_db()
    assert (account.city, account.name) == ("Bonn", "Acme Ltd")


def test_the_source_is_stated_while_editing_and_goes_with_the_value(owner, account):
    client = logged_in(owner)
    data = {
        "city": "Bonn", "source-source_system": "Annual report", "source-source_type": "secondary",
        "source-kind": "report", "source-observed_on": "2026-03-01", "source-confidence": "80",
    }  # fmt: skip
    page = client.post(url(account, "city"), data, headers=HTMX).content.decode()
    assert "Annual report" in page
    row = Provenance.objects.get(record_id=account.pk, field="city")
    assert (row.source_system, row.kind, row.confidence) == ("Annual report", "report", Decimal("0.8"))
    unchanged = {name: value for name, value in data.items() if name != "city"}
    client.post(url(account, "city"), {**unchanged, "city": "Köln"}, headers=HTMX)
    assert not Provenance.objects.filter(record_id=account.pk, field="city").exists()


def test_money_and_its_currency_are_edited_together(owner, account):
    client = logged_in(owner)
    page = client.get(url(account, "annual_revenue"), headers=HTMX).content.decode()
    assert 'name="annual_revenue_currency"' in page
    client.post(
        url(account, "annual_revenue"), {"annual_revenue": "5000", "annual_revenue_currency": "usd"}, headers=HTMX
    )
    account.refresh_from_db()
    assert (account.annual_revenue, account.annual_revenue_currency) == (5000, "USD")


def test_tags_and_custom_fields_are_edited_in_place(owner, account):
    client = logged_in(owner)
    tag = make.TermFactory(vocabulary=Vocabulary.TAG)
    create_custom_field("account", "seats", "Seats", CustomFieldType.INTEGER)
    client.post(url(account, "tags"), {"tags": [tag.pk]}, headers=HTMX)
    page = client.post(url(account, "custom_seats"), {"custom_seats": "12"}, headers=HTMX).content.decode()
    assert "Seats" in page
    assert list(account.values_multi.values_list("term_id", flat=True)) == [tag.pk]
    assert account.custom_values.get().number == 12


def test_a_contact_keeps_its_name_while_another_field_is_edited(owner):
    contact = make.ContactFactory(first_name="Ann", last_name="Lee", email="ann@lee.example", owner=owner)
    client = logged_in(owner)
    client.post(url(contact, "job_title"), {"job_title": "Head of IT"}, headers=HTMX)
    contact.refresh_from_db()
    assert (contact.job_title, contact.first_name, contact.email) == ("Head of IT", "Ann", "ann@lee.example")
    nameless = make.ContactFactory(first_name="", last_name="", email="only@lee.example", owner=owner)
    page = client.post(url(nameless, "email"), {"email": ""}, headers=HTMX).content.decode()
    assert "Give a name or an e-mail address" in page


def test_who_may_edit(owner, account):
    teammate = make.UserFactory(role=Role.SALES_MANAGER, team=owner.team)
    stranger = make.UserFactory(role=Role.SALES_REP, team=make.TeamFactory())
    for person, status in ((owner, 200), (teammate, 200), (make.UserFactory(role=Role.VIEWER), 403), (stranger, 404)):
        client = logged_in(person)
        assert client.get(url(account, "city"), headers=HTMX).status_code == status
        assert client.post(url(account, "city"), {"city": f"C{person.pk}"}, headers=HTMX).status_code == status
    account.refresh_from_db()
    assert account.city == f"C{teammate.pk}"


def test_without_script_the_edit_page_does_it(owner, account):
    response = logged_in(owner).get(url(account, "city"))
    assert (response.status_code, response.url) == (
        302,
        reverse("accounts:account_edit", args=[account.pk]) + "#id_city",
    )
    assert logged_in(owner).get(url(account, "no_such"), headers=HTMX).status_code == 404


def test_the_card_offers_pencils_to_writers_only(owner, account):
    page = reverse("accounts:account_detail", args=[account.pk])
    assert 'id="edit-city"' in logged_in(owner).get(page).content.decode()
    viewer = logged_in(make.UserFactory(role=Role.VIEWER)).get(page).content.decode()
    assert 'id="facts"' in viewer
    assert 'id="edit-city"' not in viewer
