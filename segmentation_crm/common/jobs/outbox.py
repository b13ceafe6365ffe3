"""Writing jobs: the row goes with the caller's transaction, the bell rings after its commit."""

from datetime import datetime
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Now

from ..models import Job, JobState, User
from .bell import ring_quietly
from .clock import database_now
from .registry import kind_named


def enqueue(
    kind: str,
    *,
    key: str = "",
    payload: dict[str, Any] | None = None,
    title: str = "",
    user: User | AnonymousUser | None = None,
    due_at: datetime | None = None,
    queue: str = "default",
) -> Job:
    """Write a job in the current transaction and ring the broker once that commits (2–3 queries).

    With a `key`, a job of the same kind and key that still waits is returned instead of a second one (pulled
    forward where the new one is due earlier; its payload stays): one runs, one follows. Never fails because of
    the broker. Raises UnknownKind.
    """
    registered = kind_named(kind)
    now = database_now()
    due = due_at or now
    values: dict[str, Any] = {
        "kind": kind,
        "key": key,
        "title": (title or registered.title)[:200],
        "payload": payload or {},
        "payload_version": registered.version,
        "queue": queue if queue != "default" else registered.queue,
        "due_at": due,
        "rung_at": now if due <= now else None,
        "created_by": user if isinstance(user, User) else None,
    }
    with transaction.atomic():
        job = _write(values)
    if job.due_at <= now:
        transaction.on_commit(lambda: ring_quietly(job.pk, job.queue))
    return job


def _write(values: dict[str, Any]) -> Job:
    """Insert the job, or return the one that waits under the same key."""
    if not values["key"]:
        return Job.objects.create(**values)
    for _ in range(3):
        waiting = _waiting(values["kind"], values["key"])
        if waiting is not None:
            if values["due_at"] < waiting.due_at:
                waiting.due_at = values["due_at"]
                waiting.save(update_fields=["due_at"])
            return waiting
        try:
            with transaction.atomic():
                return Job.objects.create(**values)
        except IntegrityError:
            # Somebody else wrote the same key in this moment; look again.
            continue
    raise IntegrityError(f"Job {values['kind']} {values['key']} could not be written.")


def _waiting(kind: str, key: str) -> Job | None:
    """Return the queued job of the key, locked: a worker that claims it later sees what this transaction wrote."""
    found = Job.objects.filter(kind=kind, key=key, state=JobState.QUEUED)
    if connection.features.has_select_for_update:
        # The caller's rows are not committed yet; without the lock a worker could claim the job, miss them and
        # leave nobody to look at them.
        found = found.select_for_update(no_key=connection.features.has_select_for_no_key_update)
    return found.first()


def request_cancel(job: Job) -> bool:
    """Cancel a job: at once where it waits, within seconds where it runs (2 queries).

    Returns False where it had ended before.
    """
    ended = Job.objects.filter(pk=job.pk, state=JobState.QUEUED).update(
        state=JobState.CANCELLED, cancel_requested=True, finished_at=Now()
    )
    if ended:
        return True
    return bool(Job.objects.filter(pk=job.pk, state=JobState.RUNNING).update(cancel_requested=True))
