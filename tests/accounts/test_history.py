"""The history of fields, kept by triggers: whoever writes, by whatever way."""

import datetime
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from accounts import history
from accounts.models import Account, Contact, ExternalId, FieldHistory, Opportunity, Provenance
from segmentation_crm.common.effective_time import effective_now, effective_time
from segmentation_crm.common.models import Organisation
from segmentation_crm.common.triggers import drop
from tests import factories

pytestmark = pytest.mark.django_db
UTC = datetime.UTC
JANUARY = datetime.datetime(2026, 1, 10, 9, 30, tzinfo=UTC)
MARCH = datetime.datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)


def rows(record, field):
    """Return (value, from, to, reconstructed) of a record's field, oldest first."""
    found = FieldHistory.objects.filter(record_type=record._meta.model_name, record_id=record.pk, field=field).order_by(
        "valid_from", "id"
    )
    return [(r.value, r.valid_from, r.valid_to, r.is_reconstructed) for r in found]


def test_a_new_record_starts_its_value_at_its_own_date():
    account = factories.AccountFactory(lifecycle_stage="customer", became_customer_at=JANUARY, tier="1")
    assert rows(account, "lifecycle_stage") == [("customer", JANUARY, None, True)]
    assert rows(account, "tier") == [("1", account.created_at, None, True)]


def test_without_a_date_of_its_own_the_value_starts_at_created_at():
    contact = factories.ContactFactory(lifecycle_stage="mql", lead_status="new", created_at=JANUARY)
    assert rows(contact, "lifecycle_stage") == [("mql", JANUARY, None, True)]
    assert rows(contact, "lead_status") == [("new", JANUARY, None, True)]


def test_an_empty_value_makes_no_row():
    assert rows(factories.AccountFactory(), "lifecycle_stage") == []


def test_an_open_opportunity_starts_its_stage_when_it_was_opened_by_local_midnight():
    Organisation.objects.create(time_zone="America/New_York")
    opportunity = factories.OpportunityFactory(opened_on=datetime.date(2026, 7, 4), stage__slug="demo")
    start = datetime.datetime(2026, 7, 4, tzinfo=ZoneInfo("America/New_York"))
    assert rows(opportunity, "stage") == [("demo", start, None, True)]


def test_a_closed_opportunity_starts_its_stage_when_it_was_closed():
    won = factories.StageFactory(is_won=True, slug="won")
    opportunity = factories.OpportunityFactory(stage=won, opened_on=datetime.date(2025, 5, 1), closed_at=JANUARY)
    assert rows(opportunity, "stage") == [("won", JANUARY, None, True)]


def test_a_closed_opportunity_without_closing_date_starts_when_it_was_opened():
    lost = factories.StageFactory(is_lost=True, slug="lost")
    opportunity = factories.OpportunityFactory(stage=lost, opened_on=datetime.date(2025, 5, 1))
    assert rows(opportunity, "stage") == [("lost", datetime.datetime(2025, 5, 1, tzinfo=UTC), None, True)]


def test_a_change_closes_the_old_value_and_opens_the_new_one():
    account = factories.AccountFactory(tier="3", created_at=JANUARY)
    with effective_time(MARCH):
        account.tier = "1"
        account.save()
    assert rows(account, "tier") == [("3", JANUARY, MARCH, True), ("1", MARCH, None, False)]


def test_bulk_updates_and_raw_sql_are_kept_too():
    account = factories.AccountFactory(tier="3", created_at=JANUARY)
    with effective_time(MARCH):
        Account.objects.filter(pk=account.pk).update(tier="2")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_account SET tier = '1' WHERE id = %s", [account.pk])
    found = rows(account, "tier")
    assert [row[0] for row in found] == ["3", "2", "1"]
    assert found[1][2] == found[2][1] > MARCH


def test_bulk_create_is_kept():
    made = Contact.objects.bulk_create(
        [Contact(last_name=f"n{n}", lifecycle_stage="lead", became_lead_at=JANUARY) for n in range(3)]
    )
    assert [rows(contact, "lifecycle_stage") for contact in made] == [[("lead", JANUARY, None, True)]] * 3


def test_saving_without_a_change_adds_nothing():
    account = factories.AccountFactory(tier="3", created_at=JANUARY)
    account.name = "Other name"
    account.save()
    assert len(rows(account, "tier")) == 1


