"""Pages of exports: ask for one, see one's own, download."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from .. import exports
from ..access import AnyUser, can
from ..exports.downloads import download, is_over, is_ready
from ..models import Export, User
from .bulk import chosen_ids, known_list, way_back

PAGE_SIZE = 50


def _demand_export(user: AnyUser) -> None:
    if not can(user, "records.export"):
        raise PermissionDenied("Your role does not export records.")


@login_required
@require_GET
def export_list(request: HttpRequest) -> HttpResponse:
    """Show the user's own exports, newest first."""
    _demand_export(request.user)
    page = Paginator(exports.exports_of(request.user), PAGE_SIZE).get_page(request.GET.get("page"))
    now = timezone.now()
    rows = [{"export": export, "is_ready": is_ready(export), "is_over": is_over(export, now)} for export in page]
    context = {"page": page, "rows": rows, "most": exports.EXPORTS_AN_HOUR}
    return render(request, "exports/export_list.html", context)


@login_required
@require_POST
def export_new(request: HttpRequest) -> HttpResponse:
    """Queue a file of what a list shows, or of the ticked rows."""
    user, record = request.user, request.POST.get("record", "")
    known_list(record)
    _demand_export(user)
    assert isinstance(user, User)
    everything = request.POST.get("all") == "1"
    try:
        exports.request_export(
            user,
            record,
            request.POST.get("format", Export.Format.CSV),
            params=QueryDict(request.POST.get("query", "")),
            ids=[] if everything else chosen_ids(request.POST),
        )
    except exports.TooManyExports as error:
        return render(request, "exports/too_many.html", {"text": str(error)}, status=429)
    except exports.ExportRefused as error:
        messages.error(request, str(error))
        return redirect(way_back(request, record))
    messages.success(request, "The file is being written. You hear of it when it is ready; it stays for 24 hours.")
    return redirect("exports:list")


@login_required
@require_GET
def export_download(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Send the file to its owner; 404 for everybody else, and where it is over or not written yet."""
    export = get_object_or_404(exports.exports_of(request.user), pk=pk)
    _demand_export(request.user)
    return download(export)
