"""The conditional updates by which workers take, keep, advance and leave a job. Each is one short transaction."""

from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now

from ..models import Job, JobState
from .clock import later
from .processes import identity, is_gone

LEASE_SECONDS = 60
RENEW_SECONDS = 15
MAX_ATTEMPTS = 3

_NO_PROGRESS = (
    "The work stopped three times without getting any further (the last time its worker ended or did not answer). "
    "It is not tried again by itself; start it anew, and look into the server's log if it fails again."
)


def _held(job: Job) -> QuerySet[Job]:
    """Return the row as long as this worker's fence stands."""
    return Job.objects.filter(pk=job.pk, fence=job.fence, state=JobState.RUNNING)


def due() -> Q:
    """Return the condition under which a worker may take a job: waiting and due, or its lease ended."""
    return Q(state=JobState.QUEUED, due_at__lte=Now()) | Q(state=JobState.RUNNING, lease_until__lt=Now())


def release_dead_leases() -> int:
    """End the leases of processes of this machine that are gone (1 query, 1 more a dead one); return how many."""
    ended = 0
    running = Job.objects.filter(state=JobState.RUNNING, lease_until__gte=Now())
    for pk, fence, claimed_by in running.values_list("pk", "fence", "claimed_by"):
        if is_gone(claimed_by):
            ended += Job.objects.filter(pk=pk, fence=fence, state=JobState.RUNNING).update(lease_until=later(-1))
    return ended


def claim(job_id: int) -> Job | None:
    """Take the job if it is due and nobody holds it (2–4 queries); None where there is nothing to do.

    A job that was cancelled while its worker died is closed, one that stopped three times without progress is
    failed with words.
    """
    found = Job.objects.filter(pk=job_id).values_list("state", "claimed_by", "fence").first()
    if found is None:
        return None
    state, claimed_by, fence = found
    condition = due()
    if state == JobState.RUNNING and is_gone(claimed_by):
        condition |= Q(state=JobState.RUNNING, fence=fence)
    try:
        with transaction.atomic():
            rows = Job.objects.filter(condition, pk=job_id)
            if connection.features.has_select_for_update_skip_locked:
                # A row locked by an enqueuer is left alone: that one rings when it commits.
                locked = rows.select_for_update(skip_locked=True).values_list("pk", flat=True).first()
                if locked is None:
                    return None
            taken = rows.update(
                state=JobState.RUNNING,
                fence=F("fence") + 1,
                attempt=F("attempt") + 1,
                lease_until=later(LEASE_SECONDS),
                claimed_by=identity(),
            )
            if not taken:
                return None
            Job.objects.filter(pk=job_id, started_at=None).update(started_at=Now())
            job = Job.objects.get(pk=job_id)
    except IntegrityError:
        # Another job of the same kind and key runs; it rings for this one when it ends.
        return None
    if job.cancel_requested:
        finish(job, JobState.CANCELLED)
        return None
    if job.attempt > MAX_ATTEMPTS:
        finish(job, JobState.FAILED, error=_NO_PROGRESS)
        return None
    return job


def renew(job: Job) -> bool:
    """Prolong the lease; False where the fence no longer stands (1 query)."""
    return bool(_held(job).update(lease_until=later(LEASE_SECONDS)))


def advance(job: Job, values: dict[str, Any]) -> bool:
    """Write progress that counts, inside the caller's transaction; False where the fence no longer stands."""
    return bool(_held(job).update(lease_until=later(LEASE_SECONDS), attempt=0, error="", **values))


def show(job: Job, values: dict[str, Any]) -> bool:
    """Write figures for people to see; they are no progress in the sense of attempts."""
    return bool(_held(job).update(**values))


def finish(job: Job, state: JobState, *, result: dict[str, Any] | None = None, error: str = "") -> bool:
    """End the job; False where the fence no longer stands (1 query)."""
    values: dict[str, Any] = {"state": state, "finished_at": Now(), "lease_until": None, "error": error}
    if result is not None:
        values["result"] = result
    return bool(_held(job).update(**values))


def put_back(job: Job, *, delay: float = 0, error: str = "", is_attempt: bool = False) -> bool:
    """Return the job to the queue, due after `delay` seconds; False where the fence no longer stands."""
    return bool(
        _held(job).update(
            state=JobState.QUEUED,
            due_at=later(delay),
            rung_at=None,
            lease_until=None,
            claimed_by="",
            error=error,
            attempt=job.attempt if is_attempt else max(job.attempt - 1, 0),
        )
    )
