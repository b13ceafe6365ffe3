"""Notes and tasks on records: writing, doing, putting off, taking back; people mentioned hear of it."""

import datetime as dt
import re
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from segmentation_crm.common.access import AnyUser
from segmentation_crm.common.addresses import address_of
from segmentation_crm.common.effective_time import effective_now
from segmentation_crm.common.local_time import YEARS
from segmentation_crm.common.models import User
from segmentation_crm.common.services.notifications import notify
from segmentation_crm.common.services.preferences import is_on

from ..choices import SourceKind, TaskType
from ..models import Account, Contact, Note, Opportunity, Task
from ..queries import accounts_visible_to, contacts_visible_to, opportunities_visible_to

Record = Account | Contact | Opportunity

MOST_MENTIONS = 50
LONGEST_NOTE = 20_000
# A name of Django's own alphabet after an @ that does not stand in an e-mail address.
_MENTION = re.compile(r"(?<![\w.@+-])@([\w.@+-]{1,150})")
_VISIBLE: dict[type[Any], Any] = {
    Account: accounts_visible_to,
    Contact: contacts_visible_to,
    Opportunity: opportunities_visible_to,
}
_TASK_VALUES = ("type", "title", "due_at", "owner_id", "outcome", "done_at", "remind_at", "account_id", "contact_id")


def column_of(record: Record) -> str:
    """Return the column by which notes, tasks and evidence point to a record: account, contact or opportunity."""
    return str(record._meta.model_name)


def record_url(record: Record) -> str:
    """Return the address of a record's page."""
    return address_of(f"accounts:{column_of(record)}_detail", record.pk)


def may_see(user: AnyUser, record: Record) -> bool:
    """Tell whether a user sees a record (1–4 queries)."""
    return bool(_VISIBLE[type(record)](user).filter(pk=record.pk).exists())


def mentioned_in(text: str) -> list[User]:
    """Return the active users whom a text names as @username, in the order of the user names (1 query)."""
    names: set[str] = set()
    for found in _MENTION.findall(text):
        # A full stop after a name ends the sentence, unless the name itself ends so.
        for name in {found, found.rstrip(".+-@")} - {""}:
            names |= {name, name.lower()}
    if not names:
        return []
    return list(User.objects.filter(username__in=names, is_active=True).order_by("username")[:MOST_MENTIONS])


@transaction.atomic
def write_note(
    record: Record,
    text: str,
    author: AnyUser | None,
    source_kind: str = "",
    mentions: Iterable[User] | None = None,
    **values: Any,
) -> Note:
    """Write a note on a record; `values` are other columns of it (source, created_at).

    Mentions are those given, else read from "@username" in the text; who may see the record is notified, the others
    stand in `note.not_told` for the author to hear of. 2 queries, 3–8 more for each person mentioned. Raises
    ValidationError for no text, too long a text or an unknown source_kind.
    """
    body = clean_note_text(text)
    if source_kind and source_kind not in SourceKind.values:
        raise ValidationError({"source_kind": f"source_kind must be one of: {', '.join(SourceKind.values)}."})
    values = {**values, column_of(record): record}
    note = Note.objects.create(
        text=body, source_kind=source_kind, author=author if isinstance(author, User) else None, **values
    )
    note.not_told = tell_mentioned(note, record, mentioned_in(body) if mentions is None else mentions)  # type: ignore[attr-defined]
    return note


def clean_note_text(text: str) -> str:
    """Return the text of a note without outer blanks.

    Raises ValidationError for none, or one that is too long.
    """
    body = text.strip()
    if not body:
        raise ValidationError({"text": "Write something: a note without text says nothing."})
    if len(body) > LONGEST_NOTE:
        raise ValidationError({"text": f"A note holds {LONGEST_NOTE:,} characters at most; this has {len(body):,}."})
    return body


def tell_mentioned(note: Note, record: Record, people: Iterable[User]) -> list[User]:
    """Set who is mentioned in a note and notify them once each; return those who may not see the record."""
    people = list(people)
    told: list[User] = []
    not_told: list[User] = []
    for person in people:
        (told if may_see(person, record) else not_told).append(person)
    if told or note.mentions.exists():
        note.mentions.set(told)
    author = note.author.display_name if note.author else "Somebody"
    for person in told:
        if person.pk != note.author_id:
            notify(
                person,
                "mention",
                f"mention:note:{note.pk}",
                f"{author} mentioned you on {record}",
                text=note.text[:300],
                url=record_url(record),
                email=is_on(person, "email.mentions"),
            )
    return not_told


@transaction.atomic
def make_task(
    title: str,
    owner: AnyUser | None,
    *,
    record: Record | None = None,
    type: str = TaskType.OTHER,
    due_at: dt.datetime | None = None,
    remind_at: dt.datetime | None = None,
    created_by: AnyUser | None = None,
    **values: Any,
) -> Task:
    """Make a task, mostly on a record; a new owner who is somebody else hears of it (1–4 queries).

    Raises ValidationError naming the wrong field.
    """
    if record is not None:
        values[column_of(record)] = record
    task = Task(
        title=title.strip(),
        type=type,
        due_at=due_at,
        owner=owner if isinstance(owner, User) else None,
        remind_at=remind_at,
        created_by=created_by if isinstance(created_by, User) else None,
        **values,
    )
    return save_task(task, created_by)


