"""Asking for an export, finding one's own, and taking files away after a day."""

import time
import uuid
from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils import timezone

from .. import jobs, lists
from ..access import AnyUser, can
from ..models import Export, User
from ..services import audit
from .files import remove
from .limits import count_export

KEPT_HOURS = 24
LISTED_DAYS = 30
MOST_IDS = 10_000
_FOLDER = "exports"


class ExportRefused(Exception):
    """What was asked for cannot be exported; the message says why, for people."""


def folder() -> Path:
    """Return where files lie: outside of everything that is served."""
    return Path(settings.MEDIA_ROOT) / _FOLDER


def export_path(export: Export) -> Path:
    """Return where the export's file lies, or will."""
    return folder() / export.path


def exports_of(user: AnyUser) -> QuerySet[Export]:
    """Return the user's own exports, newest first; nobody sees those of others, admins neither."""
    if not isinstance(user, User) or not user.is_active:
        return Export.objects.none()
    return Export.objects.filter(user=user).select_related("job")


def request_export(
    user: User,
    record: str,
    format: str,
    *,
    params: QueryDict | Mapping[str, Any] | None = None,
    ids: Iterable[int] = (),
) -> Export:
    """Queue a file of what a list shows: its columns in order, filters, rule and sort, or only the rows of `ids`.

    Counted against 10 an hour and audited. Raises PermissionDenied, ExportRefused, TooManyExports or
    lists.UnknownList.
    """
    if not can(user, "records.export"):
        raise PermissionDenied("Your role does not export records.")
    if format not in Export.Format.values:
        raise ExportRefused(f"format must be one of: {', '.join(Export.Format.values)}.")
    definition = lists.get(record)
    resolved = lists.resolve(definition, user, params or {})
    if resolved.errors:
        raise ExportRefused(" ".join(resolved.errors))
    chosen = sorted(set(ids))
    if len(chosen) > MOST_IDS:
        raise ExportRefused(f"At most {MOST_IDS:,} ticked records; choose all of the list instead.")
    wanted = lists.keys_wanted(record, user, resolved.params)
    columns = lists.chosen(definition.exportable(user), wanted)
    count_export(user)
    with transaction.atomic():
        export = Export.objects.create(
            user=user,
            record=record,
            title=definition.label[:200],
            format=format,
            query={"params": dict(resolved.params.lists()), "ids": chosen},
            columns=[column.key for column in columns],
            path=f"{uuid.uuid4().hex}.{format}",
            expires_at=timezone.now() + timedelta(hours=KEPT_HOURS),
        )
        export.job = jobs.enqueue(
            "export.write", key=f"export:{export.pk}", payload={"export": export.pk},
            title=f"Export of {definition.unit_plural} ({export.get_format_display()})", user=user,
        )  # fmt: skip
        export.save(update_fields=["job"])
        audit.record(
            user, "export.requested", export, record=record, format=format, columns=export.columns,
            query=resolved.query[:1000], chosen=len(chosen),
        )  # fmt: skip
    return export


def file_name(export: Export) -> str:
    """Return the name under which the file is saved: what, when, without anything a path could be."""
    kept = "".join(char for char in export.title if char.isprintable() and char not in '\\/:*?"<>|').strip()
    return f"{kept or export.record} {timezone.localtime(export.created_at):%Y-%m-%d %H%M}.{export.format}"


def sweep_exports() -> int:
    """Delete files that are over, and rows after 30 days; returns how many files went."""
    now, gone = timezone.now(), 0
    for export in Export.objects.filter(expires_at__lte=now).exclude(path=""):
        export_path(export).unlink(missing_ok=True)
        gone += 1
        Export.objects.filter(pk=export.pk).update(path="")
    Export.objects.filter(created_at__lt=now - timedelta(days=LISTED_DAYS), path="").delete()
    return gone + _sweep_leftovers()


def _sweep_leftovers() -> int:
    """Delete files that no row names: of users who are gone, of runs that were broken off."""
    if not folder().exists():
        return 0
    named = {Path(path).stem for path in Export.objects.exclude(path="").values_list("path", flat=True)}
    oldest, gone = time.time() - KEPT_HOURS * 3600, 0
    for file in folder().iterdir():
        if file.name.split(".")[0].split("-")[0] not in named and file.stat().st_mtime < oldest:
            remove(file)
            gone += 1
    return gone
