"""Background work of segments: each handler fetches by id and calls one service."""

from typing import Any

from segmentation_crm.common.jobs import JobRun, register, schedule

from .choices import RunCause
from .services.rebuilding import rebuild_all, rebuild_with_dependants

NIGHTLY_AT = "02:15"


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


schedule("segment.rebuild_all", daily=NIGHTLY_AT, payload={"cause": RunCause.REBUILD})
