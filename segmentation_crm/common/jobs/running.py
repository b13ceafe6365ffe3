"""Running one job: what the handler gets, and what is written when it ends, in whichever way."""

import logging
import time
from typing import Any

from celery.exceptions import SoftTimeLimitExceeded
from django.db import DatabaseError, IntegrityError, connection, transaction

from ..models import Job, JobState
from . import claims
from .bell import ring_quietly
from .errors import JobCancelled, JobFailed, JobHandedBack, JobStopped, LeaseLost, UnknownKind
from .registry import Kind, kind_named
from .shutdown import is_stopping
from .watch import Watch

logger = logging.getLogger(__name__)

# A handler that works in chunks gives way to others after about a minute.
TURN_SECONDS = 60.0
SHOW_EVERY_SECONDS = 0.5
PARK_SECONDS = 300.0


class JobRun:
    """A handler's hold on its job. Everything it offers raises a JobStopped when the handler must stop."""

    def __init__(self, job: Job, watch: Watch | None = None) -> None:
        self.job = job
        self.payload: dict[str, Any] = job.payload
        self.checkpoint: dict[str, Any] = job.checkpoint
        self._watch = watch
        self._began = time.monotonic()
        self._asked = 0.0
        self._shown = 0.0
        self._has_committed_chunk = False

    def progress(self, done: int, total: int | None = None, unit: str = "") -> None:
        """Show how far the job is (at most 2 writes a second; inside a transaction only noted).

        Raises LeaseLost where another worker has taken over.
        """
        self._note(done, total, unit)
        now = time.monotonic()
        if connection.in_atomic_block or (now - self._shown < SHOW_EVERY_SECONDS and done != total):
            return
        self._shown = now
        if not claims.show(self.job, self._figures()):
            raise LeaseLost

    def commit_chunk(
        self,
        *,
        checkpoint: dict[str, Any] | None = None,
        done: int | None = None,
        total: int | None = None,
        unit: str = "",
    ) -> None:
        """Bind the chunk to this run: call inside the transaction that writes the chunk (1 query).

        Writes checkpoint and progress, renews the lease, and resets the count of attempts, all with the chunk.
        Raises LeaseLost, which undoes the chunk, where another worker has taken over.
        """
        if not connection.in_atomic_block:
            raise transaction.TransactionManagementError("commit_chunk belongs inside the chunk's transaction.")
        if checkpoint is not None:
            self.checkpoint = self.job.checkpoint = checkpoint
        self._note(self.job.done_units if done is None else done, total, unit)
        if not claims.advance(self.job, {**self._figures(), "checkpoint": self.checkpoint}):
            raise LeaseLost
        self.job.attempt = 0
        self._has_committed_chunk = True

    def check_cancelled(self) -> None:
        """Stop here if the job must: call between chunks and at least every few seconds (1 query a second).

        Raises JobCancelled, LeaseLost, or JobHandedBack (shutdown, or a chunked job that has had its minute).
        """
        if self._watch is not None:
            self._watch.raise_if_stopped()
        now = time.monotonic()
        if self._watch is None and now - self._asked >= 1.0:
            self._asked = now
            found = Job.objects.filter(pk=self.job.pk).values_list("fence", "cancel_requested").first()
            if found is None or found[0] != self.job.fence:
                raise LeaseLost
            if found[1]:
                raise JobCancelled
        if is_stopping() or (self._has_committed_chunk and now - self._began > TURN_SECONDS):
            raise JobHandedBack

    def _note(self, done: int, total: int | None, unit: str) -> None:
        self.job.done_units = done
        if total is not None:
            self.job.total_units = total
        if unit:
            self.job.unit = unit

    def _figures(self) -> dict[str, Any]:
        job = self.job
        return {"done_units": job.done_units, "total_units": job.total_units, "unit": job.unit}


def run(job_id: int, *, watch: bool = False) -> JobState | None:
    """Claim the job and run its handler to its end; return the state written, None where nothing was done.

    `watch` starts the thread that renews the lease and looks for cancel (workers; never in a transaction).
    """
    job = claims.claim(job_id)
    if job is None:
        return None
    kind = _kind_or_park(job)
    if kind is None:
        return JobState.QUEUED
    if not watch:
        state = _run_claimed(job, kind, None)
    else:
        with Watch(job) as watching:
            state = _run_claimed(job, kind, watching)
    _ring_next(job, state)
    return state


