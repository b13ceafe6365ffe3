"""The log of changes: what every way of writing leaves behind, who sees it, and what an undo restores."""

import datetime as dt
import uuid
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from accounts.choices import CustomFieldType, Vocabulary
from accounts.models import Account, Import, Provenance, RecordChange, Term
from accounts.services import changes
from accounts.services.custom_fields import create_custom_field, set_custom_values
from accounts.services.deletion import delete_record, restore_record
from accounts.services.multi_values import set_multi_values
from accounts.services.undoing import undo_change
from segmentation_crm.common.acting import acting_as
from segmentation_crm.common.models import Role
from tests import factories
from tests.support.api import caller
from tests.support.importing import import_data

pytestmark = pytest.mark.django_db


def log_of(record, **wanted):
    return list(
        RecordChange.objects.filter(record_type=record._meta.model_name, record_id=record.pk, **wanted).order_by("id")
    )


def fields_of(row):
    return {change["field"]: (change["old"], change["new"]) for change in row.changes}


def test_a_save_logs_old_and_new_with_person_and_way():
    user = factories.UserFactory(first_name="Ada", last_name="Byron")
    with changes.silent():
        account = factories.AccountFactory(name="Acme", employee_count=10)
    with acting_as(user, "page"):
        account.name, account.employee_count, account.annual_revenue = "Acme Ltd", 500, Decimal("1200.50")
        account.save()
    (row,) = log_of(account)
    assert (row.action, row.via, row.actor, row.actor_name) == ("updated", "page", user, "Ada Byron")
    # The band, the shadow and the reporting amount follow; they are not logged.
    assert fields_of(row) == {
        "name": ("Acme", "Acme Ltd"),
        "employee_count": (10, 500),
        "annual_revenue": (None, "1200.5"),
    }


def test_an_unchanged_save_logs_nothing_and_costs_nothing(django_assert_num_queries):
    account = factories.AccountFactory()
    account = Account.objects.get(pk=account.pk)
    before = RecordChange.objects.count()
    account.save()
    assert RecordChange.objects.count() == before


def test_a_text_that_means_the_same_value_is_no_change():
    with changes.silent():
        deal = factories.OpportunityFactory(amount=Decimal("100"), expected_close=dt.date(2026, 5, 1))
    deal.amount, deal.expected_close = "100.0000", "2026-05-01"
    deal.save()
    assert log_of(deal) == []


def test_several_writes_of_one_act_are_one_row():
    user = factories.UserFactory()
    tag = factories.TermFactory(vocabulary=Vocabulary.TAG)
    create_custom_field("account", "region", "Region", CustomFieldType.TEXT)
    with changes.silent():
        account = factories.AccountFactory(name="One", city="Ulm")
    with acting_as(user, "page"):
        account.name = "Two"
        account.save()
        set_multi_values(account, "tags", [tag])
        set_custom_values(account, {"region": "South"})
        account.name, account.city = "Three", "Bonn"
        account.save()
    (row,) = log_of(account)
    assert fields_of(row) == {
        "name": ("One", "Three"),
        "tags": ([], [tag.pk]),
        "custom.region": (None, "South"),
        "city": ("Ulm", "Bonn"),
    }
    with acting_as(user, "page"):
        account.name = "Four"
        account.save()
    assert len(log_of(account)) == 2


def test_what_comes_back_within_one_act_leaves_no_row():
    with changes.silent():
        account = factories.AccountFactory(name="One")
    with acting_as(factories.UserFactory(), "page"):
        account.name = "Two"
        account.save()
        account.name = "One"
        account.save()
    assert log_of(account) == []


def test_only_written_columns_are_logged():
    with changes.silent():
        account = factories.AccountFactory(name="One", city="Ulm")
    account.name, account.city = "Two", "Bonn"
    account.save(update_fields=["name"])
    (row,) = log_of(account)
    assert fields_of(row) == {"name": ("One", "Two")}


