"""Tabs that the pages of records share: activities, needs, tasks, notes, files, content, surveys."""

from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest

from ..models import Activity, Attachment, Need, Note, SurveyAnswer, Task
from ..queries.at_record import rows_at
from ..queries.content import consumed, content_items, topics_ranked
from . import related
from .files import files_context
from .known import chips_context
from .notes import notes_context
from .records import url_if_there
from .related import Tab

MOST_TASKS = 100


def needs_tab(request: HttpRequest, record: Any) -> dict[str, Any]:
    """Return the chips and the table of needs."""
    return {**chips_context(request, record, "needs")}


def tasks_tab(request: HttpRequest, record: Any) -> dict[str, Any]:
    """Return the open tasks, the most urgent first, and the latest done (2 queries)."""
    rows = rows_at(request.user, record, Task).select_related("owner")
    open_rows = list(rows.filter(done_at__isnull=True).order_by("due_at", "pk")[:MOST_TASKS])
    done = list(rows.filter(done_at__isnull=False).order_by("-done_at", "-pk")[:MOST_TASKS])
    return {
        "open_tasks": [{"row": row, "done_url": url_if_there("accounts:task_complete", row.pk)} for row in open_rows],
        "done_tasks": done,
    }


def content_tab(request: HttpRequest, record: Any) -> dict[str, Any]:
    """Return what was consumed and which topics interest (6 queries)."""
    return {
        "content_items": content_items(request.user, record),
        "topics": topics_ranked(request.user, record),
        "is_account": record._meta.model_name == "account",
    }


def narrow_deals(request: HttpRequest, record: Any, rows: QuerySet) -> QuerySet:
    """Narrow deals to the open or won ones that a key figure counts."""
    state = request.GET.get("state", "")
    wanted = {"open": Q(stage__is_open=True), "won": Q(stage__is_won=True), "lost": Q(stage__is_lost=True)}
    return rows.filter(wanted[state]) if state in wanted else rows


ACTIVITIES = Tab(
    "activities",
    "Activities",
    "activity",
    "activities",
    lambda user, r: (
        rows_at(user, r, Activity)
        .select_related("contact", "account", "content", "campaign", "user")
        .order_by("-occurred_at")
    ),
    related.events,
    with_contacts=True,
)
NEEDS = Tab(
    "needs",
    "Needs",
    "need",
    "needs",
    lambda user, r: rows_at(user, r, Need),
    template="accounts/_needs_tab.html",
    context=needs_tab,
)
TASKS = Tab(
    "tasks",
    "Tasks",
    "task",
    "tasks",
    lambda user, r: rows_at(user, r, Task),
    template="accounts/_tasks_tab.html",
    context=tasks_tab,
)
NOTES = Tab(
    "notes",
    "Notes",
    "note",
    "notes",
    lambda user, r: rows_at(user, r, Note),
    template="accounts/_notes_tab.html",
    context=notes_context,
)
FILES = Tab(
    "files",
    "Files",
    "file",
    "files",
    lambda user, r: rows_at(user, r, Attachment),
    template="accounts/_files_tab.html",
    context=files_context,
)
CONTENT = Tab(
    "content",
    "Content",
    "content item",
    "content items",
    lambda user, r: consumed(user, r),
    template="accounts/_content_tab.html",
    context=content_tab,
)
SURVEYS = Tab(
    "surveys",
    "Surveys",
    "answer",
    "answers",
    lambda user, r: rows_at(user, r, SurveyAnswer).order_by("-answered_at"),
    columns=related.answers,
)