@transaction.atomic
def save_task(task: Task, by: AnyUser | None = None) -> Task:
    """Check and save a task, new or changed; a reminder put later rings again, a new owner hears of it.

    Raises ValidationError naming the wrong field.
    """
    _check(task)
    before = None if task._state.adding else Task.objects.filter(pk=task.pk).values("owner_id", "remind_at").first()
    if before is not None and before["remind_at"] != task.remind_at:
        task.reminded_at = None
    task.save()
    tell_owner(task, before["owner_id"] if before else None, by)
    return task


def tell_owner(task: Task, had_owner: int | None, by: AnyUser | None) -> None:
    """Tell a task's owner who is new and somebody else than the one who acts (0 or 1–2 queries)."""
    if task.owner is None or task.owner_id == had_owner or not isinstance(by, User) or by.pk == task.owner_id:
        return
    notify(
        task.owner,
        "task",
        f"task:{task.pk}:owner:{task.owner_id}:{task.updated_at.isoformat()}",
        f"{by.display_name} gave you a task: {task.title}",
        url=reverse("accounts:task_edit", args=[task.pk]),
    )


def _check(task: Task) -> None:
    errors: dict[str, str] = {}
    if not task.title:
        errors["title"] = "Say what is to be done."
    elif len(task.title) > 255:
        errors["title"] = f"At most 255 characters; this has {len(task.title)}."
    if task.type not in TaskType.values:
        errors["type"] = f"type must be one of: {', '.join(TaskType.values)}."
    for name in ("due_at", "remind_at"):
        moment = getattr(task, name)
        if moment is not None and timezone.is_naive(moment):
            errors[name] = "Give the moment with its time zone."
        elif moment is not None and moment.year not in YEARS:
            errors[name] = f"Give a year from {YEARS[0]} to {YEARS[-1]}."
    if len(task.outcome) > 500:
        errors["outcome"] = f"At most 500 characters; this has {len(task.outcome)}."
    if errors:
        raise ValidationError(errors)


def complete_task(task: Task, by: AnyUser | None = None, outcome: str = "") -> bool:
    """Mark a task as done now; returns False where it was done before (1 query).

    Raises ValidationError for too long an outcome.
    """
    outcome = outcome.strip()
    if len(outcome) > 500:
        raise ValidationError({"outcome": f"At most 500 characters; this has {len(outcome)}."})
    now = effective_now()
    values: dict[str, Any] = {"done_at": now, "updated_at": now, **({"outcome": outcome} if outcome else {})}
    changed = Task.objects.filter(pk=task.pk, done_at__isnull=True).update(**values)
    task.refresh_from_db(fields=["done_at", "outcome", "updated_at"])
    return bool(changed)


def reopen_task(task: Task, by: AnyUser | None = None) -> bool:
    """Take back that a task is done; returns False where it was open (1 query)."""
    changed = Task.objects.filter(pk=task.pk, done_at__isnull=False).update(done_at=None, updated_at=effective_now())
    task.refresh_from_db(fields=["done_at", "updated_at"])
    return bool(changed)


@transaction.atomic
def postpone_task(task: Task, due_at: dt.datetime, by: AnyUser | None = None) -> Task:
    """Move a task to another moment; its reminder moves by as much and rings again (3 queries)."""
    if task.remind_at is not None and task.due_at is not None:
        task.remind_at += due_at - task.due_at
    task.due_at = due_at
    return save_task(task, by)


def task_values(task: Task) -> dict[str, Any]:
    """Return what a deleted task needs to come back, as JSON."""
    values: dict[str, Any] = {name: getattr(task, name) for name in (*_TASK_VALUES, "opportunity_id", "created_by_id")}
    return {
        "id": task.pk,
        "source": task.source,
        "created_at": task.created_at.isoformat(),
        **{name: value.isoformat() if isinstance(value, dt.datetime) else value for name, value in values.items()},
    }


@transaction.atomic
def delete_task(task: Task) -> dict[str, Any]:
    """Delete a task and return what brings it back by `restore_task` (1 query)."""
    kept = task_values(task)
    task.delete()
    return kept


@transaction.atomic
def restore_task(kept: dict[str, Any]) -> Task:
    """Bring a deleted task back under its number; one that is there already stays (3–5 queries).

    People who are gone meanwhile are left out. Raises ValidationError where its record is gone meanwhile.
    """
    found = Task.objects.filter(pk=kept["id"]).first()
    if found is not None:
        return found
    for model, name in ((Account, "account_id"), (Contact, "contact_id"), (Opportunity, "opportunity_id")):
        if kept[name] is not None and not model._default_manager.filter(pk=kept[name]).exists():
            raise ValidationError("The record of this task is gone; the task cannot come back without it.")
    moments = ("due_at", "done_at", "remind_at", "created_at")
    values = {name: dt.datetime.fromisoformat(value) if value and name in moments else value
              for name, value in kept.items()}  # fmt: skip
    people: dict[str, Any] = {name: values[name] for name in ("owner_id", "created_by_id") if values[name] is not None}
    there = set(User.objects.filter(pk__in=people.values()).values_list("pk", flat=True))
    values |= {name: None for name, pk in people.items() if pk not in there}
    # Two who bring it back at once: the second finds it there.
    Task.objects.bulk_create([Task(**values)], ignore_conflicts=True)
    return Task.objects.get(pk=kept["id"])
