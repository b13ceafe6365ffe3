"""Logging from anywhere: a call, meeting, note, task or next step, with what was heard and what follows, in one act."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone

from segmentation_crm.common.models import SubmittedForm, User

from ..choices import ActivityType, Channel, Direction, EvidenceKind, SourceKind, TaskType
from ..models import Account, Activity, Contact, Evidence, Need, Note, Opportunity, OpportunityValue, Task, Term
from ..queries import opportunities_visible_to
from . import evidence, work
from .activities import record_activity
from .opportunities import set_next_step
from .vocabularies import terms_named


class LogKind(models.TextChoices):
    """What can be logged."""

    CALL = "call", "Call"
    MEETING = "meeting", "Meeting"
    NOTE = "note", "Note"
    TASK = "task", "Task"
    NEXT_STEP = "next_step", "Next step"


class Outcome(models.TextChoices):
    """How a call or meeting went. Only one in which somebody took part is a sign of engagement."""

    CONNECTED = "connected", "Talked"
    CALLED_US = "called_us", "They called us"
    NO_ANSWER = "no_answer", "No answer"
    LEFT_MESSAGE = "left_message", "Left a message"
    HELD = "held", "Took place"
    PLANNED = "planned", "Planned"
    NO_SHOW = "no_show", "Nobody came"


OUTCOMES = {
    LogKind.CALL: (Outcome.CONNECTED, Outcome.CALLED_US, Outcome.NO_ANSWER, Outcome.LEFT_MESSAGE, Outcome.PLANNED),
    LogKind.MEETING: (Outcome.HELD, Outcome.PLANNED, Outcome.NO_SHOW),
}
# Somebody of theirs took part: inbound, and so engaged. Whatever else we did alone is outbound.
TOOK_PART = frozenset({Outcome.CONNECTED, Outcome.CALLED_US, Outcome.HELD})
MOST_PEOPLE = 20
# A clock of a browser may be this much ahead.
_AHEAD = dt.timedelta(minutes=5)


@dataclass(frozen=True)
class Entry:
    """What somebody logs: `record` is what it is about, `deal` the opportunity of the next step where it is another.

    `heard` are terms by kind of evidence; a text is a word that the vocabulary is to have from now on.
    """

    kind: str
    record: work.Record
    text: str = ""
    outcome: str = ""
    at: dt.datetime | None = None
    minutes: int | None = None
    people: Sequence[Contact] = ()
    heard: Mapping[str, Sequence[Term | str]] = field(default_factory=dict)
    deal: Opportunity | None = None
    next_step: str = ""
    next_step_due: dt.date | None = None
    task_title: str = ""
    task_type: str = TaskType.FOLLOW_UP
    task_due: dt.datetime | None = None
    task_owner: User | None = None
    remind_at: dt.datetime | None = None


@transaction.atomic
def log(entry: Entry, by: User, token: uuid.UUID) -> tuple[SubmittedForm, bool]:
    """Write what was logged, all of it or nothing; the same token writes once. Returns the form and whether it is new.

    About 8 queries, more for evidence and people. Raises ValidationError naming the wrong field.
    """
    form, is_new = SubmittedForm.objects.get_or_create(user=by, token=token, defaults={"created_at": timezone.now()})
    if not is_new:
        return form, False
    _check(entry)
    written: dict[str, Any] = {"kind": entry.kind, "label": f"{LogKind(entry.kind).label} logged"}
    activity, note = None, None
    if entry.kind in OUTCOMES:
        activities = _activities(entry, by)
        activity = activities[0]
        written["activities"] = [row.pk for row in activities]
    elif entry.kind == LogKind.NOTE:
        note = work.write_note(entry.record, entry.text, by)
        written["notes"] = [note.pk]
        written["not_told"] = [person.display_name for person in note.not_told]  # type: ignore[attr-defined]
    if activity is not None or note is not None:
        written |= _hear(entry, activity, note, by)
    if entry.task_title:
        task = work.make_task(
            entry.task_title,
            entry.task_owner or by,
            record=entry.record,
            type=entry.task_type,
            due_at=entry.task_due,
            remind_at=entry.remind_at,
            created_by=by,
        )
        written["tasks"] = [task.pk]
        if entry.kind == LogKind.TASK:
            written["label"] = "Task added"
    if entry.next_step:
        written["next_step"] = _set_next_step(entry)
        if entry.kind == LogKind.NEXT_STEP:
            written["label"] = "Next step set"
    form.result = written
    form.save(update_fields=["result"])
    return form, True


def deal_of(entry: Entry) -> Opportunity | None:
    """Return the opportunity whose next step is meant."""
    return entry.record if isinstance(entry.record, Opportunity) else entry.deal


def _check(entry: Entry) -> None:
    errors: dict[str, str] = {}
    if entry.kind not in LogKind.values:
        raise ValidationError({"kind": f"kind must be one of: {', '.join(LogKind.values)}."})
    if entry.kind in OUTCOMES:
        allowed = OUTCOMES[LogKind(entry.kind)]
        if entry.outcome not in allowed:
            errors["outcome"] = f"Say how it went: {', '.join(choice.label for choice in allowed)}."
        elif entry.at is not None and entry.at > timezone.now() + _AHEAD and entry.outcome != Outcome.PLANNED:
            errors["at"] = "That is in the future: choose “Planned”, or correct the time."
        elif entry.outcome == Outcome.PLANNED and (entry.at is None or entry.at < timezone.now()):
            errors["at"] = "A planned call or meeting lies ahead: give its date and time."
        if entry.minutes is not None and not 0 <= entry.minutes <= 1440:
            errors["minutes"] = "From 0 to 1440 minutes."
        if len(entry.people) > MOST_PEOPLE:
            errors["people"] = f"Name at most {MOST_PEOPLE} people."
    if entry.kind == LogKind.TASK and not entry.task_title.strip():
        errors["task_title"] = "Say what is to be done."
    if entry.kind == LogKind.NEXT_STEP and not entry.next_step.strip():
        errors["next_step"] = "Say what comes next."
    if entry.next_step and deal_of(entry) is None:
        errors["deal"] = "A next step belongs to an opportunity: choose which one."
    if len(entry.next_step) > 500:
        errors["next_step"] = f"At most 500 characters; this has {len(entry.next_step)}."
    if errors:
        raise ValidationError(errors)


def _activities(entry: Entry, by: User) -> list[Activity]:
    """Write the call or meeting: one activity a person, the first with the words; without people one of the record."""
    record = entry.record
    people: list[Contact | None] = [*entry.people]
    if not people:
        people = [record if isinstance(record, Contact) else None]
    took_part = entry.outcome in TOOK_PART
    is_call = entry.kind == LogKind.CALL
    seconds = None if entry.minutes is None else entry.minutes * 60
    return [
        record_activity(
            ActivityType.CALL if is_call else ActivityType.MEETING,
            occurred_at=entry.at,
            contact=person,
            account=record if isinstance(record, Account) else None,
            opportunity=record if isinstance(record, Opportunity) else entry.deal,
            user=by,
            direction=Direction.INBOUND if took_part else Direction.OUTBOUND,
            duration_s=seconds if took_part else None,
            channel=Channel.PHONE if is_call else "",
            subject=f"{LogKind(entry.kind).label}: {Outcome(entry.outcome).label.lower()}",
            text=entry.text.strip() if number == 0 else "",
        )
        for number, person in enumerate(people)
    ]


def _hear(entry: Entry, activity: Activity | None, note: Note | None, by: User) -> dict[str, Any]:
    """Keep what was heard; return what it wrote, for the undo."""
    written: dict[str, Any] = {}
    deal = deal_of(entry)
    for kind, heard in entry.heard.items():
        if not heard:
            continue
        terms = terms_named(kind, heard)
        had_values = _held(OpportunityValue.objects.filter(opportunity=deal, term__in=terms)) if deal else set()
        owner = _owner(entry)
        needs = Need.objects.filter(need__in=terms, **owner) if owner and kind == EvidenceKind.NEED else None
        had_needs = _held(needs)
        rows = evidence.record_evidence(
            kind,
            terms,
            account=entry.record if isinstance(entry.record, Account) else None,
            contact=entry.record if isinstance(entry.record, Contact) else None,
            opportunity=deal,
            activity=activity,
            note=note,
            by=by,
            source_kind=SourceKind.INTERVIEW,
        )
        written.setdefault("evidence", []).extend(row.pk for row in rows)
        if deal is not None:
            now = _held(OpportunityValue.objects.filter(opportunity=deal, term__in=terms))
            written.setdefault("values", []).extend(now - had_values)
        written.setdefault("needs", []).extend(_held(needs) - had_needs)
    return written


def _held(rows: "models.QuerySet[Any] | None") -> set[int]:
    return set() if rows is None else set(rows.values_list("pk", flat=True))


def _owner(entry: Entry) -> dict[str, int] | None:
    """Return whose need it is: the account's, else the contact's."""
    record = entry.record
    account_id = record.pk if isinstance(record, Account) else record.account_id
    if account_id is not None:
        return {"account_id": account_id}
    return {"contact_id": record.pk} if isinstance(record, Contact) else None


def _set_next_step(entry: Entry) -> dict[str, Any]:
    """Set the next step of the deal; return what stood there before."""
    deal = deal_of(entry)
    assert deal is not None  # checked above
    before = {"text": deal.next_step, "due": deal.next_step_due.isoformat() if deal.next_step_due else None}
    set_next_step(deal, entry.next_step, entry.next_step_due)
    return {"deal": deal.pk, "set": deal.next_step, "before": before}


@transaction.atomic
def undo(form: SubmittedForm) -> bool:
    """Take back everything a log wrote; False where it was taken back before (≤ 10 queries).

    A next step that somebody changed since stays as it is now; so does a task that is done. Raises ValidationError
    where the deal whose next step it was is no longer visible to who logged it.
    """
    step = form.result.get("next_step")
    if step and not opportunities_visible_to(form.user).filter(pk=step["deal"]).exists():
        raise ValidationError(
            "The opportunity is no longer there, or no longer visible to you: nothing was taken back."
        )
    if not SubmittedForm.objects.filter(pk=form.pk, undone_at__isnull=True).update(undone_at=timezone.now()):
        return False
    written = form.result
    Evidence.objects.filter(pk__in=written.get("evidence", [])).delete()
    OpportunityValue.objects.filter(pk__in=written.get("values", [])).delete()
    Need.objects.filter(pk__in=written.get("needs", [])).delete()
    Activity.objects.filter(pk__in=written.get("activities", [])).delete()
    Note.objects.filter(pk__in=written.get("notes", [])).delete()
    Task.objects.filter(pk__in=written.get("tasks", []), done_at__isnull=True).delete()
    if step:
        deal = Opportunity.objects.filter(pk=step["deal"], next_step=step["set"]).first()
        if deal is not None:
            due = step["before"]["due"]
            set_next_step(deal, step["before"]["text"], dt.date.fromisoformat(due) if due else None)
    return True
