"""Celery's tasks: bells that say nothing but "look into the database"; and this app's own kinds of job."""

from typing import Any

from celery import shared_task

from . import exports, jobs
from .bulk.running import act_of, perform, sweep_drafts, undo
from .jobs import running, slots, sweeper
from .jobs import worker as _worker  # noqa: F401  (connects the worker's signals)
from .services import mailing


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


@jobs.register("notifications.email", queue="mail", title="E-mails of notifications")
def send_emails(run: jobs.JobRun) -> dict[str, Any]:
    """Send the e-mails of notifications that wait."""
    return mailing.send_waiting(run.check_cancelled, lambda: run.commit_chunk(done=run.job.done_units + 1))


@jobs.register("bulk.run", queue="bulk", title="Bulk act")
def run_bulk_act(run: jobs.JobRun) -> dict[str, Any]:
    """Do an act to many records, from its last committed chunk."""
    return perform(act_of(run, ("running", "done")), run)


@jobs.register("bulk.undo", queue="bulk", title="Undo a bulk act")
def undo_bulk_act(run: jobs.JobRun) -> dict[str, Any]:
    """Put back what a bulk act changed, from the last committed chunk."""
    return undo(act_of(run, ("undoing", "undone")), run)


@jobs.register("export.write", queue="bulk", title="Export")
def write_export(run: jobs.JobRun) -> dict[str, Any]:
    """Write the file of an export, from its last committed page."""
    return exports.write_export(run)


@jobs.register("exports.sweep", queue="bulk", title="Old exports and drafts")
def sweep_files(run: jobs.JobRun) -> dict[str, Any]:
    """Delete the files of exports after a day, and drafts of bulk acts that nobody started."""
    return {"files": exports.sweep_exports(), "drafts": sweep_drafts()}


jobs.schedule("exports.sweep", every=3600, key="hourly")
jobs.schedule("notifications.email", every=60, key="mail", only_if=mailing.waiting)
