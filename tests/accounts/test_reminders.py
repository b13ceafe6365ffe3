"""Reminders and digests: on time, once, by e-mail where wanted; also while workers are killed."""

import datetime as dt
import os
import random
import signal
import time
from collections import Counter
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from accounts.models import Task
from accounts.services import reminders, work
from segmentation_crm.common import jobs
from segmentation_crm.common.jobs.slots import start_due_work
from segmentation_crm.common.models import EmailState, Job, Notification, Organisation, Role
from segmentation_crm.common.services import mailing
from segmentation_crm.common.services.preferences import prefer
from tests import factories as make
from tests.support.processes import wait_until

REMINDERS = 240


@pytest.fixture
def rep():
    return make.UserFactory(username="mira", role=Role.SALES_REP, email="mira@our-company.example")


def due_task(owner, **values):
    """Return a task whose reminder came due a minute ago."""
    return make.TaskFactory(owner=owner, remind_at=timezone.now() - dt.timedelta(minutes=1), **values)


@pytest.mark.django_db
def test_a_reminder_comes_once_and_again_only_when_it_is_put_later(rep):
    task = due_task(rep, title="Call Anna", account=make.AccountFactory(name="Kessler", owner=rep))
    assert reminders.remind_all() == 1
    assert reminders.remind_all() == 0
    told = rep.notifications.get()
    assert (told.kind, told.title, told.email_state) == ("reminder", "Reminder: Call Anna", EmailState.WANTED)
    assert "On Kessler" in told.text
    task.refresh_from_db()
    task.remind_at = timezone.now() - dt.timedelta(seconds=1)
    work.save_task(task)
    assert reminders.remind_all() == 1
    assert rep.notifications.count() == 2


@pytest.mark.django_db
def test_no_reminder_of_what_is_done_not_due_nobodys_or_hidden(rep):
    due_task(rep, done_at=timezone.now())
    make.TaskFactory(owner=rep, remind_at=timezone.now() + dt.timedelta(hours=1))
    due_task(None)
    due_task(make.UserFactory(is_active=False))
    assert reminders.remind_all() == 0
    due_task(rep, account=make.AccountFactory(name="Hidden Works"))
    assert reminders.remind_all() == 1
    assert "Hidden" not in rep.notifications.get().text


@pytest.mark.django_db
def test_who_wants_no_e_mail_gets_the_bell_only(rep):
    prefer(rep, "email.reminders", {"on": False})
    due_task(rep)
    reminders.remind_all()
    assert rep.notifications.get().email_state == ""


@pytest.mark.django_db
def test_two_at_once_remind_once(rep, monkeypatch):
    task = due_task(rep)
    stale = Task.objects.get(pk=task.pk)
    assert reminders._remind(task, set()) == 1
    assert reminders._remind(stale, set()) == 0
    assert rep.notifications.count() == 1


@pytest.mark.django_db
def test_the_clock_writes_a_job_only_when_a_reminder_is_due(rep):
    kinds = {job.kind for job in start_due_work()}
    assert "tasks.remind" not in kinds
    due_task(rep)
    assert [job.kind for job in start_due_work()].count("tasks.remind") == 1
    assert "tasks.remind" not in {job.kind for job in start_due_work()}


@pytest.mark.django_db
@pytest.mark.parametrize(("hour", "count"), [(6, 0), (7, 1), (11, 1), (12, 0)])
def test_the_digest_comes_in_the_persons_own_morning_once(rep, hour, count):
    prefer(rep, "email.digest", {"on": True})
    prefer(rep, "time_zone", {"name": "America/New_York"})
    zone = ZoneInfo("America/New_York")
    morning = dt.datetime(2026, 3, 9, hour, 5, tzinfo=zone)  # the day after the clocks changed
    make.TaskFactory(owner=rep, title="Send offer", due_at=morning + dt.timedelta(hours=2))
    assert reminders.send_digests(morning) == count
    assert reminders.send_digests(morning) == 0
    assert rep.notifications.filter(kind="digest", read_at__isnull=False).count() == count


@pytest.mark.django_db
def test_a_day_without_work_has_no_digest_and_who_did_not_ask_gets_none(rep):
    Organisation.objects.update_or_create(pk=1, defaults={"time_zone": "Europe/Berlin"})
    morning = dt.datetime(2026, 3, 9, 8, tzinfo=ZoneInfo("Europe/Berlin"))
    prefer(rep, "email.digest", {"on": True})
    make.TaskFactory(owner=make.UserFactory(), due_at=morning)
    assert reminders.send_digests(morning) == 0


