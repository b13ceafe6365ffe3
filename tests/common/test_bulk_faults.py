"""Bulk acts and exports under faults: killed at any moment they end as if nothing had happened (R96)."""

import csv
import os
import random
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from accounts.models import Contact, ContactValue, RecordChange, Term
from segmentation_crm.common import bulk, exports
from segmentation_crm.common.jobs import run
from segmentation_crm.common.models import BulkRow, Export, Job
from tests.factories import UserFactory

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="forks and kills processes"),
]
ROWS = 12_000
KILLS = 20


def run_in_a_process(job: Job) -> int:
    """Run one turn of the job in a process of its own, as a worker's pool does; returns its process id."""
    # No connection may be shared by two processes.
    connections.close_all()
    child = os.fork()
    if child == 0:
        try:
            run(job.pk)
        finally:
            os._exit(0)
    return child


def run_and_kill(job: Job) -> int:
    """Run the job in processes that are killed at random moments, 20 times; then let it end. Returns the kills."""
    chance, kills = random.Random(job.pk), 0
    for _ in range(200):
        child = run_in_a_process(job)
        if kills < KILLS:
            time.sleep(chance.uniform(0.02, 0.25))
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        kills += os.WIFSIGNALED(status)
        job.refresh_from_db()
        if not job.is_active:
            return kills
        # A kill may come before the first chunk several times in a row: that alone must not end the job here.
        Job.objects.filter(pk=job.pk).update(attempt=0, due_at=job.created_at)
    pytest.fail("The job did not end in 200 turns")


@pytest.fixture
def people(db) -> list[Contact]:
    return Contact.objects.bulk_create(
        Contact(last_name=f"P{n:05}", email=f"p{n}@x.example", full_name_folded=f"p{n:05}") for n in range(ROWS)
    )


def test_r96_an_act_killed_twenty_times_doubles_and_loses_nothing(people):
    user = UserFactory(role="admin")
    tag = Term.objects.create(vocabulary="tag", name="Fair", slug="fair", name_folded="fair")
    keys = bulk.keys_of("contact", user, everything=True)
    act = bulk.draft(user, bulk.action_named("add_tags", "contact"), "contact", keys)
    act = bulk.start(act, {"tags": [tag.pk], "way": "add"}, "Add the tag “Fair”")
    assert act.job is not None
    kills = run_and_kill(act.job)
    act.refresh_from_db()
    assert act.state == "done", act.job.error
    assert kills >= KILLS / 2
    assert (act.changed, act.unchanged, act.refused) == (ROWS, 0, 0)
    assert ContactValue.objects.filter(field="tags", term=tag).count() == ROWS
    assert BulkRow.objects.filter(act=act).count() == ROWS
    assert RecordChange.objects.filter(batch=act.public_id).count() == ROWS
    assert set(Contact.objects.values_list("version", flat=True)) == {2}


@pytest.mark.parametrize("format", ["csv", "xlsx"])
def test_r96_an_export_killed_twenty_times_holds_every_row_once(people, format):
    user = UserFactory(role="admin")
    export = exports.request_export(user, "contact", format, params={"columns": "name,email", "ordering": "name"})
    assert export.job is not None
    kills = run_and_kill(export.job)
    export = Export.objects.get(pk=export.pk)
    assert export.finished_at is not None, export.job
    assert kills >= KILLS / 2
    names = [row[0] for row in read(exports.export_path(export))]
    assert names == ["Contact", *(f"P{n:05}" for n in range(ROWS))]
    assert [file.name for file in exports.export_path(export).parent.iterdir()] == [export.path]


def read(path: Path) -> list[list[Any]]:
    """Return the rows of a file with its heads."""
    if path.suffix == ".csv":
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(csv.reader(file))
    from accounts.imports.xlsx_rows import read_sheet

    return [row.cells for row in read_sheet(path, "Sheet1")]
