"""Running a bulk act and its undo: chunk by chunk in key order, each chunk one transaction with its outcome.

A chunk is written together with the job's checkpoint, so a run that was killed goes on behind the last whole chunk:
nothing is done twice, nothing is left out. Whether the user may still do it is asked at every chunk.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from pyroaring import BitMap

from .. import jobs
from ..access import can
from ..acting import acting_as
from ..bulk_insert import bulk_insert
from ..database import forget_plans
from ..models import BulkAct, BulkRow, BulkState, User
from ..services import audit
from .actions import Doing, ListAction, Outcome, action_named

# Up to so many records are changed while the page waits; more become a job.
AT_ONCE = 500
CHUNK = 500
UNDO_DAYS = 30
_LOG_VIA = "bulk"


def start(act: BulkAct, params: Mapping[str, Any] | None = None, words: str = "", at_once: int = AT_ONCE) -> BulkAct:
    """Run a draft: at once where it is small, else as a job; a second start changes nothing.

    Raises PermissionDenied where the user's role does not allow the act.
    """
    action = action_named(act.action, act.record)
    if not can(act.user, action.capability):
        raise PermissionDenied
    with transaction.atomic():
        values: dict[str, Any] = {"state": BulkState.RUNNING, "started_at": timezone.now()}
        if params is not None:
            values["params"] = params
        if words:
            values["title"] = words[:200]
        taken = BulkAct.objects.filter(pk=act.pk, state=BulkState.DRAFT).update(**values)
        act.refresh_from_db()
        if not taken:
            return act
        if act.total > at_once:
            job = jobs.enqueue(
                "bulk.run", key=f"bulk:{act.pk}", payload={"act": act.pk}, title=act.title, user=act.user
            )
            BulkAct.objects.filter(pk=act.pk).update(job=job)
        else:
            perform(act, None)
    act.refresh_from_db()
    return act


def may_undo(act: BulkAct) -> bool:
    """Tell whether the act can be undone: it changed something, undo is known, 30 days have not passed (0 queries)."""
    return (
        act.state in (BulkState.DONE, BulkState.STOPPED)
        and act.changed > 0
        and action_named(act.action, act.record).undo is not None
        and act.created_at > timezone.now() - timedelta(days=UNDO_DAYS)
    )


def start_undo(act: BulkAct) -> BulkAct:
    """Put back what the act changed, at once or as a job; a second call changes nothing.

    Raises PermissionDenied where the user's role no longer allows the act.
    """
    action = action_named(act.action, act.record)
    if not can(act.user, action.capability):
        raise PermissionDenied
    with transaction.atomic():
        stored = BulkAct.objects.select_for_update(of=("self",)).select_related("job").get(pk=act.pk)
        act.state = standing(stored).state
        if not may_undo(act):
            return act
        BulkAct.objects.filter(pk=act.pk).update(state=BulkState.UNDOING, kept=0)
        BulkRow.objects.filter(act=act, outcome=BulkRow.Outcome.KEPT).delete()
        act.refresh_from_db()
        if act.changed > AT_ONCE:
            title = f"Undo: {act.title}"
            job = jobs.enqueue("bulk.undo", key=f"bulk:{act.pk}", payload={"act": act.pk}, title=title, user=act.user)
            BulkAct.objects.filter(pk=act.pk).update(job=job)
        else:
            undo(act, None)
    act.refresh_from_db()
    return act


def perform(act: BulkAct, run: jobs.JobRun | None) -> dict[str, Any]:
    """Do the act to all its records; returns the figures. Raises JobFailed with words where it may go on no more."""
    action = action_named(act.action, act.record)
    keys = BitMap.deserialize(bytes(act.keys))
    done = keys.rank(run.checkpoint.get("after", 0)) if run else 0
    while ids := list(keys[done : done + CHUNK]):
        if run:
            run.check_cancelled()
        forget_plans()
        with transaction.atomic():
            doing = Doing(act, _still_allowed(act, action))
            with acting_as(doing.user, _LOG_VIA, act.public_id):
                outcome = action.apply(doing, ids)
            _note(act, outcome)
            done += len(ids)
            if run:
                run.commit_chunk(checkpoint={"after": ids[-1]}, done=done, total=act.total, unit="records")
    with transaction.atomic():
        ended = _end(act, BulkState.RUNNING, BulkState.DONE)
        if ended:
            doing = Doing(act, _still_allowed(act, action))
            if action.finish is not None and act.changed:
                with acting_as(doing.user, _LOG_VIA, act.public_id):
                    action.finish(doing)
            audit.record(
                doing.user, f"bulk.{action.key}", act, record=act.record, changed=act.changed, refused=act.refused
            )
    return {"changed": act.changed, "unchanged": act.unchanged, "refused": act.refused}


def undo(act: BulkAct, run: jobs.JobRun | None) -> dict[str, Any]:
    """Put back what the act changed and nobody has touched since; the rest stays and is listed with reasons."""
    action = action_named(act.action, act.record)
    assert action.undo is not None  # may_undo has asked
    changed = BulkRow.objects.filter(act=act, outcome=BulkRow.Outcome.CHANGED).order_by("record_id")
    after = run.checkpoint.get("after", 0) if run else 0
    done = run.job.done_units if run else 0
    while rows := dict(changed.filter(record_id__gt=after).values_list("record_id", "before")[:CHUNK]):
        if run:
            run.check_cancelled()
        forget_plans()
        with transaction.atomic():
            doing = Doing(act, _still_allowed(act, action))
            with acting_as(doing.user, _LOG_VIA, act.public_id):
                outcome = action.undo(doing, rows)
            _keep_rows(act, BulkRow.Outcome.KEPT, outcome.refused)
            # What is back needs no second undo, should this one be stopped and begun again.
            changed.filter(record_id__in=outcome.changed).delete()
            BulkAct.objects.filter(pk=act.pk).update(
                restored=F("restored") + len(outcome.changed), kept=F("kept") + len(outcome.refused)
            )
            after = max(rows)
            done += len(rows)
            if run:
                run.commit_chunk(checkpoint={"after": after}, done=done, total=act.changed, unit="records")
    with transaction.atomic():
        if _end(act, BulkState.UNDOING, BulkState.UNDONE):
            doing = Doing(act, _still_allowed(act, action))
            if action.finish is not None:
                with acting_as(doing.user, _LOG_VIA, act.public_id):
                    action.finish(doing)
            audit.record(
                doing.user, f"bulk.{action.key}_undone", act, record=act.record, restored=act.restored, kept=act.kept
            )
    return {"restored": act.restored, "kept": act.kept}


def standing(act: BulkAct) -> BulkAct:
    """Show an act as stopped whose job has ended without finishing it; writes nothing."""
    if act.job is not None and not act.job.is_active and act.state in (BulkState.RUNNING, BulkState.UNDOING):
        act.state = BulkState.STOPPED
    return act


def sweep_drafts() -> int:
    """Remove drafts of more than a day and, after 30 days, what undo would need; returns how many acts went."""
    now = timezone.now()
    gone, _ = BulkAct.objects.filter(state=BulkState.DRAFT, created_at__lt=now - timedelta(days=1)).delete()
    old = BulkAct.objects.filter(created_at__lt=now - timedelta(days=UNDO_DAYS))
    BulkRow.objects.filter(act__in=old, outcome=BulkRow.Outcome.CHANGED).delete()
    old.exclude(keys=b"").update(keys=b"")
    return gone


def _still_allowed(act: BulkAct, action: ListAction) -> User:
    """Return the user as they are now (1 query).

    Raises JobFailed where they were deactivated or their role no longer allows the act.
    """
    user = User.objects.get(pk=act.user_id)
    if not user.is_active:
        raise jobs.JobFailed(f"It stopped: {user.display_name} was deactivated meanwhile. What was done stays done.")
    if not can(user, action.capability):
        words = f"It stopped: the role of {user.display_name} no longer allows this. What was done stays done."
        raise jobs.JobFailed(words)
    return user


def _note(act: BulkAct, outcome: Outcome) -> None:
    """Keep what came of a chunk (≤ 3 statements)."""
    bulk_insert(
        [
            BulkRow(act=act, record_id=pk, outcome=BulkRow.Outcome.CHANGED, before=before)
            for pk, before in outcome.changed.items()
        ]
    )
    _keep_rows(act, BulkRow.Outcome.REFUSED, outcome.refused)
    BulkAct.objects.filter(pk=act.pk).update(
        changed=F("changed") + len(outcome.changed),
        unchanged=F("unchanged") + outcome.unchanged,
        refused=F("refused") + len(outcome.refused),
    )


def _keep_rows(act: BulkAct, outcome: str, reasons: Mapping[int, str]) -> None:
    bulk_insert([BulkRow(act=act, record_id=pk, outcome=outcome, reason=text[:500]) for pk, text in reasons.items()])


def _end(act: BulkAct, before: str, after: str) -> bool:
    """Write the end once; a run that repeats its last step changes nothing."""
    ended = BulkAct.objects.filter(pk=act.pk, state=before).update(state=after, finished_at=timezone.now())
    act.refresh_from_db()
    return bool(ended)


def act_of(run: jobs.JobRun, states: Sequence[str]) -> BulkAct:
    """Return the act of a job.

    Raises JobFailed where it is gone or stands elsewhere.
    """
    act = BulkAct.objects.filter(pk=run.payload["act"]).select_related("user").first()
    if act is None or act.state not in states:
        raise jobs.JobFailed("This bulk act is no longer there, or has ended.")
    return act
