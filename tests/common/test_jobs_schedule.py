"""Scheduled work: each slot once, whatever the clocks do."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from segmentation_crm.common.jobs import registry, slots, sweeper
from segmentation_crm.common.jobs.registry import Scheduled
from segmentation_crm.common.models import Job, Organisation, ScheduleSlot

BERLIN = ZoneInfo("Europe/Berlin")


def slot_at(*moment: int, daily: str = "02:30", zone: ZoneInfo = BERLIN) -> str:
    return slots.latest_slot(Scheduled("x", daily=daily), datetime(*moment, tzinfo=UTC), zone)


def test_a_daily_slot_is_its_local_date():
    assert slot_at(2026, 6, 10, 0, 29) == "2026-06-09", "02:29 in Berlin"
    assert slot_at(2026, 6, 10, 0, 30) == "2026-06-10", "02:30 in Berlin"
    assert slot_at(2026, 6, 10, 23, 0) == "2026-06-10", "01:00 of the next day"


def test_r102_the_changes_of_the_clocks_neither_skip_nor_double_a_day():
    for first in (datetime(2026, 3, 27, tzinfo=UTC), datetime(2026, 10, 23, tzinfo=UTC)):
        seen: list[str] = []
        for minutes in range(0, 4 * 24 * 60, 10):
            slot = slots.latest_slot(Scheduled("x", daily="02:30"), first + timedelta(minutes=minutes), BERLIN)
            if not seen or seen[-1] != slot:
                seen.append(slot)
        assert seen == sorted(set(seen)), "no slot comes twice"
        assert len(seen) == 5


@pytest.fixture
def daily(monkeypatch):
    def handler(run):
        return {}

    monkeypatch.setitem(registry._kinds, "test.daily", registry.Kind("test.daily", handler))
    monkeypatch.setattr(
        slots,
        "scheduled",
        lambda: {"test.daily:k": Scheduled("test.daily", daily="02:30", key="k", payload={"a": 1})},
    )


@pytest.mark.django_db
def test_r101_each_slot_starts_once_and_an_outage_is_caught_up_once(daily, monkeypatch):
    organisation = Organisation.current()
    organisation.time_zone = "Europe/Berlin"
    organisation.save()
    now = datetime(2026, 6, 10, 6, 0, tzinfo=UTC)
    monkeypatch.setattr(slots, "database_now", lambda: now)
    (job,) = slots.start_due_work()
    assert (job.kind, job.key, job.payload) == ("test.daily", "k", {"a": 1})
    assert slots.start_due_work() == [], "a second scheduler in the same minute"
    Job.objects.all().delete()
    now += timedelta(days=6)
    assert len(slots.start_due_work()) == 1, "six days down: one run"
    assert slots.start_due_work() == []
    assert ScheduleSlot.objects.filter(task="test.daily:k").count() == 2


@pytest.mark.parametrize("values", [{}, {"daily": "02:30", "every": 5}, {"daily": "25:00"}, {"daily": "noon"}])
def test_an_unreadable_schedule_is_refused(values):
    with pytest.raises(ValueError, match=r"daily|time of day"):
        registry.schedule("x", **values)


@pytest.mark.django_db
def test_the_sweeper_rings_for_what_is_due_and_was_not_heard(daily, rung):
    from segmentation_crm.common import jobs

    heard = jobs.enqueue("test.daily", key="heard")
    lost = jobs.enqueue("test.daily", key="lost")
    later = jobs.enqueue("test.daily", key="later", due_at=heard.due_at + timedelta(hours=1))
    ended = jobs.enqueue("test.daily", key="ended")
    long_ago = heard.due_at - timedelta(minutes=5)
    Job.objects.filter(pk=lost.pk).update(rung_at=long_ago)
    Job.objects.filter(pk=ended.pk).update(state="running", lease_until=long_ago)
    assert sweeper.sweep() == 2
    assert {pk for pk, _ in rung} == {lost.pk, ended.pk}
    assert later.pk not in {pk for pk, _ in rung}
    assert sweeper.sweep() == 1, "the running one until somebody takes it"
