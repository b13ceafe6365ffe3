"""Background work of segments: each handler fetches by id and calls one service."""

import time
from typing import Any

from celery import shared_task
from django.db import connection

from segmentation_crm.common.jobs import JobRun, register, schedule
from segmentation_crm.common.models import Job, JobState

from . import tasks_history, tasks_webhooks
from .choices import RunCause
from .services.collecting import REFRESH_JOB, ring_for_refresh
from .services.rebuilding import rebuild_all, rebuild_with_dependants
from .services.reconciling import reconcile_all
from .services.refreshing import is_due, refresh

__all__ = ["tasks_history", "tasks_webhooks"]
NIGHTLY_AT = "02:15"
# Ended refreshes are many and say little; the last ones stay for whoever looks into the list of jobs.
KEPT_REFRESHES = 20
PAUSE_SECONDS = 0.2


@register(REFRESH_JOB, queue="default", title="Segments kept fresh")
def refresh_segments(run: JobRun) -> dict[str, Any]:
    """Take what changed and let time in, until nothing waits."""
    totals = {"rows": 0, "asked": 0, "segments": 0}
    more = True
    while more:
        run.check_cancelled()
        result = refresh(on_commit_point=lambda: run.commit_chunk(done=run.job.done_units + 1))
        totals["rows"] += result.rows
        totals["asked"] += result.asked
        totals["segments"] += result.segments
        more = result.more
        if more and connection.vendor == "sqlite":
            # One writer at a time: between two of ours, others get theirs.
            time.sleep(PAUSE_SECONDS)
    ended = Job.objects.filter(kind=REFRESH_JOB, state=JobState.DONE).exclude(pk=run.job.pk)
    older = ended.order_by("-id").values_list("pk", flat=True)[KEPT_REFRESHES : KEPT_REFRESHES + 200]
    Job.objects.filter(pk__in=list(older)).delete()
    return totals


@shared_task(name="segments.look", ignore_result=True)
def look_for_changes() -> None:
    """Queue a refresh where changes wait, or a minute has passed (up to 6 queries)."""
    if is_due():
        ring_for_refresh()


@register("segment.rebuild", queue="default", title="Members of a segment")
def rebuild_one(run: JobRun) -> dict[str, Any]:
    """Compute the members of one segment and of those that read it."""
    totals = rebuild_with_dependants(
        int(run.payload["segment"]),
        run.payload.get("cause", RunCause.REBUILD),
        run,
        run.checkpoint.get("finished", []),
    )
    return _shown(totals)


@register("segment.rebuild_all", queue="bulk", title="Members of all segments")
def rebuild_every(run: JobRun) -> dict[str, Any]:
    """Compute the members of every segment, each after those it reads."""
    return _shown(rebuild_all(run.payload.get("cause", RunCause.REBUILD), run, run.checkpoint.get("finished", [])))


def _shown(totals: dict[str, Any]) -> dict[str, Any]:
    """Return what the job's page shows: who came and went is counted over all records, the reader may see a part."""
    return {name: totals[name] for name in ("segments", "broken")}


@register("segments.reconcile", queue="bulk", title="Segments compared with their rules")
def reconcile(run: JobRun) -> dict[str, Any]:
    """Compute every segment whole and tell how far refreshes had drifted: 0 is expected."""
    return reconcile_all(run, run.checkpoint.get("finished", []))


schedule("segments.reconcile", daily=NIGHTLY_AT)
