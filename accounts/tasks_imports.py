"""The job that runs an uploaded import."""

from typing import Any

from segmentation_crm.common import jobs

from .imports.problems import FileRefused
from .imports.uploads import fail_import, run_upload


@jobs.register("import.run", queue="bulk", title="Import a file")
def import_run(run: jobs.JobRun) -> dict[str, Any]:
    """Run the import from its last committed batch."""
    pk = int(run.payload["import"])
    try:
        return run_upload(pk, run)
    except FileRefused as refused:
        fail_import(pk, refused.message)
        raise jobs.JobFailed(refused.message) from None
