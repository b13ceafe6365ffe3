"""Imports under faults, with a real worker: killed at any moment they end as if nothing had happened (R18, R19)."""

import csv
import io
import os
import random
import signal
import sys
import time
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction

from accounts.imports.options import ImportOptions
from accounts.imports.service import import_file
from accounts.imports.uploads import follow_job, start_upload, store_upload, upload_path
from accounts.models import Account, AccountValue, ExternalId, Import, ImportLater, ImportRow, Term
from segmentation_crm.common import jobs
from tests.factories import UserFactory
from tests.support.processes import wait_until

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.xdist_group("live"),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc"),
]
ROWS = 4_000
OPTIONS = ImportOptions(type="accounts")


@pytest.fixture
def own_worker(live):
    """Return the session's worker."""
    return next(program for program in live.programs if "worker" in program.argv)


def accounts_file(rows: int) -> bytes:
    """Return companies with everything that could double: words, parents, doubled keys, warnings, bad rows."""
    out = io.StringIO()
    write = csv.writer(out)
    write.writerow(["External id", "Name", "Domain", "Industry", "Tags", "Parent account", "Employee count", "Country"])
    for n in range(rows):
        key = n - 1 if n % 501 == 500 else n
        parent = f"Firm {(n * 7) % rows}" if n % 20 == 3 else "Nobody" if n % 997 == 5 else ""
        count = "many" if n % 331 == 330 else n
        country = "Atlantis" if n % 450 == 7 else "DE"
        tags = f"one;batch {n // 1000}"
        write.writerow([f"A{key}", f"Firm {n}", f"firm{n}.example", f"Trade {n // 600}", tags, parent, count, country])
    return out.getvalue().encode()


def outcome(record: Import) -> dict[str, Any]:
    """Return all that an import has left behind, without the ids of rows."""
    record.refresh_from_db()
    names = dict(Account.objects.values_list("pk", "name"))
    columns = ("name", "domain", "industry__name", "employee_count", "country", "parent_account__name", "version")
    rows = ImportRow.objects.filter(run=record).order_by("number")
    shown = ("number", "line", "is_rejected", "record_id", "findings", "cells")
    return {
        "counts": record.counts,
        "done": (record.rows_done, record.rows_total),
        "accounts": sorted(Account.objects.values_list(*columns), key=str),
        "values": sorted(AccountValue.objects.values_list("account__name", "field", "term__name", "token"), key=str),
        "external": sorted(
            (text, names[pk]) for text, pk in ExternalId.objects.values_list("external_id", "record_id")
        ),
        "terms": sorted(Term.objects.filter(vocabulary__in=["industry", "tag"]).values_list("vocabulary", "name")),
        "rows": [(*row[:3], names.get(row[3]), *row[4:]) for row in rows.values_list(*shown)],
        "later": ImportLater.objects.filter(run=record).count(),
    }


def uploaded(content: bytes) -> tuple[Import, Any]:
    user = UserFactory(role="admin")
    return store_upload(SimpleUploadedFile("firms.csv", content), OPTIONS, user), user


def test_r18_a_worker_killed_at_random_moments_leaves_what_an_uninterrupted_run_leaves(live, own_worker, tmp_path):
    chance = random.Random(18)
    content = accounts_file(ROWS)
    path = tmp_path / "firms.csv"
    path.write_bytes(content)
    with transaction.atomic():
        expected = outcome(import_file(path, OPTIONS).record)
        transaction.set_rollback(True)
    assert expected["counts"]["invalid"] > 10
    assert expected["rows"]

    record, user = uploaded(content)
    job = start_upload(record, user)
    kills, seen = 0, -1

    def has_moved_on() -> bool:
        job.refresh_from_db()
        return not job.is_active or (job.state == "running" and job.done_units > seen)

    while kills < 4:
        wait_until(has_moved_on, 40, "the next batch")
        if not job.is_active:
            break
        seen = job.done_units
        time.sleep(chance.uniform(0, 0.7))
        holder = next((pid for pid in own_worker.children() if f":{pid}:" in job.claimed_by), None)
        if holder is not None:
            os.kill(holder, signal.SIGKILL)
            kills += 1
    live.wait_for_job(job, 60)
    assert job.state == "done", job.error
    assert kills >= 3
    assert outcome(record) == expected


def test_r19_a_running_import_stops_within_five_seconds_of_its_cancel(live, own_worker):
    record, user = uploaded(accounts_file(30_000))
    job = start_upload(record, user)
    wait_until(lambda: Import.objects.get(pk=record.pk).rows_done > 0, 30, "the first batch")
    began = time.monotonic()
    jobs.request_cancel(job)
    live.wait_for_job(job, 20)
    took = time.monotonic() - began
    assert job.state == "cancelled"
    assert took < 5
    record.refresh_from_db()
    assert follow_job(record).state == "cancelled"
    assert 0 < record.rows_done < 30_000
    # What was committed stays, counted to the row.
    assert Account.objects.count() == record.rows_created
    assert record.rows_created + record.rows_updated + record.rows_unchanged + record.rows_invalid == record.rows_done
    upload_path(record).unlink()
