"""The thread beside a running handler: renews the lease, and breaks a long statement off when somebody cancels."""

import logging
import threading
import time
from types import TracebackType

from django.db import DatabaseError, connection, connections

from ..models import Job
from . import claims
from .errors import JobCancelled, JobStopped, LeaseLost

logger = logging.getLogger(__name__)

LOOK_SECONDS = 1.5
# A handler that does not come to its next check within this time has its SQL statement interrupted.
GRACE_SECONDS = 1.5


class Watch:
    """Context manager around a handler; `stopped` says why the run must end, None while it may go on."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.stopped: type[JobStopped] | None = None
        self._done = threading.Event()
        self._renewed = time.monotonic()
        self._guard = threading.Lock()
        self._working = True
        # The handler's own connection, by which its running statement can be interrupted.
        connection.ensure_connection()
        self._vendor = connection.vendor
        self._raw = connection.connection
        self._thread = threading.Thread(target=self._look, name=f"watch-job-{job.pk}", daemon=True)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        self._thread.join(timeout=10)

    def close(self) -> None:
        """Interrupt nothing from now on: what follows is the runner's own writing."""
        with self._guard:
            self._working = False
        self._done.set()

    def raise_if_stopped(self) -> None:
        """Raise JobCancelled or LeaseLost once the thread has seen it (0 queries)."""
        if self.stopped is not None:
            raise self.stopped

    def _look(self) -> None:
        try:
            while not self._done.wait(LOOK_SECONDS):
                try:
                    self._look_once()
                except DatabaseError:
                    # A locked row or a database that restarts: the lease lasts four renewals.
                    logger.info("Job %s: the lease could not be looked at.", self.job.pk, exc_info=True)
                    connections.close_all()
        finally:
            connections.close_all()

    def _look_once(self) -> None:
        found = Job.objects.filter(pk=self.job.pk).values_list("fence", "state", "cancel_requested").first()
        if found is None or found[0] != self.job.fence or found[1] != "running":
            self._stop(LeaseLost)
        elif found[2]:
            self._stop(JobCancelled)
        elif time.monotonic() - self._renewed >= claims.RENEW_SECONDS:
            if claims.renew(self.job):
                self._renewed = time.monotonic()
            else:
                self._stop(LeaseLost)

    def _stop(self, why: type[JobStopped]) -> None:
        self.stopped = why
        if not self._done.wait(GRACE_SECONDS):
            self._interrupt()

    def _interrupt(self) -> None:
        with self._guard:
            if not self._working:
                return
            try:
                if self._vendor == "postgresql":
                    self._raw.cancel_safe(timeout=2)
                else:
                    self._raw.interrupt()
            except Exception:
                logger.info("Job %s: its statement could not be interrupted.", self.job.pk, exc_info=True)
