"""My day: what is due by the person's own clock, whom to follow up, what changed, who sees what, how many queries."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone

from accounts.choices import LeadStatus
from accounts.models import Activity, Contact, Task
from accounts.queries.my_day import day_of, previous_working_day
from accounts.services.opportunities import move_stage
from segmentation_crm.common.effective_time import effective_time
from segmentation_crm.common.local_time import LocalDay
from segmentation_crm.common.models import Role
from segmentation_crm.common.services.preferences import prefer
from tests import factories as make

UTC = ZoneInfo("UTC")


@pytest.fixture
def rep(db):
    return make.UserFactory(username="mira", first_name="Mira", role=Role.SALES_REP, team=make.TeamFactory())


@pytest.fixture
def account(rep):
    return make.AccountFactory(name="Kessler Motors", owner=rep)


@pytest.fixture
def browser(rep):
    client = Client()
    client.force_login(rep)
    return client


def day(user, days_back=1):
    """Return the user's day, looking back so many days."""
    today = LocalDay.today(UTC)
    return day_of(user, today, today.plus(-days_back).start)


@pytest.mark.parametrize(
    ("day", "before"),
    [("2026-11-23", "2026-11-20"), ("2026-11-22", "2026-11-20"), ("2026-11-24", "2026-11-23")],
)
def test_on_a_monday_yesterday_is_friday(day, before):
    assert previous_working_day(LocalDay(UTC, dt.date.fromisoformat(day))).date == dt.date.fromisoformat(before)


def test_a_day_of_the_clock_change_has_23_hours_and_a_skipped_time_moves_on():
    berlin = LocalDay(ZoneInfo("Europe/Berlin"), dt.date(2026, 3, 29))
    assert berlin.end.astimezone(dt.UTC) - berlin.start.astimezone(dt.UTC) == dt.timedelta(hours=23)
    assert berlin.at(2, 30).astimezone(dt.UTC) == dt.datetime(2026, 3, 29, 1, 30, tzinfo=dt.UTC)


def test_the_home_of_a_rep_is_my_day_and_others_keep_theirs(browser, rep):
    assert b"<h1>My day</h1>" in browser.get("/").content
    manager = Client()
    manager.force_login(make.UserFactory(role=Role.MARKETING_MANAGER))
    assert b"<h1>Home</h1>" in manager.get("/").content
    assert b"<h1>My day</h1>" in manager.get("/my-day/").content
    menu = browser.get("/").content.decode().split('aria-label="Main"')[1].split("</nav>")[0]
    order = [menu.find(f'title="{label}"') for label in ("My day", "Accounts", "Contacts", "Opportunities", "Segments")]
    assert order == sorted(order)
    assert -1 not in order
    assert 'title="Home"' not in menu


def test_tasks_stand_under_overdue_today_and_this_week_by_the_persons_clock(rep):
    kiritimati = ZoneInfo("Pacific/Kiritimati")  # fourteen hours ahead of UTC
    now = timezone.now()
    today = LocalDay.today(kiritimati, now)
    late = make.TaskFactory(owner=rep, due_at=now - dt.timedelta(minutes=1))
    tonight = make.TaskFactory(owner=rep, due_at=today.end - dt.timedelta(minutes=1))
    undated = make.TaskFactory(owner=rep, due_at=None)
    make.TaskFactory(owner=rep, due_at=today.week_end)
    make.TaskFactory(owner=make.UserFactory(), due_at=now)
    make.TaskFactory(owner=rep, due_at=now, done_at=now)
    tasks = day_of(rep, today, today.start).tasks
    assert list(tasks.overdue) == [late]
    assert list(tasks.today) == ([tonight] if tonight.due_at > now else [])
    assert list(tasks.undated) == [undated]
    if today.date.weekday() < 6:
        tomorrow = make.TaskFactory(owner=rep, due_at=today.end)
        assert list(day_of(rep, today, today.start).tasks.week) == [tomorrow]


def test_the_page_uses_the_time_zone_the_person_chose(browser, rep):
    prefer(rep, "time_zone", {"name": "Asia/Tokyo"})
    make.TaskFactory(owner=rep, title="At nine", due_at=dt.datetime(2020, 1, 1, 0, 0, tzinfo=dt.UTC))
    assert "Wed 1 Jan, 09:00" in browser.get("/my-day/").content.decode()


def test_follow_ups(rep, account):
    today = LocalDay.today(UTC)
    due = make.OpportunityFactory(account=account, owner=rep, next_step="Call", next_step_due=today.date)
    make.OpportunityFactory(account=account, owner=rep, next_step="Later", next_step_due=today.plus(1).date)
    old = timezone.now() - dt.timedelta(days=30)
    waiting = make.ContactFactory(account=account, owner=rep, lead_status=LeadStatus.WORKING)
    touched = make.ContactFactory(account=account, owner=rep, lead_status=LeadStatus.ATTEMPTING)
    Contact.objects.filter(pk__in=[waiting.pk, touched.pk]).update(created_at=old)
    make.ActivityFactory(contact=touched, type="call", direction="outbound", occurred_at=timezone.now())
    make.ActivityFactory(contact=waiting, type="page_view", direction="inbound", user=None, occurred_at=timezone.now())
    back = make.ContactFactory(
        account=account, owner=rep, lead_status=LeadStatus.RECYCLED, recycle_until=today.plus(-1).date
    )
    make.ContactFactory(account=account, owner=rep, lead_status=LeadStatus.RECYCLED, recycle_until=today.plus(1).date)
    found = day(rep).follow_ups
    assert (list(found.deals), list(found.contacts), list(found.recycled)) == ([due], [waiting], [back])


