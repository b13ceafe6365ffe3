"""The nightly job that removes files taken away long ago."""

from typing import Any

from segmentation_crm.common import jobs

from .services.files import remove_old_files


@jobs.register("files.remove_old", title="Remove old files")
def files_remove_old(run: jobs.JobRun) -> dict[str, Any]:
    """Remove what was taken away 30 days ago."""
    return {"removed": remove_old_files()}


jobs.schedule("files.remove_old", daily="03:40")
