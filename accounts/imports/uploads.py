"""Uploaded files: kept under a number of their own, previewed, queued, run by a job, cancelled."""

import shutil
import uuid
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone

from segmentation_crm.common import jobs
from segmentation_crm.common.models import Job, JobState, User

from ..models import Import, ImportState
from .options import ImportOptions
from .plan import Plan, allowed_targets, make_plan
from .problems import FileRefused
from .service import Result, new_import, notify, run_import
from .types import import_type

_FOLDER = "imports"
_PREVIEW_ROWS = 20
# What has to stay free on the disk after an upload.
_SPARE_BYTES = 256 * 1024 * 1024


class NoRoom(Exception):
    """The disk is nearly full."""


def upload_path(record: Import) -> Path:
    """Return where the import's file lies."""
    return Path(settings.MEDIA_ROOT) / _FOLDER / record.stored_name


def store_upload(upload: UploadedFile, options: ImportOptions, user: User) -> Import:
    """Keep an uploaded file under a UUID; its name is only data.

    Raises FileRefused for one that is too large and NoRoom where the disk is nearly full; no file stays then.
    """
    size = upload.size or 0
    if size > settings.UPLOAD_MAX_BYTES:
        raise FileRefused(f"The file is larger than {settings.UPLOAD_MAX_BYTES // 2**20} MiB; split it.")
    folder = Path(settings.MEDIA_ROOT) / _FOLDER
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if shutil.disk_usage(folder).free < size + _SPARE_BYTES:
        raise NoRoom
    stored_name = uuid.uuid4().hex
    path = folder / stored_name
    try:
        with path.open("xb") as out:
            path.chmod(0o600)
            for chunk in upload.chunks():
                out.write(chunk)
        return new_import(
            options, clean_name(upload.name or "upload"), user=user, stored_name=stored_name, size_bytes=size
        )
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def clean_name(name: str) -> str:
    """Return an uploaded file's name as it may be shown: without folders, control and direction characters."""
    name = name.replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(char for char in name if char.isprintable()).strip()
    if len(kept) > 120:
        stem, dot, ending = kept.rpartition(".")
        kept = f"{stem[:100]}…{dot}{ending[:12]}" if dot else kept[:120]
    return kept or "upload"


def preview(record: Import, user: User) -> Result:
    """Read the whole file, write its first rows, and roll everything back.

    Raises FileRefused.
    """
    options = ImportOptions.from_json(record.options)
    with transaction.atomic():
        trial = new_import(options, record.file_name, user=user)
        result = run_import(trial, upload_path(record), options, user=user, limit=_PREVIEW_ROWS)
        transaction.set_rollback(True)
    return result


def read_plan(record: Import, options: ImportOptions, user: User) -> Plan:
    """Map the columns and read the whole file, keeping nothing.

    Raises FileRefused.
    """
    with transaction.atomic():
        plan = make_plan(upload_path(record), record.file_name, options, user=user)
        transaction.set_rollback(True)
    return plan


def discard(record: Import) -> None:
    """Delete an upload that has not been run, and its file."""
    path = upload_path(record)
    with transaction.atomic():
        record.delete()
        transaction.on_commit(lambda: path.unlink(missing_ok=True))


def change_options(record: Import, options: ImportOptions) -> None:
    """Keep the options of an import that has not begun (1 query)."""
    record.options, record.type, record.source = options.as_json(), options.type, options.source
    record.save(update_fields=["options", "type", "source"])


def start_upload(record: Import, user: User) -> Job:
    """Queue the import; the mapping chosen is remembered for files with the same headings."""
    with transaction.atomic():
        job = jobs.enqueue(
            "import.run",
            key=f"import:{record.pk}",
            payload={"import": record.pk},
            title=f"Import {import_type(record.type).label.lower()} from {record.file_name}",
            user=user,
        )
        record.job, record.state = job, ImportState.RUNNING
        record.save(update_fields=["job", "state"])
    return job


def run_upload(pk: int, run: jobs.JobRun) -> dict[str, Any]:
    """Run a queued import as its job: each batch commits with the job's checkpoint.

    Raises FileRefused, and what the job machinery raises to stop.
    """
    record = Import.objects.select_related("created_by").get(pk=pk)
    if record.state == ImportState.DONE:
        return record.counts

    def on_batch(done: int, total: int) -> None:
        run.commit_chunk(checkpoint={"rows": done}, done=done, total=total, unit="rows")

    options = ImportOptions.from_json(record.options)
    result = run_import(
        record,
        upload_path(record),
        options,
        user=record.created_by,
        on_batch=on_batch,
        check_stop=run.check_cancelled,
    )
    notify()
    return result.as_json()


def fail_import(pk: int, message: str) -> None:
    """Note why an import could not run (1 query)."""
    Import.objects.filter(pk=pk).update(state=ImportState.FAILED, error=message, finished_at=timezone.now())


def follow_job(record: Import) -> Import:
    """Bring the import's state in line with its job's, which may have been cancelled or failed (0–1 query)."""
    job = record.job
    if record.state == ImportState.RUNNING and job is not None and not job.is_active:
        ended = {JobState.CANCELLED: ImportState.CANCELLED, JobState.FAILED: ImportState.FAILED}
        record.state = ended.get(JobState(job.state), ImportState.DONE)
        record.error = record.error or job.error
        record.finished_at = job.finished_at
        record.save(update_fields=["state", "error", "finished_at"])
    return record


def offered_targets(record: Import, user: User) -> list[tuple[str, str]]:
    """Return (key, label) of what columns may be mapped to, by label (1 query)."""
    targets = allowed_targets(import_type(record.type), user)
    return sorted(((key, target.label) for key, target in targets.items()), key=lambda pair: pair[1].lower())