def test_creating_deleting_and_restoring_are_rows_of_their_own():
    user = factories.UserFactory()
    with acting_as(user, "api"):
        account = factories.AccountFactory(name="New", country="DE")
        delete_record(account, user)
        restore_record(account, user)
    assert [row.action for row in log_of(account)] == ["created", "deleted", "restored"]
    assert fields_of(log_of(account)[0])["name"] == (None, "New")


def test_references_are_kept_by_id():
    with changes.silent():
        first, second = factories.AccountFactory(), factories.AccountFactory()
        contact = factories.ContactFactory(account=first)
    contact.account = second
    contact.save()
    assert fields_of(log_of(contact)[0]) == {"account": (first.pk, second.pk)}


def test_a_load_can_be_silent():
    with changes.silent():
        account = factories.AccountFactory()
        changes.record_bulk("account", [(account.pk, [{"field": "name", "old": "a", "new": "b"}])])
    assert log_of(account) == []


def test_bulk_writes_log_a_row_each_with_the_batch(django_assert_num_queries):
    with changes.silent():
        accounts = [factories.AccountFactory() for _ in range(3)]
    batch, user = uuid.uuid4(), factories.UserFactory()
    rows = [(a.pk, [{"field": "city", "old": "", "new": "Ulm"}]) for a in accounts[:2]] + [(accounts[2].pk, [])]
    with acting_as(user, "bulk"):
        assert changes.record_bulk("account", rows, batch) == 2
    assert RecordChange.objects.filter(batch=batch, via="bulk", actor=user).count() == 2
    assert log_of(accounts[2]) == []


def imported(tmp_path, text, type_="accounts", *options):
    path = tmp_path / "rows.csv"
    path.write_text(text)
    return import_data(path, type_, *options)


def test_an_import_logs_what_it_made_and_changed_under_its_own_number(tmp_path):
    imported(tmp_path, "name,domain,city,tags\nAcme,acme.com,Ulm,red\nBell,bell.com,Bonn,\n")
    made = Import.objects.latest("id")
    acme = Account.objects.get(domain="acme.com")
    assert [(row.action, row.via, row.batch) for row in log_of(acme)] == [("created", "import", made.public_id)]
    imported(tmp_path, "name,domain,city,tags\nAcme,acme.com,Köln,red;blue\nBell,bell.com,Bonn,\n")
    run = Import.objects.latest("id")
    (row,) = log_of(acme, batch=run.public_id)
    red, blue = (Term.objects.get(vocabulary="tag", name=name).pk for name in ("red", "blue"))
    assert fields_of(row) == {"city": ("Ulm", "Köln"), "tags": ([red], sorted([red, blue], key=str))}
    assert log_of(Account.objects.get(domain="bell.com"), batch=run.public_id) == []


def test_an_import_states_where_values_came_from(tmp_path):
    head = "name,domain,city,Seats\n"
    imported(tmp_path, head + "Acme,acme.com,Ulm,5\n", "accounts", "--source", "ERP", "--create-fields")
    acme = Account.objects.get(domain="acme.com")
    rows = {p.field: p for p in Provenance.objects.filter(record_type="account", record_id=acme.pk)}
    assert set(rows) == {"name", "domain", "city", "custom.seats"}
    city = rows["city"]
    assert (city.source_system, city.source_system_folded, city.source_type, city.kind) == (
        "ERP", "erp", "secondary", "database",
    )  # fmt: skip
    # A person's statement stands until a file brings another value.
    Provenance.objects.filter(pk=city.pk).update(source_system="Interview", source_type="primary", kind="interview")
    imported(tmp_path, head + "Acme,acme.com,Ulm,5\n", "accounts", "--source", "ERP")
    city.refresh_from_db()
    assert city.source_system == "Interview"
    imported(tmp_path, head + "Acme,acme.com,Bonn,6\n", "accounts", "--source", "ERP")
    city.refresh_from_db()
    assert (city.source_system, city.kind) == ("ERP", "database")
    assert fields_of(log_of(acme)[-1]) == {"city": ("Ulm", "Bonn"), "custom.seats": ("5", "6")}


