"""The jobs that run an uploaded import and take one back."""

from dataclasses import asdict
from typing import Any

from segmentation_crm.common import jobs
from segmentation_crm.common.models import User

from .imports.problems import FileRefused
from .imports.uploads import fail_import, run_upload
from .models import Import
from .services.import_undo import Tally, undo_import


@jobs.register("import.run", queue="bulk", title="Import a file")
def import_run(run: jobs.JobRun) -> dict[str, Any]:
    """Run the import from its last committed batch."""
    pk = int(run.payload["import"])
    try:
        return run_upload(pk, run)
    except FileRefused as refused:
        fail_import(pk, refused.message)
        raise jobs.JobFailed(refused.message) from None


@jobs.register("import.undo", queue="bulk", title="Undo an import")
def import_undo(run: jobs.JobRun) -> dict[str, Any]:
    """Take an import back, on from the last committed chunk."""
    record = Import.objects.get(pk=int(run.payload["import"]))
    started = Tally(**(run.checkpoint or {}).get("tally", {}))
    actor = User.objects.filter(pk=run.payload.get("user") or 0).first()

    def on_chunk(last: int, tally: Tally) -> None:
        state = {"after": last, "tally": asdict(tally)}
        run.commit_chunk(checkpoint=state, done=tally.deleted + tally.restored + tally.left, unit="records")

    after = int((run.checkpoint or {}).get("after", 0))
    tally = undo_import(record, actor, after=after, tally=started, on_chunk=on_chunk, check_stop=run.check_cancelled)
    return asdict(tally)