def test_an_emptied_value_is_kept_as_empty():
    account = factories.AccountFactory(tier="3", created_at=JANUARY)
    with effective_time(MARCH):
        Account.objects.filter(pk=account.pk).update(tier="")
    assert rows(account, "tier") == [("3", JANUARY, MARCH, True), ("", MARCH, None, False)]


def test_two_changes_at_one_moment_leave_the_last():
    account = factories.AccountFactory(tier="3", created_at=JANUARY)
    with effective_time(MARCH):
        Account.objects.filter(pk=account.pk).update(tier="2")
        Account.objects.filter(pk=account.pk).update(tier="1")
    assert rows(account, "tier") == [("3", JANUARY, MARCH, True), ("1", MARCH, None, False)]


def test_there_and_back_at_one_moment_is_no_change():
    account = factories.AccountFactory(tier="3", created_at=JANUARY)
    with effective_time(MARCH):
        Account.objects.filter(pk=account.pk).update(tier="2")
        Account.objects.filter(pk=account.pk).update(tier="3")
    assert rows(account, "tier") == [("3", JANUARY, None, True)]


def test_a_change_dated_before_the_first_value_replaces_it():
    account = factories.AccountFactory(tier="3", created_at=MARCH)
    with effective_time(JANUARY):
        Account.objects.filter(pk=account.pk).update(tier="1")
    assert rows(account, "tier") == [("1", JANUARY, None, False)]


def test_a_stage_change_keeps_the_slug():
    pipeline = factories.PipelineFactory()
    first, second = (factories.StageFactory(pipeline=pipeline, slug=slug) for slug in ("first", "second"))
    opportunity = factories.OpportunityFactory(stage=first, opened_on=datetime.date(2026, 1, 1))
    with effective_time(MARCH):
        Opportunity.objects.filter(pk=opportunity.pk).update(stage=second)
    assert [(value, start) for value, start, _, _ in rows(opportunity, "stage")][1] == ("second", MARCH)
    with effective_time(MARCH + datetime.timedelta(days=1)):
        Opportunity.objects.filter(pk=opportunity.pk).update(stage=None)
    assert [row[0] for row in rows(opportunity, "stage")] == ["first", "second", ""]


def test_deleting_a_record_takes_its_rows_along():
    account = factories.AccountFactory(tier="1")
    other = factories.AccountFactory(tier="1")
    for one in (account, other):
        factories.ExternalIdFactory(record_id=one.pk)
        factories.ProvenanceFactory(record_id=one.pk)
    account.delete()
    for model in (FieldHistory, ExternalId, Provenance):
        assert list(model.objects.values_list("record_id", flat=True)) == [other.pk]


def test_the_effective_time_ends_with_its_block():
    with effective_time(JANUARY):
        assert effective_now() == JANUARY
        with effective_time(MARCH):
            assert effective_now() == MARCH
        account = factories.AccountFactory(tier="2", created_at=JANUARY - datetime.timedelta(days=9))
        Account.objects.filter(pk=account.pk).update(tier="1")
    assert rows(account, "tier")[1][1] == JANUARY
    assert timezone.now() - effective_now() < datetime.timedelta(minutes=1)
    before = timezone.now() - datetime.timedelta(minutes=1)
    Account.objects.filter(pk=account.pk).update(tier="3")
    assert rows(account, "tier")[2][1] > before


def test_the_effective_time_ends_with_an_error():
    account = factories.AccountFactory(tier="2", created_at=JANUARY)
    with pytest.raises(RuntimeError), effective_time(MARCH):
        raise RuntimeError
    Account.objects.filter(pk=account.pk).update(tier="1")
    assert rows(account, "tier")[1][1] > MARCH


def test_a_naive_effective_time_is_refused():
    with pytest.raises(ValueError, match="time zone"), effective_time(datetime.datetime(2026, 1, 1)):
        pass


def test_missing_triggers_are_reported_and_put_back():
    assert history.missing_triggers() == []
    assert history.check_triggers(databases=["default"]) == []
    wanted = history.history_triggers(connection.vendor)
    with transaction.atomic():
        drop(connection, wanted[:2])
        assert set(history.missing_triggers()) == {t.name for t in wanted[:2]}
        messages = history.check_triggers(databases=["default"])
        assert [m.id for m in messages] == ["accounts.E001"] * 2
        history.install_after_migrations()
        assert history.missing_triggers() == []


def test_migrate_puts_a_dropped_trigger_back():
    drop(connection, history.history_triggers(connection.vendor)[:1])
    call_command("migrate", "accounts", verbosity=0)
    assert history.missing_triggers() == []