@pytest.mark.django_db
def test_the_digest_names_what_is_due(rep, mail_server):
    prefer(rep, "email.digest", {"on": True})
    now = timezone.now()
    make.TaskFactory(owner=rep, title="Send <b>offer</b>", due_at=now - dt.timedelta(days=1))
    deal = make.OpportunityFactory(owner=rep, next_step="Sign", next_step_due=now.date(), name="Planner deal")
    Notification.objects.create(
        user=rep, kind="digest", key="digest:x", title="Your day", created_at=now, email_state=EmailState.WANTED
    )
    assert mailing.send_waiting()["sent"] == 1
    plain, html = (p.get_payload(decode=True).decode() for p in mail_server.messages[0][1].get_payload())
    assert "Send <b>offer</b>" in plain
    assert "Send &lt;b&gt;offer&lt;/b&gt;" in html
    assert f"/opportunities/{deal.pk}/" in plain


# --- with a real worker ---


@pytest.fixture
def mailing_worker(live, mail_server):
    """Return the running product whose only worker sends to the test's mail server."""
    for worker in [program for program in live.programs if "worker" in program.argv]:
        worker.kill()
        live.programs.remove(worker)
    address = f"smtp://127.0.0.1:{mail_server.port}"
    own = live.start_worker(EMAIL_URL=address, SITE_URL="https://crm.our-company.example")
    yield own
    own.kill()
    live.programs.remove(own)
    live.start_worker()


def test_a_reminder_travels_from_the_task_to_the_letter_box(live, mailing_worker, mail_server, rep):
    due_task(rep, title="Call Anna")
    jobs.enqueue("tasks.remind", key="scheduled")
    wait_until(lambda: mail_server.messages, 30, "the e-mail")
    ((recipients, message),) = mail_server.messages
    assert recipients == [rep.email]
    assert message["Subject"] == "Reminder: Call Anna"
    assert "https://crm.our-company.example/tasks/" in message.get_payload()[0].get_payload(decode=True).decode()
    wait_until(lambda: Notification.objects.get().email_state == EmailState.SENT, 10, "the state")


def test_t7_twenty_killed_processes_lose_nothing_unseen_and_double_nothing(live, mailing_worker, mail_server, rep):
    random.seed(7)
    tasks = [due_task(rep, title=f"Task {number}") for number in range(REMINDERS)]
    mail_server.slowness = 0.03
    jobs.enqueue("tasks.remind", key="scheduled")
    kills, deadline = 0, time.monotonic() + 150

    def is_over() -> bool:
        waiting = Notification.objects.filter(email_state__in=[EmailState.WANTED, EmailState.SENDING]).exists()
        return not waiting and Notification.objects.count() == REMINDERS

    while not is_over() and time.monotonic() < deadline:
        time.sleep(random.uniform(0.1, 0.7))
        pool = mailing_worker.children()
        if kills < 22 and pool:
            os.kill(random.choice(pool), signal.SIGKILL)
            kills += 1
        if not Job.objects.filter(state__in=["queued", "running"]).exists():
            # What the clock does each minute.
            for kind, is_due in (("tasks.remind", reminders.reminders_due), ("notifications.email", mailing.waiting)):
                if is_due():
                    jobs.enqueue(kind, key="scheduled" if kind == "tasks.remind" else "mail")
    live.wait_for_jobs(60)
    states = Counter(Notification.objects.values_list("email_state", flat=True))
    times = mail_server.by_id()
    print(f"kills {kills}, states {dict(states)}, e-mails {sum(times.values())}")
    assert kills >= 20
    assert Notification.objects.count() == len(tasks), "a reminder was lost or doubled"
    assert set(times.values()) == {1}, "an e-mail was doubled"
    assert states[EmailState.SENT] + states[EmailState.UNKNOWN] == REMINDERS, states
    assert states[EmailState.UNKNOWN] <= kills
    arrived = {int(name.partition("-")[2].partition("@")[0]) for name in times}
    sent = set(Notification.objects.filter(email_state=EmailState.SENT).values_list("pk", flat=True))
    assert sent <= arrived, "an e-mail counts as sent and never came"