def test_what_changed_at_my_accounts(rep, account):
    now = timezone.now()
    hour_ago = now - dt.timedelta(hours=1)
    person = make.ContactFactory(account=account)
    for kind, direction in (("page_view", "inbound"), ("page_view", "inbound"), ("email_sent", "outbound")):
        make.ActivityFactory(account=account, contact=person, type=kind, direction=direction, occurred_at=hour_ago)
    make.ActivityFactory(
        account=account, contact=person, type="page_view", direction="inbound", bot_suspected=True, occurred_at=hour_ago
    )
    case = make.SupportCaseFactory(account=account, opened_at=hour_ago)
    ends = make.ContractFactory(account=account, status="active", starts_on=None, ends_on=now.date() + dt.timedelta(80))
    make.ContractFactory(account=account, status="active", starts_on=None, ends_on=now.date() + dt.timedelta(95))
    first, second = make.StageFactory(), make.StageFactory()
    deal = make.OpportunityFactory(account=account, stage=first, opened_on=now.date() - dt.timedelta(days=60))
    with effective_time(hour_ago):
        move_stage(deal, second)
    found = day(rep, days_back=2).changes
    (engaged,) = found.engagement
    assert (engaged.account, engaged.times, engaged.people, engaged.what) == (account, 2, 1, "2 × page view")
    assert [(row.deal, row.before, row.after) for row in found.stages] == [(deal, first.name, second.name)]
    assert (list(found.contacts), list(found.cases), list(found.contracts)) == ([person], [case], [ends])
    assert not day_of(rep, LocalDay.today(UTC), now + dt.timedelta(hours=1)).changes.engagement


def test_three_people_and_a_day(rep, account):
    make.TaskFactory(owner=rep, title="Mine", due_at=timezone.now(), account=account)
    make.ActivityFactory(account=account, contact=None, type="page_view", direction="inbound")
    colleague = make.UserFactory(role=Role.SALES_MANAGER, team=rep.team)
    stranger = make.UserFactory(role=Role.SALES_REP)
    for user in (colleague, stranger):
        client = Client()
        client.force_login(user)
        text = client.get("/my-day/").content.decode()
        assert "Kessler" not in text, user.role
        assert "Mine" not in text
        assert "No account is yours yet" in text


def test_a_task_on_a_record_that_one_may_not_see_does_not_name_it(browser, rep):
    hidden = make.AccountFactory(name="Hidden Works")
    make.TaskFactory(owner=rep, title="Odd task", due_at=timezone.now(), account=hidden)
    text = browser.get("/my-day/").content.decode()
    assert "Odd task" in text
    assert "Hidden Works" not in text
    form = browser.get(f"/tasks/{Task.objects.get().pk}/").content.decode()
    assert "Hidden Works" not in form


def test_every_block_says_what_to_do_when_empty(browser):
    text = browser.get("/my-day/").content.decode()
    for words in ("Nothing is due this week", "Nobody waits for you", "No account is yours yet", "Nothing new."):
        assert words in text


def test_the_number_of_queries_is_pinned(browser, rep, account, django_assert_max_num_queries):
    people = make.ContactFactory.create_batch(6, account=account, owner=rep, lead_status=LeadStatus.WORKING)
    Contact.objects.update(created_at=timezone.now() - dt.timedelta(hours=5))
    for person in people:
        make.ActivityFactory(contact=person, account=account, type="page_view", direction="inbound")
        make.TaskFactory(owner=rep, account=None, contact=person, due_at=timezone.now())
        make.OpportunityFactory(account=account, owner=rep, next_step_due=timezone.now().date())
        make.NotificationFactory(user=rep)
        make.SupportCaseFactory(account=account, opened_at=timezone.now())
    assert Activity.objects.count() == 6
    with django_assert_max_num_queries(46):
        browser.get("/my-day/")


def test_done_in_place_and_undone(browser, rep):
    task = make.TaskFactory(owner=rep, title="Call Anna", due_at=timezone.now().replace(second=0, microsecond=0))
    line = browser.post(f"/tasks/{task.pk}/complete/", headers={"HX-Request": "true"}).content.decode()
    assert "Done: Call Anna" in line
    assert f"/tasks/{task.pk}/reopen/" in line
    browser.post(f"/tasks/{task.pk}/reopen/")
    assert Task.objects.get(done_at__isnull=True) == task
    browser.post(f"/tasks/{task.pk}/postpone/", {"days": "3"})
    before = task.due_at
    task.refresh_from_db()
    assert task.due_at == before + dt.timedelta(days=3)
