"""Files on records: upload, download, take away, bring back. They are served by this view only."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from segmentation_crm.common.access import can

from ..models import Attachment
from ..queries.attachments import attachments_visible_to, taken_away_visible_to
from ..services import files
from .pages import demand_write, one
from .records import back_to, page_of, record_or_404

# A multipart body is a little larger than the file in it.
_BODY_SLACK = 64 * 1024
TAB = "tab=files"


def files_context(request: HttpRequest, record: Any) -> dict[str, Any]:
    """Return what _files.html needs (2 queries)."""
    owner = {record._meta.model_name: record}
    rows = attachments_visible_to(request.user).filter(**owner).select_related("uploaded_by")
    gone = taken_away_visible_to(request.user).filter(**owner).select_related("uploaded_by")
    return {
        "files": [{"row": row, "may_remove": may_remove(request, row)} for row in rows[:200]],
        "gone_files": [row for row in gone[:50] if may_remove(request, row)],
        "limit_mb": settings.ATTACHMENT_MAX_BYTES // 2**20,
        "kept_days": files.KEPT_DAYS,
    }


def may_remove(request: HttpRequest, row: Attachment) -> bool:
    """Tell whether the user may take the file away: who uploaded it, and whoever may delete records."""
    own = row.uploaded_by_id == request.user.pk and can(request.user, "records.write")
    return own or can(request.user, "records.delete")


@login_required
@require_POST
def file_upload(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """Keep a file on a record; 413 where it is too large, 507 where the disk is nearly full."""
    demand_write(request)
    record = record_or_404(request, kind, pk)
    if int(request.META.get("CONTENT_LENGTH") or 0) > settings.ATTACHMENT_MAX_BYTES + _BODY_SLACK:
        return _refused(request, record, files.too_large_words(), 413)
    upload = request.FILES.get("file")
    if upload is None:
        messages.error(request, "Choose a file first.")
        return back_to(record, TAB)
    try:
        kept = files.store_file(record, upload, request.user)
    except files.TooLarge as refused:
        return _refused(request, record, str(refused), 413)
    except files.NoRoom:
        words = "The server's disk is nearly full; nothing was kept. Tell an administrator."
        return _refused(request, record, words, 507)
    messages.success(request, f"{kept.name} is kept on {record}.")
    return back_to(record, TAB)


def _refused(request: HttpRequest, record: Any, words: str, status: int) -> HttpResponse:
    context = {"words": words, "back_url": page_of(record, TAB), "record": record}
    return render(request, "accounts/file_refused.html", context, status=status)


@login_required
@require_GET
def file_download(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Send a file as plain bytes to save, never to show: what it claims to be is not trusted."""
    row = one(attachments_visible_to(request.user), pk)
    path = files.attachment_path(row)
    try:
        content = path.open("rb")
    except OSError:
        raise Http404("The file is no longer on the server.") from None
    response = FileResponse(content, as_attachment=True, filename=row.name, content_type="application/octet-stream")
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cache-Control"] = "private, no-store"
    return response


@login_required
@require_POST
def file_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a file away; it can be brought back for 30 days."""
    demand_write(request)
    row = one(attachments_visible_to(request.user), pk)
    _demand_removal(request, row)
    files.take_away(row)
    messages.success(request, f"{row.name} is taken away. It stands below for {files.KEPT_DAYS} days to bring back.")
    return back_to(_record_of(request, row), TAB)


@login_required
@require_POST
def file_restore(request: HttpRequest, pk: int) -> HttpResponse:
    """Bring back a file that was taken away."""
    demand_write(request)
    row = one(taken_away_visible_to(request.user), pk)
    _demand_removal(request, row)
    files.bring_back(row)
    messages.success(request, f"{row.name} is back.")
    return back_to(_record_of(request, row), TAB)


def _demand_removal(request: HttpRequest, row: Attachment) -> None:
    if not may_remove(request, row):
        raise PermissionDenied("Only who uploaded a file, or a manager, may take it away.")


def _record_of(request: HttpRequest, row: Attachment) -> Any:
    if row.account_id:
        return record_or_404(request, "account", row.account_id)
    if row.contact_id:
        return record_or_404(request, "contact", row.contact_id)
    return record_or_404(request, "opportunity", row.opportunity_id or 0)
