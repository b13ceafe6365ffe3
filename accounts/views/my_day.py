"""My day: a rep's first page, and everybody's list of what to do."""

import datetime as dt
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from segmentation_crm.common.local_time import LocalDay, in_local_time
from segmentation_crm.common.models import Notification

from ..models import Task
from ..queries.my_day import MOST_TASKS, UNTOUCHED_DAYS, day_of, previous_working_day
from ..services import work
from .quick_log import me
from .tasks import POSTPONEMENTS, record_of

UNREAD = 5
# Days that "what changed" may look back to; none is the last working day.
SINCE = ("7", "30")


@login_required
@in_local_time
@require_GET
def my_day(request: HttpRequest) -> HttpResponse:
    """Show what to do today, whom to follow up and what changed (≤ 30 queries)."""
    user = me(request)
    zone: Any = timezone.get_current_timezone()
    today = LocalDay.today(zone)
    back = request.GET.get("since", "")
    begins = today.plus(-int(back)) if back in SINCE else previous_working_day(today)
    found = day_of(user, today, begins.start)
    unread = Notification.objects.filter(user=user, read_at__isnull=True).exclude(kind="digest")
    tasks = found.tasks
    groups = [
        ("Overdue", "bad", tasks.overdue),
        ("Due today", "", tasks.today),
        ("This week", "", tasks.week),
        ("Without a date", "", tasks.undated),
    ]
    context = {
        "found": found,
        "today": today,
        "begins": begins,
        "back": back if back in SINCE else "",
        "groups": [
            (title, tone, [(task, _record_link(task, tasks.hidden)) for task in rows])
            for title, tone, rows in groups
            if rows
        ],
        "last_day": previous_working_day(today).date,
        "postponements": POSTPONEMENTS,
        "most_tasks": MOST_TASKS,
        "task_list_url": _task_list(),
        "unread": unread[:UNREAD],
        "untouched_days": UNTOUCHED_DAYS,
        "greeting": greeting(timezone.localtime()),
    }
    return render(request, "accounts/my_day.html", context)


def _task_list() -> str:
    try:
        return f"{reverse('accounts:task_list')}?owner=me"
    except NoReverseMatch:
        return ""


def greeting(now: dt.datetime) -> str:
    """Return how one greets at this time of day."""
    if now.hour < 12:
        return "Good morning"
    return "Good afternoon" if now.hour < 18 else "Good evening"


def _record_link(task: Task, hidden: frozenset[int]) -> dict[str, str]:
    """Return name and address of a task's record; neither where its owner may not see it."""
    record = record_of(task)
    if record is None:
        return {}
    if task.pk in hidden or not record.is_live:
        return {"name": "not visible to you"}
    return {"name": str(record), "url": work.record_url(record), "ref": f"{work.column_of(record)}:{record.pk}"}
