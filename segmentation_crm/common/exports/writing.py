"""The job that writes an export: keys in order, then the rows page by page into a spool, then the file from the spool.

The keys are frozen first, so a record that changes meanwhile comes once. After each page the spool's length is
committed with the job's checkpoint; a run that takes over from one that was killed adds a spool of its own. Memory
stays flat.
"""

import json
import os
import shutil
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from .. import jobs, lists
from ..access import can
from ..models import Export, User
from ..services.notifications import notify
from .cells import packed
from .files import WRITERS, Spool, remove
from .requests import export_path, folder

PAGE = 1000
_KEY = "Q"
_SPARE_BYTES = 256 * 1024 * 1024


def write_export(run: jobs.JobRun) -> dict[str, Any]:
    """Write the file of an export and tell its owner.

    Raises JobFailed with words where the user may not export any more, the list no longer works or the disk is full.
    """
    export = Export.objects.filter(pk=run.payload["export"]).first()
    if export is None or not export.path:
        raise jobs.JobFailed("This export is no longer there.")
    if export.finished_at is not None and export_path(export).exists():
        return {"rows": export.rows, "bytes": export.size}
    user = _still_allowed(export)
    folder().mkdir(parents=True, exist_ok=True, mode=0o700)
    if shutil.disk_usage(folder()).free < _SPARE_BYTES:
        raise jobs.JobFailed("The server's disk is nearly full. Ask whoever runs it to make room, then export again.")
    state = run.checkpoint
    try:
        if not state or not all((folder() / name).exists() for name in [state["keys"], *dict(state["parts"])]):
            state = _freeze_keys(export, user, run)
        state = _spool_rows(export, state, run)
        return _finish(export, user, state, run)
    except OSError as error:
        raise jobs.JobFailed(f"The file could not be written: {error.strerror or error}.") from error


def _own(export: Export, run: jobs.JobRun, kind: str) -> Path:
    """Return a file of this run alone: one that was given up and wakes again writes into none of ours."""
    return folder() / f"{export_path(export).stem}-{run.job.fence}.{kind}"


def _still_allowed(export: Export) -> User:
    user = User.objects.get(pk=export.user_id)
    if not can(user, "records.export"):
        raise jobs.JobFailed("It stopped: this user may not export records any more.")
    return user


def _freeze_keys(export: Export, user: User, run: jobs.JobRun) -> dict[str, Any]:
    """Write the keys of the rows, in the list's order."""
    total, keys = 0, _own(export, run, "keys")
    with _new(keys) as out:
        buffer = array(_KEY)
        for pk in _ordered_keys(export, user):
            buffer.append(pk)
            if len(buffer) == 10_000:
                run.check_cancelled()
                total += len(buffer)
                buffer.tofile(out)
                buffer = array(_KEY)
        total += len(buffer)
        buffer.tofile(out)
    state: dict[str, Any] = {"keys": keys.name, "done": 0, "total": total, "rows": 0, "parts": []}
    with transaction.atomic():
        run.commit_chunk(checkpoint=state, done=0, total=total, unit="rows")
    return state


def _new(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


def _ordered_keys(export: Export, user: User) -> Iterator[int]:
    definition = lists.get(export.record)
    params, ids = export.query.get("params", {}), export.query.get("ids") or []
    if ids:
        # Ticked rows are those, whatever the filters say by now; only the order is the list's.
        params = {name: value for name, value in params.items() if name == "ordering"}
    resolved = lists.resolve(definition, user, params)
    if resolved.errors:
        raise jobs.JobFailed(" ".join(resolved.errors))
    rows = resolved.queryset
    if ids:
        rows = rows.filter(pk__in=ids)
    ordering = rows.query.order_by or (definition.ordering,)
    keys = rows.order_by(*ordering, "pk").values_list("pk", flat=True)
    yield from keys.iterator(chunk_size=10_000)


def _spool_rows(export: Export, state: dict[str, Any], run: jobs.JobRun) -> dict[str, Any]:
    """Append the rows page by page; each page's length is committed with the checkpoint."""
    definition = lists.get(export.record)
    part, parts = _own(export, run, "spool"), list(state["parts"])
    with (folder() / state["keys"]).open("rb") as wanted, _new(part) as out:
        wanted.seek(state["done"] * array(_KEY).itemsize)
        while True:
            run.check_cancelled()
            page = array(_KEY)
            page.frombytes(wanted.read(PAGE * page.itemsize))
            if not page:
                return state
            user = _still_allowed(export)
            found = {row.pk: row for row in definition.base(user).filter(pk__in=list(page))}
            rows = [found[pk] for pk in page if pk in found]
            columns = _columns(export, user, rows)
            for row in rows:
                line = json.dumps([packed(column.plain(row)) for column in columns])
                out.write(line.encode() + b"\n")
            out.flush()
            state = {
                **state,
                "done": state["done"] + len(page),
                "rows": state["rows"] + len(rows),
                "parts": [*parts, [part.name, out.tell()]],
            }
            with transaction.atomic():
                run.commit_chunk(checkpoint=state, done=state["done"], total=state["total"], unit="rows")


def _columns(export: Export, user: User, rows: Sequence[Any]) -> list[lists.Column]:
    """Return the columns asked for, in order.

    Raises JobFailed where one is gone or not for this user any more.
    """
    found = {column.key: column for column in lists.get(export.record).exportable(user, rows)}
    if missing := [key for key in export.columns if key not in found]:
        raise jobs.JobFailed(f"It stopped: the column {missing[0]} is no longer there for you. Export again.")
    return [found[key] for key in export.columns]


def _finish(export: Export, user: User, state: dict[str, Any], run: jobs.JobRun) -> dict[str, Any]:
    """Turn the spool into the file, put it in its place at once, and tell the owner."""
    path, definition = export_path(export), lists.get(export.record)
    heads = [column.label for column in _columns(export, user, [])]
    target, rows = _own(export, run, "part"), int(state["rows"])
    _new(target).close()
    WRITERS[export.format](Spool([(folder() / name, size) for name, size in state["parts"]]), target, heads, run)
    size = target.stat().st_size
    target.replace(path)
    with transaction.atomic():
        Export.objects.filter(pk=export.pk).update(rows=rows, size=size, finished_at=timezone.now())
        unit = definition.unit if rows == 1 else definition.unit_plural
        notify(
            user, "export", f"export:{export.pk}", f"Your export of {rows:,} {unit} is ready",
            text="It can be downloaded for 24 hours.", url=reverse("exports:list"),
        )  # fmt: skip
        run.commit_chunk(done=state["total"])
    for rest in folder().glob(f"{path.stem}-*"):
        remove(rest)
    return {"rows": rows, "bytes": size}
