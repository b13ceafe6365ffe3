"""Change capture: every way of writing leaves the keys it touched, and nothing else does."""

import datetime as dt

import pytest
from django.db import connection, transaction
from django.urls import reverse
from pyroaring import BitMap

from accounts import capture
from accounts.imports.options import ImportOptions
from accounts.imports.service import import_file
from accounts.models import (
    Account,
    AccountValue,
    Activity,
    ChangeRow,
    Contact,
    ContactAccount,
    ContactValue,
    FieldHistory,
    Opportunity,
    OpportunityContact,
    Term,
)
from accounts.services.merging import merge_records
from segmentation_crm.common import bulk
from segmentation_crm.common.bulk_insert import bulk_insert
from segmentation_crm.common.effective_time import effective_time
from segmentation_crm.common.models import Organisation, Role
from tests import factories as make

pytestmark = pytest.mark.django_db
NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


def took(limit=50_000) -> capture.Taken:
    """Take what waits."""
    with transaction.atomic():
        return capture.take(limit)


def touched() -> dict[str, set[int]]:
    """Take what waits and return the keys it touched."""
    return {record: set(keys) for record, keys in took().touched.items()}


def said(found: capture.Taken) -> set[tuple[str, str, str]]:
    """Return (field, old, new) of the changes."""
    return {(c.field, c.old, c.new) for c in found.changes if c.field not in ("data_completeness_pct", "updated_at")}


def quiet() -> None:
    """Take and forget what a test's preparation left."""
    took()
    assert not capture.pending()


@pytest.fixture
def world():
    """Two accounts; a contact and a deal at the first."""
    first, second = make.AccountFactory(name="First"), make.AccountFactory(name="Second")
    contact = make.ContactFactory(account=first)
    deal = make.OpportunityFactory(account=first)
    quiet()
    return first, second, contact, deal


def test_a_saved_record_names_itself_its_owner_and_what_changed(world):
    first, _, contact, _ = world
    contact.job_title = "Head of Purchasing"
    contact.save()
    found = took()
    assert {r: set(k) for r, k in found.touched.items()} == {"contact": {contact.pk}, "account": {first.pk}}
    assert ("job_title", "", "Head of Purchasing") in said(found) or ("job_title" in {c.field for c in found.changes})
    change = next(c for c in found.changes if c.field == "job_title")
    assert (change.table, change.key, change.owners, change.event) == (
        "accounts_contact", contact.pk, {"account": first.pk}, "U",
    )  # fmt: skip


def test_a_row_that_moves_names_both_owners(world):
    first, second, contact, deal = world
    contact.account = second
    contact.save()
    assert touched() == {"contact": {contact.pk}, "account": {first.pk, second.pk}}
    Opportunity.objects.filter(pk=deal.pk).update(account=None)
    assert touched() == {"opportunity": {deal.pk}, "account": {first.pk}}


def test_an_update_that_rules_do_not_read_leaves_nothing(world):
    first, _, contact, _ = world
    Contact.objects.filter(pk=contact.pk).update(version=7, proposed_account=first)
    Account.objects.filter(pk=first.pk).update(name=first.name)
    # Rules compare the folded shadow: another case is no change.
    Account.objects.filter(pk=first.pk).update(name="FIRST")
    assert not capture.pending()


def test_bulk_create_and_update_of_many(world):
    first, second, _, _ = world
    made = Contact.objects.bulk_create([Contact(last_name=f"n{n}", account=first) for n in range(7)])
    assert touched() == {"contact": {c.pk for c in made}, "account": {first.pk}}
    Contact.objects.filter(pk__in=[c.pk for c in made[:3]]).update(account=second)
    assert touched() == {"contact": {c.pk for c in made[:3]}, "account": {first.pk, second.pk}}
    for contact in made:
        contact.seniority = "manager"
    Contact.objects.bulk_update(made, ["seniority"])
    assert touched() == {"contact": {c.pk for c in made}, "account": {first.pk, second.pk}}
    Contact.objects.filter(pk__in=[c.pk for c in made]).delete()
    assert touched() == {"contact": {c.pk for c in made}, "account": {first.pk, second.pk}}


def test_copy_and_prepared_statements(world):
    first = world[0]
    made = [Activity(type="email_open", occurred_at=NOON, account=first) for _ in range(5)]
    bulk_insert(made)
    assert touched() == {"activity": {a.pk for a in made}, "account": {first.pk}}


def test_raw_sql(world):
    contact = world[2]
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_contact SET lead_status = 'new' WHERE id = %s", [contact.pk])
    found = took()
    assert set(found.touched["contact"]) == {contact.pk}
    assert ("lead_status", "", "new") in said(found)
    # Of the history that the trigger wrote the contact's own row tells; SQLite cannot tell who wrote it.
    expected = set() if connection.vendor == "postgresql" else {contact.pk}
    assert set(found.owners.get("accounts_fieldhistory", {}).get("contact", ())) == expected
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM accounts_fieldhistory WHERE record_type = 'contact'")
    assert touched() == {"contact": {contact.pk}}


