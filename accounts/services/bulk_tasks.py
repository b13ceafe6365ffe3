"""Completing, postponing and handing over many tasks at once: chunks of a bulk act."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError

from segmentation_crm.common.bulk import Doing, Outcome
from segmentation_crm.common.models import User

from ..models import Task
from ..queries import tasks_visible_to
from .work import complete_task, postpone_task, reopen_task, save_task

CHANGED_SINCE = "The task was changed since; it stays as it is."


def _tasks(doing: Doing, ids: Sequence[int] | Mapping[int, Any], outcome: Outcome) -> list[Task]:
    """Return those of the tasks that the user sees; the others are refused (≤ 4 queries)."""
    found = {task.pk: task for task in tasks_visible_to(doing.user).filter(pk__in=list(ids)).order_by("pk")}
    outcome.refuse_missing(list(ids), found)
    return list(found.values())


def complete(doing: Doing, ids: Sequence[int]) -> Outcome:
    """Mark tasks as done now (2 queries a task)."""
    outcome = Outcome()
    for task in _tasks(doing, ids, outcome):
        if complete_task(task, doing.user):
            outcome.changed[task.pk] = {"done_at": _text(task.done_at)}
        else:
            outcome.unchanged += 1
    return outcome


def undo_complete(doing: Doing, before: Mapping[int, Any]) -> Outcome:
    """Open again the tasks that were not done anew since."""
    outcome = Outcome()
    for task in _tasks(doing, before, outcome):
        if task.done_at is None:
            outcome.unchanged += 1
        elif _text(task.done_at) != before[task.pk]["done_at"]:
            outcome.refused[task.pk] = CHANGED_SINCE
        else:
            reopen_task(task, doing.user)
            outcome.changed[task.pk] = {}
    return outcome


def postpone(doing: Doing, ids: Sequence[int]) -> Outcome:
    """Move open tasks to the act's moment; done ones are refused (3–4 queries a task)."""
    outcome, due = Outcome(), dt.datetime.fromisoformat(doing.params["due_at"])
    for task in _tasks(doing, ids, outcome):
        if task.done_at is not None:
            outcome.refused[task.pk] = "It is done already."
        elif task.due_at == due:
            outcome.unchanged += 1
        else:
            before = {"due_at": _text(task.due_at), "remind_at": _text(task.remind_at)}
            postpone_task(task, due, doing.user)
            outcome.changed[task.pk] = before
    return outcome


def undo_postpone(doing: Doing, before: Mapping[int, Any]) -> Outcome:
    """Put tasks back to when they were due, where they were not moved again since."""
    outcome, due = Outcome(), dt.datetime.fromisoformat(doing.params["due_at"])
    for task in _tasks(doing, before, outcome):
        if task.due_at != due:
            outcome.refused[task.pk] = CHANGED_SINCE
            continue
        task.due_at, task.remind_at = (_moment(before[task.pk][name]) for name in ("due_at", "remind_at"))
        save_task(task, doing.user)
        outcome.changed[task.pk] = {}
    return outcome


def assign(doing: Doing, ids: Sequence[int]) -> Outcome:
    """Hand tasks to the act's owner, who hears of them; to nobody where none is given (3–4 queries a task)."""
    outcome = Outcome()
    owner = User.objects.filter(pk=doing.params["owner"], is_active=True).first()
    if owner is None and doing.params["owner"] is not None:
        return Outcome(refused=dict.fromkeys(ids, "The new owner was deactivated meanwhile."))
    for task in _tasks(doing, ids, outcome):
        if task.owner_id == (owner.pk if owner else None):
            outcome.unchanged += 1
            continue
        before = {"owner": task.owner_id}
        task.owner = owner
        try:
            save_task(task, doing.user)
        except ValidationError as error:
            outcome.refused[task.pk] = " ".join(error.messages)
        else:
            outcome.changed[task.pk] = before
    return outcome


def undo_assign(doing: Doing, before: Mapping[int, Any]) -> Outcome:
    """Give tasks back to whom they belonged, where they were not handed on since."""
    outcome = Outcome()
    people = User.objects.in_bulk({row["owner"] for row in before.values() if row["owner"]})
    for task in _tasks(doing, before, outcome):
        if task.owner_id != doing.params["owner"]:
            outcome.refused[task.pk] = CHANGED_SINCE
            continue
        task.owner = people.get(before[task.pk]["owner"])
        save_task(task, doing.user)
        outcome.changed[task.pk] = {}
    return outcome


def _text(moment: dt.datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _moment(text: str | None) -> dt.datetime | None:
    return dt.datetime.fromisoformat(text) if text else None
