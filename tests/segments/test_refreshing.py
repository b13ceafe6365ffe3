"""Incremental refresh: what changed rows, time and other segments do to the members, by whatever way."""

import datetime as dt

import pytest
from django.db import connection
from django.utils import timezone

from accounts.capture import pending
from accounts.models import Account, Activity
from segmentation_crm.common.effective_time import effective_time
from segmentation_crm.common.models import Job, JobState
from segments.models import MembershipChange, MovedMembers, Segment
from segments.services.rebuilding import rebuild_segment
from segments.services.refreshing import is_due, rebuild_instead, refresh, refresh_until_done
from tests.factories import AccountFactory, ActivityFactory, ContactFactory

from .making import all_of, built, in_segment, larger_than, member_ids

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2026, 5, 20, 12, 0, tzinfo=dt.UTC)


def visited(days: int, operator: str = "gte", count: int = 1) -> dict:
    """Return a rule for contacts with so many visits within so many days."""
    window = {"field": "activity.occurred_at", "operator": "in_last", "value": {"n": days, "unit": "day"}}
    figure = {"field": "contact.activities", "aggregate": {"function": "count"}, "where": all_of(window)}
    return all_of({**figure, "operator": operator, "value": count})


def same_as_rebuilt(*segments: Segment) -> None:
    """Check that a rebuild finds nothing to change."""
    for segment in segments:
        outcome = rebuild_segment(segment.pk)
        assert (outcome.entered, outcome.left) == (0, 0), segment


def test_a_changed_value_moves_one_record_and_says_why():
    small, large = AccountFactory(employee_count=80), AccountFactory(employee_count=900)
    segment = built(larger_than(200))
    refresh_until_done()
    Account.objects.filter(pk=small.pk).update(employee_count=240)
    result = refresh()
    assert member_ids(segment) == {small.pk, large.pk}
    assert (result.entered, result.left, result.asked) == (1, 0, 1)
    change = MembershipChange.objects.get(segment=segment, account=small)
    assert (change.entered, change.cause, change.field) == (True, "data", "account.employee_count")
    assert change.words == "Employees 80 → 240"
    segment.refresh_from_db()
    assert segment.member_count == 2
    same_as_rebuilt(segment)


def test_nothing_waits_after_a_refresh():
    built(larger_than(200))
    refresh_until_done()
    assert not is_due()
    AccountFactory()
    assert is_due()


def test_raw_sql_counts_like_any_other_write():
    account = AccountFactory(employee_count=80)
    segment = built(larger_than(200))
    refresh_until_done()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_account SET employee_count = 500 WHERE id = %s", [account.pk])
    refresh_until_done()
    assert member_ids(segment) == {account.pk}


def test_who_moved_in_one_segment_moves_in_those_that_read_it():
    account = AccountFactory(employee_count=80)
    base = built(larger_than(200), "Base")
    reader = built(in_segment("base"), "Reader")
    contact = ContactFactory(account=account)
    people = built(
        all_of({"field": "account.segment", "operator": "in", "value": ["reader"]}), "People", member_type="contact"
    )
    refresh_until_done()
    Account.objects.filter(pk=account.pk).update(employee_count=300)
    refresh_until_done()
    assert member_ids(base) == member_ids(reader) == {account.pk}
    assert member_ids(people) == {contact.pk}
    same_as_rebuilt(base, reader, people)


def test_a_rebuild_tells_those_that_read_the_segment_by_the_next_refresh():
    account = AccountFactory(employee_count=300)
    base = built(larger_than(500), "Base")
    reader = built(in_segment("base"), "Reader")
    refresh_until_done()
    Segment.objects.filter(pk=base.pk).update(rules=larger_than(200))
    rebuild_segment(base.pk)
    assert MovedMembers.objects.count() == 1
    assert is_due()
    refresh_until_done()
    assert member_ids(reader) == {account.pk}
    assert not MovedMembers.objects.exists()