def test_a_changed_primary_key_names_the_old_and_the_new_one():
    account = make.AccountFactory()
    quiet()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_account SET id = %s WHERE id = %s", [account.pk + 1000, account.pk])
    assert touched()["account"] == {account.pk, account.pk + 1000}


def test_admin_page_and_api(world, client):
    _, _, contact, deal = world
    boss = make.UserFactory(role=Role.ADMIN, is_superuser=True, is_staff=True)
    client.force_login(boss)
    quiet()
    response = client.patch(f"/api/v1/contacts/{contact.pk}/", {"job_title": "Buyer"}, content_type="application/json")
    assert response.status_code == 200, response.content
    assert touched()["contact"] == {contact.pk}
    answer = client.post(
        reverse("admin:accounts_opportunity_delete", args=[deal.pk]), {"post": "yes"},
    )  # fmt: skip
    assert answer.status_code == 302
    assert touched()["opportunity"] == {deal.pk}


def test_an_import(tmp_path):
    old = make.AccountFactory(name="Old", domain="old.example", city="Ulm", employee_count=5)
    user = make.UserFactory(role=Role.ADMIN)
    quiet()
    path = tmp_path / "a.csv"
    path.write_text("name,domain,city,employees,tags\nOld,old.example,Bonn,50,red\nNew,new.example,Köln,7,\n")
    import_file(path, ImportOptions(type="accounts"), user=user)
    new = Account.objects.get(domain="new.example")
    found = took()
    assert set(found.touched["account"]) == {old.pk, new.pk}
    tag = AccountValue.objects.get(account=old, field="tags").term_id
    assert {("city", "Ulm", "Bonn"), ("tags", "", str(tag))} <= said(found)


def test_a_bulk_act_and_its_undo(world):
    boss = make.UserFactory(role=Role.ADMIN)
    contacts = [make.ContactFactory() for _ in range(3)]
    quiet()
    act = bulk.draft(boss, bulk.action_named("edit", "contact"), "contact", BitMap([c.pk for c in contacts]))
    act = bulk.start(act, {"field": "lifecycle_stage", "value": "lead"}, "Set it")
    assert act.changed == 3
    assert touched()["contact"] == {c.pk for c in contacts}
    bulk.start_undo(act)
    assert touched()["contact"] == {c.pk for c in contacts}


def test_values_links_and_what_accompanies_a_record(world):
    first, second, contact, deal = world
    value = ContactValue.objects.create(contact=contact, field="buying_roles", token="champion")
    found = took()
    assert (dict(found.touched), said(found)) == (
        {"contact": BitMap([contact.pk])}, {("buying_roles", "", "champion")},
    )  # fmt: skip
    value.delete()
    assert said(took()) == {("buying_roles", "champion", "")}
    ContactAccount.objects.create(contact=contact, account=second)
    assert touched() == {"contact": {contact.pk}}
    role = OpportunityContact.objects.create(contact=contact, opportunity=deal, role="champion")
    found = touched()
    assert (found["contact"], found["opportunity"]) == ({contact.pk}, {deal.pk})
    OpportunityContact.objects.filter(pk=role.pk).update(role="influencer")
    assert touched() == {"contact": {contact.pk}, "opportunity": {deal.pk}}
    owners = {"contact": contact.pk, "account": first.pk, "opportunity": deal.pk}
    for factory, record, values in (
        (make.ConsentFactory, "contact", {"contact": contact, "status": "granted"}),
        (make.ExternalIdFactory, "account", {"record_id": first.pk, "record_type": "account"}),
        (make.ProvenanceFactory, "account", {"record_id": first.pk, "record_type": "account", "field": "city"}),
        (make.AccountTechnologyFactory, "account", {"account": first}),
        (make.NeedFactory, "contact", {"contact": contact, "account": None}),
        (make.OpportunityLineFactory, "opportunity", {"opportunity": deal}),
        (make.AccountCustomValueFactory, "account", {"account": first, "text": "x"}),
    ):
        made = factory(**values)
        assert owners[record] in touched()[record], made
        made.delete()
        assert owners[record] in touched()[record], made


def test_history_imported_from_elsewhere_touches_its_record(world):
    contact = world[2]
    FieldHistory.objects.create(
        record_type="contact", record_id=contact.pk, field="lead_status", value="new", valid_from=NOON, valid_to=NOON
    )
    assert touched() == {"contact": {contact.pk}}


def test_a_deleted_record_and_its_cascade_still_find_their_owners(world):
    first, _, contact, deal = world
    OpportunityContact.objects.create(contact=contact, opportunity=deal, role="champion")
    make.ActivityFactory(contact=contact, account=first)
    quiet()
    gone = {"contact": {contact.pk}, "account": {first.pk}, "opportunity": {deal.pk}}
    contact.delete()
    found = touched()
    assert {record: found[record] for record in gone} == gone
    deal.delete()
    gone = first.pk
    first.delete()
    assert touched()["account"] == {gone}


def test_a_merge(world):
    first, second, contact, deal = world
    merge_records(second, first, {})
    found = touched()
    assert found["account"] == {first.pk, second.pk}
    assert (found["contact"], found["opportunity"]) == ({contact.pk}, {deal.pk})