def test_sources_can_be_left_out_of_an_import(tmp_path):
    imported(tmp_path, "name,domain\nAcme,acme.com\n", "accounts", "--no-sources")
    assert not Provenance.objects.exists()


def test_a_trial_run_leaves_nothing(tmp_path):
    imported(tmp_path, "name,domain\nAcme,acme.com\n", "accounts", "--dry-run")
    assert not RecordChange.objects.exists()
    assert not Provenance.objects.exists()


@pytest.fixture
def owner():
    return factories.UserFactory(role=Role.SALES_REP, team=factories.TeamFactory())


@pytest.fixture
def changed(owner):
    """An account of the owner with a change of two fields."""
    with changes.silent():
        account = factories.AccountFactory(name="One", city="Ulm", owner=owner)
    with acting_as(owner, "page"):
        account.name, account.city = "Two", "Bonn"
        account.save()
    return account


def test_an_undo_restores_and_is_a_change_itself(owner, changed):
    (row,) = log_of(changed)
    done = undo_change(row, owner)
    changed.refresh_from_db()
    assert (changed.name, changed.city) == ("One", "Ulm")
    assert [one.action for one in log_of(changed)] == ["updated", "undone"]
    assert fields_of(done.row) == {"name": ("Two", "One"), "city": ("Bonn", "Ulm")}
    row.refresh_from_db()
    assert row.undone_by == done.row
    with pytest.raises(ValidationError, match="undone already"):
        undo_change(row, owner)
    undo_change(done.row, owner)
    changed.refresh_from_db()
    assert (changed.name, changed.city) == ("Two", "Bonn")


def test_an_undo_leaves_what_was_changed_since(owner, changed):
    with acting_as(owner, "page"):
        changed.city = "Köln"
        changed.save()
    done = undo_change(log_of(changed)[0], owner)
    changed.refresh_from_db()
    assert (changed.name, changed.city) == ("One", "Köln")
    assert [(one["field"], one["now"], one["reason"]) for one in done.left] == [("city", "Köln", "changed since")]


def test_an_undo_of_a_value_that_another_record_took_is_refused(owner):
    with changes.silent():
        account = factories.AccountFactory(domain="one.example", owner=owner)
    with acting_as(owner, "page"):
        account.domain = "two.example"
        account.save()
    factories.AccountFactory(domain="one.example")
    with pytest.raises(ValidationError, match="domain"):
        undo_change(log_of(account)[0], owner)
    account.refresh_from_db()
    assert account.domain == "two.example"


def test_an_undo_of_tags_and_custom_values(owner):
    tags = [factories.TermFactory(vocabulary=Vocabulary.TAG) for _ in range(2)]
    create_custom_field("account", "region", "Region", CustomFieldType.TEXT)
    with changes.silent():
        account = factories.AccountFactory(owner=owner)
        set_multi_values(account, "tags", tags[:1])
    with acting_as(owner, "page"):
        set_multi_values(account, "tags", tags[1:])
        set_custom_values(account, {"region": "South"})
    undo_change(log_of(account)[0], owner)
    assert list(account.values_multi.values_list("term_id", flat=True)) == [tags[0].pk]
    assert not account.custom_values.exists()


def test_a_rep_does_not_hand_over_by_undoing(owner, changed):
    manager = factories.UserFactory(role=Role.ADMIN)
    with acting_as(manager, "page"):
        changed.owner, changed.sdr = manager, owner
        changed.save()
    row = log_of(changed)[-1]
    done = undo_change(row, owner)
    assert {one["field"] for one in done.left} == {"owner", "sdr"}
    assert not done.restored


