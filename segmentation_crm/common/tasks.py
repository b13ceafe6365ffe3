"""Celery's tasks: bells that say nothing but "look into the database"."""

from celery import shared_task

from .jobs import running, slots, sweeper
from .jobs import worker as _worker  # noqa: F401  (connects the worker's signals)


@shared_task(name="common.run_job", ignore_result=True)
def run_job(job_id: int) -> None:
    """Run the job if it is due and free; a message that comes twice or too late does nothing."""
    running.run(job_id, watch=True)


@shared_task(name="common.sweep", ignore_result=True)
def sweep() -> None:
    """Ring again for whatever is due or was left behind."""
    sweeper.sweep()


@shared_task(name="common.tick", ignore_result=True)
def tick() -> None:
    """Start the scheduled work whose time has come."""
    slots.start_due_work()