def _kind_or_park(job: Job) -> Kind | None:
    """Return the kind, or put the job aside with words where this version of the program cannot run it."""
    try:
        kind = kind_named(job.kind)
    except UnknownKind:
        words = f"This version of the program does not know the work {job.kind!r}."
    else:
        if kind.oldest_version <= job.payload_version <= kind.version:
            return kind
        words = (
            f"The work {job.kind!r} was written in version {job.payload_version}; this version of the program "
            f"reads {kind.oldest_version} to {kind.version}."
        )
    claims.put_back(job, delay=PARK_SECONDS, error=f"{words} It waits for a worker of the right version.")
    logger.warning("Job %s parked: %s", job.pk, words)
    return None


def _run_claimed(job: Job, kind: Kind, watch: Watch | None) -> JobState | None:
    """Run the handler and write how it ended."""
    try:
        try:
            result = kind.handler(JobRun(job, watch))
        finally:
            if watch is not None:
                watch.close()
    except JobCancelled:
        return _end(job, JobState.CANCELLED)
    except JobHandedBack:
        return _hand_back(job)
    except LeaseLost:
        logger.warning("Job %s: another worker has taken over; this run is void.", job.pk)
        return None
    except JobFailed as error:
        return _end(job, JobState.FAILED, error=str(error))
    except SoftTimeLimitExceeded:
        if job.attempt == 0:  # a chunk was committed: this was progress, not an attempt
            return _hand_back(job)
        return _try_again(job, "It took longer than the four minutes that one step may take")
    except Exception as error:
        if watch is not None and watch.stopped is not None:
            # The watch broke off a running statement; what the handler saw of it is only an echo.
            return _end_stopped(job, watch.stopped)
        logger.exception("Job %s (%s) raised.", job.pk, job.kind)
        return _try_again(job, _words(error))
    figures = {"done_units": job.done_units, "total_units": job.total_units, "unit": job.unit}
    claims.show(job, figures)
    return _end(job, JobState.DONE, result=result or {})


def _end(job: Job, state: JobState, *, result: dict[str, Any] | None = None, error: str = "") -> JobState | None:
    return state if claims.finish(job, state, result=result, error=error) else None


def _end_stopped(job: Job, stopped: type[JobStopped]) -> JobState | None:
    return _end(job, JobState.CANCELLED) if stopped is JobCancelled else None


def _hand_back(job: Job) -> JobState | None:
    return JobState.QUEUED if claims.put_back(job) else None


def _try_again(job: Job, words: str) -> JobState | None:
    """Put the job back with growing pauses, or fail it at the third attempt without progress."""
    if job.attempt >= claims.MAX_ATTEMPTS:
        error = (
            f"{words}, {claims.MAX_ATTEMPTS} times in a row. It is not tried again by itself; details stand in "
            f"the server's log under job {job.pk}."
        )
        return _end(job, JobState.FAILED, error=error)
    put = claims.put_back(job, delay=2.0**job.attempt, error=f"{words}; it is tried again.", is_attempt=True)
    return JobState.QUEUED if put else None


def _words(error: Exception) -> str:
    """Say what went wrong without showing a stranger's data or the program's insides."""
    if isinstance(error, IntegrityError):
        return "The data changed under the work"
    if isinstance(error, DatabaseError):
        return "The database did not answer or refused the work"
    return f"An unexpected error ({type(error).__name__}) stopped the work"


def _ring_next(job: Job, state: JobState | None) -> None:
    """Ring for what this job's end makes possible: its own next turn, or the one that waited for its key."""
    if state == JobState.QUEUED:
        waiting = Job.objects.filter(pk=job.pk, state=JobState.QUEUED)
    elif job.key:
        waiting = Job.objects.filter(kind=job.kind, key=job.key, state=JobState.QUEUED)
    else:
        return
    for pk, queue in waiting.filter(claims.due()).values_list("pk", "queue"):
        ring_quietly(pk, queue)