def test_a_parent_is_touched_by_its_children():
    parent, child = make.AccountFactory(), make.AccountFactory()
    quiet()
    Account.objects.filter(pk=child.pk).update(parent_account=parent)
    assert touched() == {"account": {parent.pk, child.pk}}


def test_what_is_rolled_back_leaves_nothing(world):
    contact = world[2]
    with transaction.atomic():
        Contact.objects.filter(pk=contact.pk).update(seniority="manager")
        assert capture.pending()
        transaction.set_rollback(True)
    assert not capture.pending()
    assert touched() == {}


def test_words_are_cut_and_survive_any_text(world):
    contact = world[2]
    nasty = "\"quoted\" \\ {ünïcode} ',' \n" + "x" * 150
    Contact.objects.filter(pk=contact.pk).update(job_title=nasty, job_title_folded=nasty)
    change = next(c for c in took().changes if c.field == "job_title")
    assert change.new == nasty[:100]


def test_the_moment_is_the_effective_time(world):
    contact = world[2]
    with effective_time(NOON):
        Contact.objects.filter(pk=contact.pk).update(seniority="manager")
    assert {c.at for c in took().changes} == {NOON}


# --- Reference data, settings, the whole ---


def test_reference_data_is_named_and_touches_no_record():
    tag = make.TermFactory(vocabulary="tag", name="Blue")
    stage = make.StageFactory()
    quiet()
    new = Term(vocabulary="need", slug="new-need", name="New need")
    new.save()
    assert not capture.pending(), "nothing points to a new term yet"
    tag.name = "Navy"
    tag.save()
    assert took().reference_changed == {"term:tag"}
    stage.is_won = True
    stage.save()
    found = took()
    assert (found.reference_changed, found.touched) == ({"stage"}, {})
    stage.position = 99
    stage.save()
    assert not capture.pending()
    new.delete()
    assert took().reference_changed == {"term:need"}


def test_settings_rates_and_custom_fields_are_reference_data():
    organisation = Organisation.current()
    quiet()
    organisation.fiscal_year_start_month = 7
    organisation.save()
    assert took().reference_changed == {"organisation"}
    organisation.name = "Other"
    organisation.save()
    assert not capture.pending()
    make.ExchangeRateFactory()
    assert took().reference_changed == {"rates"}
    make.CustomFieldFactory()
    assert took().reference_changed == {"custom_field"}


def test_a_tree_that_moved_is_named():
    region = make.TermFactory(vocabulary="sales_region")
    quiet()
    Term.objects.filter(pk=region.pk).update(path=f"/9/{region.pk}/")
    assert took().reference_changed == {"term:sales_region"}


def test_many_touched_records_are_a_rebuild(world, monkeypatch):
    monkeypatch.setattr("accounts.capture.taking.REBUILD_FLOOR", 20)
    Contact.objects.bulk_create([Contact(last_name=f"n{n}") for n in range(40)])
    make.TermFactory(vocabulary="tag").delete()
    found = took()
    assert (found.rebuild_all, found.touched, found.more) == (True, {}, False)
    assert found.reference_changed == {"term:tag"}
    assert not capture.pending()


def test_one_record_written_often_is_no_rebuild(world, monkeypatch):
    monkeypatch.setattr("accounts.capture.taking.REBUILD_FLOOR", 20)
    contact = world[2]
    for n in range(30):
        Contact.objects.filter(pk=contact.pk).update(time_zone_folded=f"n{n}")
    found = took()
    assert not found.rebuild_all
    assert set(found.touched["contact"]) == {contact.pk}


def test_a_limit_takes_the_oldest_first_and_says_that_more_waits(world):
    contacts = [make.ContactFactory.build(account=None) for _ in range(6)]
    for contact in contacts:
        contact.save()
    seen: list[int] = []
    while True:
        found = took(limit=4)
        seen += [key for key in found.touched.get("contact", ()) if key not in seen]
        if not found.more:
            break
        assert found.rows <= 4
    assert seen == [c.pk for c in contacts]


def test_taking_needs_a_transaction(transactional_db):
    with pytest.raises(transaction.TransactionManagementError, match="transaction"):
        capture.take()


def test_what_was_taken_comes_back_with_a_rollback(world):
    Contact.objects.filter(pk=world[2].pk).update(seniority="manager")
    with transaction.atomic():
        assert capture.take().touched
        transaction.set_rollback(True)
    assert touched()["contact"] == {world[2].pk}


def test_thousands_of_keys_and_few_words_of_one_statement(world):
    made = Contact.objects.bulk_create([Contact(last_name=f"n{n}") for n in range(700)])
    quiet()
    Contact.objects.filter(pk__in=[c.pk for c in made]).update(seniority="manager")
    assert ChangeRow.objects.count() == (1 if connection.vendor == "postgresql" else 700)
    found = took()
    assert set(found.touched["contact"]) == {c.pk for c in made}
    most = 500 if connection.vendor == "postgresql" else 700
    assert len([c for c in found.changes if c.field == "seniority"]) == most