def test_the_page_names_people_fields_and_values(client, owner, changed):
    client.force_login(owner)
    url = reverse("accounts:account_changes", args=[changed.pk])
    page = client.get(url).content.decode()
    for words in (owner.display_name, "by a page", "Ulm", "Bonn", "Undo"):
        assert words in page
    assert "Ulm" in client.get(url, {"field": "city"}).content.decode()
    assert "Ulm" not in client.get(url, {"field": "domain"}).content.decode()
    assert "No such change" in client.get(url, {"person": "system"}).content.decode()
    part = client.get(url, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part


def test_a_hidden_accounts_name_stays_hidden_in_the_log(client, owner):
    with changes.silent():
        hidden = factories.AccountFactory(name="Secret Corp")
        contact = factories.ContactFactory(owner=owner, account=None)
    contact.account = hidden
    contact.save()
    client.force_login(owner)
    page = client.get(reverse("accounts:contact_changes", args=[contact.pk])).content.decode()
    assert "Secret Corp" not in page
    assert "not visible to you" in page


def test_who_may_look_and_undo(client, owner, changed):
    (row,) = log_of(changed)
    look, undo = reverse("accounts:account_changes", args=[changed.pk]), reverse("accounts:change_undo", args=[row.pk])
    stranger = factories.UserFactory(role=Role.SALES_REP, team=factories.TeamFactory())
    for person, seen, done in (
        (factories.UserFactory(role=Role.VIEWER), 200, 403),
        (stranger, 404, 404),
        (factories.UserFactory(role=Role.SALES_MANAGER, team=owner.team), 200, 302),
    ):
        client.force_login(person)
        assert client.get(look).status_code == seen
        assert client.post(undo).status_code == done
    changed.refresh_from_db()
    assert changed.name == "One"


def test_the_page_costs_the_same_for_many_changes(client, owner, changed, django_assert_max_num_queries):
    for number in range(25):
        with acting_as(owner, "page"):
            changed.name = f"Name {number}"
            changed.save()
    client.force_login(owner)
    url = reverse("accounts:account_changes", args=[changed.pk])
    client.get(url)
    with django_assert_max_num_queries(40):
        client.get(url)


def test_the_api_reads_and_undoes(owner, changed):
    (row,) = log_of(changed)
    api = caller(owner)
    found = api.get("/api/v1/changes/", {"record": f"account:{changed.pk}"}).json()["results"]
    assert [one["id"] for one in found] == [row.pk]
    assert api.get("/api/v1/changes/", {"record": "nothing"}).status_code == 400
    assert caller(factories.UserFactory(role=Role.VIEWER)).post(f"/api/v1/changes/{row.pk}/undo/").status_code == 403
    stranger = factories.UserFactory(role=Role.SALES_REP, team=factories.TeamFactory())
    assert caller(stranger).post(f"/api/v1/changes/{row.pk}/undo/").status_code == 404
    answer = api.post(f"/api/v1/changes/{row.pk}/undo/").json()
    assert sorted(answer["restored"]) == ["city", "name"]
    assert api.post(f"/api/v1/changes/{row.pk}/undo/").status_code == 400
    changed.refresh_from_db()
    assert changed.name == "One"


def test_delete_and_restore_by_page(client, changed):
    client.force_login(factories.UserFactory(role=Role.ADMIN))
    factories.OpportunityFactory(account=changed)
    url = reverse("accounts:account_delete", args=[changed.pk])
    assert "opportunities" in client.get(url).content.decode()
    page = client.post(url, follow=True).content.decode()
    assert f"Restore {changed.name}" in page
    assert not Account.objects.live().filter(pk=changed.pk).exists()
    client.post(reverse("accounts:account_restore", args=[changed.pk]))
    assert Account.objects.live().filter(pk=changed.pk).exists()
    client.force_login(factories.UserFactory(role=Role.SALES_MANAGER, team=factories.TeamFactory()))
    assert client.post(url).status_code == 404
    client.force_login(factories.UserFactory(role=Role.VIEWER))
    assert client.post(url).status_code == 403
