"""The job that follows changed settings of money and size."""

from typing import Any

from segmentation_crm.common import jobs

from .services.recomputing import RECOMPUTE_JOB, recompute


@jobs.register(RECOMPUTE_JOB, queue="bulk", title="Amounts and size classes computed anew")
def recompute_after_settings(run: jobs.JobRun) -> dict[str, Any]:
    """Compute what depends on currency, rates, time zone and size limits."""
    return recompute(run)
