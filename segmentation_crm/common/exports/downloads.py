"""Sending an export's file."""

import datetime as dt

from django.http import FileResponse, Http404
from django.utils import timezone

from ..models import Export
from .requests import export_path, file_name


def download(export: Export) -> FileResponse:
    """Return the file as an attachment that no cache keeps. Raises Http404 where there is none."""
    if not is_ready(export) or is_over(export, timezone.now()):
        raise Http404
    try:
        file = export_path(export).open("rb")
    except OSError:
        raise Http404 from None
    kind = "text/csv; charset=utf-8"
    if export.format == Export.Format.XLSX:
        kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    response = FileResponse(file, as_attachment=True, filename=file_name(export), content_type=kind)
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response


def is_ready(export: Export) -> bool:
    """Tell whether the file is written and not yet taken away (0 queries)."""
    return export.finished_at is not None and bool(export.path)


def is_over(export: Export, now: dt.datetime) -> bool:
    """Tell whether the file's day is over (0 queries)."""
    return not export.path or (export.expires_at is not None and export.expires_at <= now)
