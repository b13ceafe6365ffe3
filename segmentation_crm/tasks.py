"""Background work of the project itself: removing the demo story."""

from typing import Any

from django.db import transaction

from segmentation_crm.common import jobs

from . import demo


@jobs.register("demo.remove", queue="bulk", title="Remove the demo story")
def remove_demo(run: jobs.JobRun) -> dict[str, Any]:
    """Remove exactly the records of the story; a second run goes on where the first one stopped."""

    def on_chunk(rows: int) -> None:
        with transaction.atomic():
            run.commit_chunk(done=rows, unit="records")
        run.check_cancelled()

    removed = demo.remove(on_chunk)
    return {"removed": removed.rows, "kept": sum(removed.kept.values()), "summary": str(removed)}
