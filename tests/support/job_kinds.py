"""Job kinds for the fault tests, loaded by workers through EXTRA_JOB_MODULES."""

import os
import signal
import time
import uuid

from django.db import connection, transaction

from segmentation_crm.common import jobs
from segmentation_crm.common.models import ScheduleSlot


@jobs.register("test.chunks", title="Work in chunks")
def chunks(run: jobs.JobRun) -> dict:
    """Write one row a chunk; a chunk that ran twice has two rows, one that was lost has none."""
    total = run.payload["chunks"]
    for number in range(run.checkpoint.get("next", 0), total):
        run.check_cancelled()
        time.sleep(run.payload.get("pause", 0.02))
        with transaction.atomic():
            ScheduleSlot.objects.create(
                task=f"chunk:{run.job.pk}:{number}", slot=f"{run.job.fence}:{uuid.uuid4().hex[:12]}"
            )
            run.commit_chunk(checkpoint={"next": number + 1}, done=number + 1, total=total, unit="chunks")
    return {"chunks": total}


@jobs.register("test.suicide", title="Work that kills its worker")
def suicide(run: jobs.JobRun) -> dict:
    """End the pool process at once, as memory exhaustion would."""
    os.kill(os.getpid(), signal.SIGKILL)
    return {}


@jobs.register("test.long_statement", title="One long statement")
def long_statement(run: jobs.JobRun) -> dict:
    """Keep the database busy for far longer than a test waits, without a check in between."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_sleep(120)")
        else:
            cursor.execute(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000000000) "
                "SELECT count(*) FROM n"
            )
        cursor.fetchall()
    return {}


@jobs.register("test.every_second", title="Scheduled work")
def every_second(run: jobs.JobRun) -> dict:
    """Do nothing; its rows are the result."""
    return {}


if os.environ.get("TEST_SCHEDULE"):
    jobs.schedule("test.every_second", every=int(os.environ["TEST_SCHEDULE"]), key="")
