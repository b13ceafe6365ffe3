"""How fast bulk edits and exports are, and how much memory they take.

    DATABASE_URL=postgres://…/an_empty_database python -m tests.benchmarks.bulk_and_exports 100000

Works in the database of DATABASE_URL, which should be empty, and leaves its rows there; without it in a SQLite file.
"""

import os
import resource
import sys
import tempfile
import time

FOLDER = tempfile.mkdtemp(prefix="crm-bench-")
os.environ.setdefault("DATABASE_URL", f"sqlite:///{FOLDER}/bench.sqlite3")
os.environ.setdefault("VAR_DIR", FOLDER)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "segmentation_crm.settings")


def memory() -> int:
    """Return the most memory this process has held, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def run_whole(job_id: int) -> float:
    """Run a job, turn by turn as workers do, until it has ended; returns the seconds."""
    from segmentation_crm.common import jobs
    from segmentation_crm.common.models import Job

    began = time.monotonic()
    while Job.objects.get(pk=job_id).is_active:
        jobs.run(job_id)
    took = time.monotonic() - began
    job = Job.objects.get(pk=job_id)
    assert job.state == "done", job.error
    return took


def main(rows: int) -> None:
    """Measure a bulk edit, its undo, and both formats of an export; prints a line each."""
    import django

    django.setup()
    from django.conf import settings

    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    from django.core.management import call_command
    from django.db import connection

    from accounts.models import Contact
    from segmentation_crm.common import bulk, exports
    from segmentation_crm.common.bulk_insert import bulk_insert
    from segmentation_crm.common.jobs import bell
    from segmentation_crm.common.models import Export, User

    bell._publish = lambda job_id, queue: None  # type: ignore[assignment]
    call_command("migrate", verbosity=0)
    user, _ = User.objects.get_or_create(username="bench", defaults={"role": "admin"})
    Contact.objects.all().delete()
    for start in range(0, rows, 5000):
        bulk_insert([_contact(Contact, n) for n in range(start, min(start + 5000, rows))])
    with connection.cursor() as cursor:
        # As autovacuum does within a minute.
        cursor.execute("ANALYZE")
    print(f"{connection.vendor}, {rows:,} contacts, {memory()} MiB before")

    began = time.monotonic()
    keys = bulk.keys_of("contact", user, everything=True)
    act = bulk.draft(user, bulk.action_named("edit", "contact"), "contact", keys)
    print(f"choice frozen    {time.monotonic() - began:6.1f} s")
    act = bulk.start(act, {"field": "lifecycle_stage", "value": "lead"}, "Set Lifecycle stage to “Lead”")
    report("bulk edit", rows, run_whole(act.job_id))  # type: ignore[arg-type]
    act.refresh_from_db()
    act = bulk.start_undo(act)
    report("undo", rows, run_whole(act.job_id))  # type: ignore[arg-type]
    for format in Export.Format.values:
        export = exports.request_export(user, "contact", format)
        report(f"export {format}", rows, run_whole(export.job_id))  # type: ignore[arg-type]


def _contact(model: type, number: int) -> object:
    return model(
        first_name="Ann",
        last_name=f"Berg {number}",
        email=f"ann{number}@x{number % 997}.example",
        job_title="Head of purchasing",
        country="DE",
    )


def report(what: str, rows: int, seconds: float) -> None:
    """Print one line."""
    print(f"{what:16} {seconds:6.1f} s  {rows / seconds:8,.0f} rows/s  {memory()} MiB at most", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
