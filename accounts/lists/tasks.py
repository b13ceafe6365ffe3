"""The list of tasks: one's own open ones first."""

from collections.abc import Sequence
from typing import Any

from django.utils import timezone

from segmentation_crm.common.access import AnyUser
from segmentation_crm.common.lists import YES_NO, Cell, Column, Facet, ListDefinition, badge, of_enum, text, when

from ..choices import TaskType
from ..filters import TaskFilter
from ..filters.work import DUE
from ..queries import tasks_visible_to
from .cells import person
from .facets import person_facet
from .seen import Seen

FACETS = [
    person_facet("owner", "Owner", main=True),
    Facet("due", "Due", lambda: DUE, main=True),
    Facet("done", "Done", lambda: YES_NO, main=True),
    Facet("type", "Type", of_enum(TaskType), main=True),
]


def columns(user: AnyUser, rows: Sequence[Any]) -> list[Column]:
    """Return the columns of tasks (0 queries; names of records are looked up when shown)."""
    seen, group = Seen(user, rows), "Task"

    def more(key: str, label: str, cell: Any, **more: Any) -> Column:
        return Column(key, label, cell, default=False, group=group, **more)

    return [
        Column("title", "Task", lambda t: text(t.title, t.outcome), group=group, export=lambda t: t.title),
        Column("done", "State", _done, group=group, export=lambda t: "Done" if t.done_at else "Open"),
        Column("type", "Type", lambda t: text(t.get_type_display()), group=group),
        Column("due_at", "Due", _due, "due_at", numeric=True, group=group, export=lambda t: t.due_at),
        Column("owner", "Owner", lambda t: person(t.owner), group=group),
        Column("record", "On", lambda t: _record(seen, t), group=group),
        Column("remind_at", "Reminder", lambda t: when(t.remind_at), numeric=True, group=group),
        more("done_at", "Done on", lambda t: when(t.done_at), numeric=True),
        more("outcome", "Outcome", lambda t: text(t.outcome)),
        more("account", "Account", seen.account),
        more("contact", "Contact", seen.contact),
        more("opportunity", "Opportunity", seen.opportunity),
        more("created_by", "Made by", lambda t: person(t.created_by)),
        more("created_at", "Added", lambda t: when(t.created_at), sort="created_at", numeric=True),
        more("updated_at", "Changed", lambda t: when(t.updated_at), numeric=True),
        more("source", "Source", lambda t: text(t.source)),
    ]


def _done(task: Any) -> Cell:
    return badge("Done", "ok") if task.done_at else badge("Open")


def _due(task: Any) -> Cell:
    late = task.due_at and not task.done_at and task.due_at < timezone.now()
    return {**when(task.due_at), "sub": "overdue" if late else ""}


def _record(seen: Seen, task: Any) -> Cell:
    if task.opportunity_id:
        return seen.opportunity(task)
    return seen.contact(task) if task.contact_id else seen.account(task)


LIST = ListDefinition(
    key="task",
    label="Tasks",
    unit="task",
    unit_plural="tasks",
    url_name="accounts:task_list",
    base=lambda user: tasks_visible_to(user).select_related("owner", "created_by", "account", "contact", "opportunity"),
    filterset=TaskFilter,
    columns=columns,
    facets=FACETS,
    joins={
        "owner": ["owner"],
        "created_by": ["created_by"],
        "record": ["account", "contact", "opportunity"],
        "account": ["account"],
        "contact": ["contact"],
        "opportunity": ["opportunity"],
    },
    ordering="due_at",
    search_label="What is to be done",
    start={"owner": "me", "done": "false"},
)
