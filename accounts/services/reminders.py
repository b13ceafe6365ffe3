"""Reminders of tasks and the morning's digest: each person hears of each once."""

import datetime as dt
from collections.abc import Callable
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.timezone import override

from segmentation_crm.common.access import visibility
from segmentation_crm.common.effective_time import effective_now
from segmentation_crm.common.local_time import LocalDay, zone_of
from segmentation_crm.common.models import Notification, User, UserPreference
from segmentation_crm.common.services.mailing import Line, Section
from segmentation_crm.common.services.notifications import notify
from segmentation_crm.common.services.preferences import users_with

from ..models import Task
from ..queries.my_day import FollowUps, Tasks, my_follow_ups, my_tasks
from .work import may_see, record_url

BATCH = 200
DIGEST_HOUR = 7
# A digest that could not be written in the morning is of no use in the afternoon.
DIGEST_UNTIL_HOUR = 12


def reminders_due() -> bool:
    """Tell whether a reminder has come due (1 query)."""
    return _due().exists()


def _due() -> "QuerySet[Task]":
    return Task.objects.filter(done_at__isnull=True, reminded_at__isnull=True, remind_at__lte=timezone.now())


def _nothing() -> None:
    """Do nothing."""


def remind_all(check: Callable[[], None] = _nothing, progress: Callable[[], None] = _nothing) -> int:
    """Notify the owners of tasks whose reminder has come due; returns how many (4 queries a task).

    `check` is called before each task, `progress` after it, in its transaction; both may stop the work. Each task is
    claimed and its notification written in one transaction: whoever is killed in between leaves nothing, and two at
    once remind once.
    """
    reminded = 0
    while True:
        rows = list(_due().select_related("owner", "account", "contact", "opportunity").order_by("remind_at")[:BATCH])
        if not rows:
            return reminded
        wants_email = users_with("email.reminders", {task.owner_id for task in rows if task.owner_id})
        for task in rows:
            check()
            with transaction.atomic():
                reminded += _remind(task, wants_email)
                progress()


def _remind(task: Task, wants_email: set[int]) -> int:
    """Claim one reminder and write its notification; returns 0 where another was faster or nobody is to be told."""
    if not _due().filter(pk=task.pk, remind_at=task.remind_at).update(reminded_at=timezone.now()):
        return 0
    owner = task.owner
    if owner is None or not owner.is_active or task.remind_at is None:
        return 0
    zone = zone_of(owner)
    record = task.account or task.contact or task.opportunity
    parts = []
    if record is not None and may_see(owner, record):
        parts.append(f"On {record}")
    if task.due_at is not None:
        parts.append(f"due {task.due_at.astimezone(zone):%A %-d %B, %H:%M}")
    notify(
        owner,
        "reminder",
        f"reminder:task:{task.pk}:{task.remind_at.astimezone(dt.UTC).isoformat()}",
        f"Reminder: {task.title}",
        text=" · ".join(parts),
        url=reverse("accounts:task_edit", args=[task.pk]),
        email=owner.pk in wants_email,
    )
    return 1


def digests_due() -> bool:
    """Tell whether somebody asked for the morning's digest (1 query)."""
    return UserPreference.objects.filter(key="email.digest", value__on=True).exists()


def send_digests(now: dt.datetime | None = None, check: Callable[[], None] = _nothing) -> int:
    """Write the digest of everybody who asked for it and whose morning it is; returns how many are new.

    Once a person and local day; nothing on a day without anything to do. About 10 queries a person.
    """
    moment = now or timezone.now()
    asked = UserPreference.objects.filter(key="email.digest", value__on=True, user__is_active=True)
    sent = 0
    for chosen in asked.select_related("user").iterator():
        check()
        user = chosen.user
        day = LocalDay.today(zone_of(user), moment)
        if day.at(DIGEST_HOUR) <= moment < day.at(DIGEST_UNTIL_HOUR) and user.email:
            sent += _digest(user, day, moment)
    return sent


@transaction.atomic
def _digest(user: User, day: LocalDay, now: dt.datetime) -> int:
    key = f"digest:{day.date.isoformat()}"
    if Notification.objects.filter(user=user, key=key).exists():
        return 0
    tasks, follow = _work_of(user, day, now)
    due = len(tasks.overdue) + len(tasks.today)
    waiting = len(follow.deals) + len(follow.contacts) + len(follow.recycled) + len(follow.planned)
    if not due and not waiting:
        return 0
    title = f"Your day: {_count(due, 'task')} due, {_count(waiting, 'follow-up')}"
    told = notify(user, "digest", key, title, url=reverse("accounts:my_day"), email=True)
    # It is a letter, not news: the bell does not count it.
    Notification.objects.filter(pk=told.pk, read_at__isnull=True).update(read_at=now)
    return 1


def _count(number: int, unit: str) -> str:
    return f"{number} {unit}{'' if number == 1 else 's'}"


def _work_of(user: User, day: LocalDay, now: dt.datetime) -> tuple[Tasks, FollowUps]:
    seen = visibility(user)
    return my_tasks(user, seen, day, now), my_follow_ups(user, seen, day, now)


def digest_sections(notification: Notification) -> list[Section]:
    """Return what the e-mail of a digest says, as things stand when it is sent; nothing for other notifications."""
    if notification.kind != "digest":
        return []
    user, now = notification.user, effective_now()
    zone: ZoneInfo = zone_of(user)
    tasks, follow = _work_of(user, LocalDay.today(zone, now), now)
    with override(zone):
        people = [*follow.contacts, *follow.recycled]
        sections = [
            Section("Overdue", [_task_line(task, zone) for task in tasks.overdue]),
            Section("Due today", [_task_line(task, zone) for task in tasks.today]),
            Section("Next steps", [Line(f"{deal.name}: {deal.next_step}", record_url(deal)) for deal in follow.deals]),
            Section("Waiting for you", [Line(str(person), record_url(person)) for person in people]),
        ]
    return [section for section in sections if section.lines]


def _task_line(task: Task, zone: ZoneInfo) -> Line:
    when = f"{task.due_at.astimezone(zone):%a %-d %b, %H:%M}" if task.due_at else ""
    return Line(f"{task.title} ({when})" if when else task.title, reverse("accounts:task_edit", args=[task.pk]))