def test_time_alone_moves_who_was_active_ninety_days_ago():
    contact = ContactFactory()
    ActivityFactory(contact=contact, account=contact.account, occurred_at=NOW - dt.timedelta(days=60))
    with effective_time(NOW):
        segment = built(visited(90), member_type="contact")
        refresh_until_done()
    assert member_ids(segment) == {contact.pk}
    with effective_time(NOW + dt.timedelta(days=31)):
        result = refresh(wake=True)
        assert member_ids(segment) == set()
        assert result.left == 1
        change = MembershipChange.objects.get(segment=segment, entered=False)
        assert change.cause == "time"
        assert "last 90 days" in change.words
        same_as_rebuilt(segment)


def test_a_future_dated_row_counts_from_its_moment_on():
    contact = ContactFactory()
    with effective_time(NOW):
        segment = built(visited(90), member_type="contact")
        ActivityFactory(contact=contact, account=contact.account, occurred_at=NOW + dt.timedelta(hours=2))
        refresh_until_done()
        assert member_ids(segment) == set()
    with effective_time(NOW + dt.timedelta(hours=2)):
        refresh(wake=True)
        assert member_ids(segment) == set()
    with effective_time(NOW + dt.timedelta(hours=2, microseconds=1)):
        refresh(wake=True)
        assert member_ids(segment) == {contact.pk}


def test_data_beats_time_where_both_name_a_record():
    contact = ContactFactory()
    activity = ActivityFactory(contact=contact, account=contact.account, occurred_at=NOW - dt.timedelta(days=60))
    with effective_time(NOW):
        segment = built(visited(90), member_type="contact")
        refresh_until_done()
    with effective_time(NOW + dt.timedelta(days=31)):
        Activity.objects.filter(pk=activity.pk).delete()
        refresh(wake=True)
    assert MembershipChange.objects.get(segment=segment, entered=False).cause == "data"


def test_top_percent_moves_those_whom_nobody_touched():
    accounts = [AccountFactory(employee_count=10 * n) for n in range(1, 11)]
    rule = all_of({"field": "account.employee_count", "operator": "top_percent", "value": 20})
    segment = built(rule)
    refresh_until_done()
    assert member_ids(segment) == {accounts[8].pk, accounts[9].pk}
    Account.objects.filter(pk=accounts[0].pk).update(employee_count=1000)
    refresh_until_done()
    assert member_ids(segment) == {accounts[0].pk, accounts[9].pk}
    same_as_rebuilt(segment)


def test_a_deleted_record_leaves_and_the_count_follows():
    account = AccountFactory(employee_count=900)
    segment = built(larger_than(200))
    refresh_until_done()
    Account.objects.filter(pk=account.pk).update(deleted_at=timezone.now())
    refresh_until_done()
    segment.refresh_from_db()
    assert (member_ids(segment), segment.member_count) == (set(), 0)


def test_an_excluded_record_stays_out():
    from segments.services.overrides import set_override
    from tests.factories import UserFactory

    account = AccountFactory(employee_count=80)
    segment = built(larger_than(200))
    set_override(UserFactory(role="admin"), segment, account.pk, "exclude", "A competitor")
    refresh_until_done()
    Account.objects.filter(pk=account.pk).update(employee_count=900)
    refresh_until_done()
    assert member_ids(segment) == set()


def test_an_aborted_refresh_loses_nothing():
    account = AccountFactory(employee_count=80)
    segment = built(larger_than(200))
    refresh_until_done()
    Account.objects.filter(pk=account.pk).update(employee_count=900)

    def fail() -> None:
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        refresh(on_commit_point=fail)
    assert member_ids(segment) == set()
    assert is_due()
    refresh_until_done()
    assert member_ids(segment) == {account.pk}


def test_after_a_bulk_load_one_rebuild_stands_for_the_changes():
    account = AccountFactory(employee_count=80)
    segment = built(larger_than(200))
    refresh_until_done()
    Account.objects.filter(pk=account.pk).update(employee_count=500)
    rebuild_instead()
    assert not pending()
    assert Job.objects.filter(kind="segment.rebuild_all", state=JobState.QUEUED).count() == 1
    rebuild_segment(segment.pk)
    assert member_ids(segment) == {account.pk}
