"""Work in the background: the database is the truth, the broker a doorbell.

    job = jobs.enqueue("segment.rebuild", key=f"segment:{pk}", payload={"segment": pk}, user=user)

    @jobs.register("segment.rebuild", title="Rebuild segment")
    def rebuild(run: jobs.JobRun) -> dict:
        for chunk in ...:
            run.check_cancelled()
            with transaction.atomic():
                ...  # write the chunk
                run.commit_chunk(checkpoint={"after": pk}, done=done, total=total, unit="accounts")
        return {"entered": 3}

    jobs.schedule("segments.rebuild_all", daily="02:30")

A handler lives in `<app>/tasks.py`, starts from `run.checkpoint`, and may be run twice: what it writes outside of
chunks must not double. How leases, fences and attempts work: docs/operations.md.
"""

from .errors import JobCancelled, JobFailed, JobHandedBack, JobStopped, LeaseLost, UnknownKind
from .outbox import enqueue, request_cancel
from .queries import jobs_visible_to
from .registry import register, schedule
from .running import JobRun, run

__all__ = [
    "JobCancelled",
    "JobFailed",
    "JobHandedBack",
    "JobRun",
    "JobStopped",
    "LeaseLost",
    "UnknownKind",
    "enqueue",
    "jobs_visible_to",
    "register",
    "request_cancel",
    "run",
    "schedule",
]
