"""Pages of imports: list, upload, map columns, preview, run, result, rejected rows."""

import csv
import uuid
from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from segmentation_crm.common import jobs
from segmentation_crm.common.access import can
from segmentation_crm.common.models import Job, User

from ..forms.imports import ReadingForm, UploadForm, column_rows, initial_of
from ..imports import uploads
from ..imports.error_file import error_rows
from ..imports.mapping import remembered
from ..imports.options import ImportOptions
from ..imports.previews import preview_rows, warning_words
from ..imports.problems import FileRefused
from ..imports.reader import open_table
from ..imports.types import IMPORT_TYPES
from ..models import Import, ImportState
from ..queries.imports import imports_visible_to
from ..services.import_undo import can_be_undone, changes_of_import, left_by_undo
from .change_words import ChangeWords, names_of

_LISTED = 100
_FINDINGS = 200
_LEFT = 100
_LISTS = {
    "accounts": "accounts:account_list",
    "contacts": "accounts:contact_list",
    "opportunities": "accounts:opportunity_list",
    "activities": "accounts:activity_list",
    "users": "user_list",
}


def _demand_import(request: HttpRequest) -> None:
    if not can(request.user, "records.import"):
        raise PermissionDenied("Your role may not import files. An administrator can change your role.")


def own_import(request: HttpRequest, public_id: uuid.UUID) -> Import:
    """Return the user's import, or 404: another's is like one that is not there."""
    _demand_import(request)
    return get_object_or_404(imports_visible_to(request.user).select_related("job"), public_id=public_id)


def user_of(request: HttpRequest) -> User:
    """Return who is logged in; `login_required` stands before every page here."""
    assert isinstance(request.user, User)
    return request.user


def _types(request: HttpRequest) -> list[str]:
    return [key for key, type_ in IMPORT_TYPES.items() if can(request.user, type_.capability)]


@login_required
@require_GET
def import_list(request: HttpRequest) -> HttpResponse:
    """List the imports, latest first."""
    _demand_import(request)
    found = list(imports_visible_to(request.user).select_related("job", "created_by")[:_LISTED])
    rows = [{"record": uploads.follow_job(record), "label": _label(record)} for record in found]
    return render(request, "accounts/import_list.html", {"rows": rows, "limit": _LISTED})


@login_required
@require_http_methods(["GET", "POST"])
def import_new(request: HttpRequest) -> HttpResponse:
    """Upload a file; 413 where it is too large, 507 where the disk is nearly full."""
    _demand_import(request)
    data, files = (request.POST, request.FILES) if request.method == "POST" else (None, None)
    form = UploadForm(data, files, types=_types(request), initial={"type": request.GET.get("type", "accounts")})
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            options = ImportOptions(type=form.cleaned_data["type"], source=form.cleaned_data["source"])
            try:
                record = uploads.store_upload(form.cleaned_data["file"], options, user_of(request))
            except FileRefused as refused:
                form.add_error("file", refused.message)
                status = 413
            except uploads.NoRoom:
                form.add_error("file", "The server's disk is nearly full; nothing was kept. Tell an administrator.")
                status = 507
            else:
                return redirect("accounts:import_map", record.public_id)
    return render(request, "accounts/import_new.html", {"form": form}, status=status)


@login_required
@require_http_methods(["GET", "POST"])
def import_map(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Map columns to fields: guessed, then as the user says; on to the preview."""
    record = own_import(request, public_id)
    if record.state != ImportState.UPLOADED:
        return redirect("accounts:import_detail", record.public_id)
    options = ImportOptions.from_json(record.options)
    form = ReadingForm(request.POST or None, initial=initial_of(options))
    problem = ""
    if request.method == "POST" and form.is_valid():
        headings = request.POST.getlist("heading")
        wanted = dict(zip(headings, request.POST.getlist("target"), strict=False)) if headings else None
        options = form.options(options, wanted)
        uploads.change_options(record, options)
        if "again" not in request.POST:
            return redirect("accounts:import_preview", record.public_id)
        form = ReadingForm(initial=initial_of(options))
    elif request.method == "GET" and not options.map and options.guess:
        options = _with_remembered(record, options, request)
    offered = uploads.offered_targets(record, user_of(request))
    columns: list[dict[str, Any]] = []
    plan = None
    try:
        plan = uploads.read_plan(record, options, user_of(request))
        columns = column_rows(plan, offered)
    except FileRefused as refused:
        problem = refused.message
    context = {
        "record": record,
        "label": _label(record),
        "form": form,
        "columns": columns,
        "plan": plan,
        "problem": problem,
    }
    return render(request, "accounts/import_map.html", context, status=400 if problem else 200)


def _with_remembered(record: Import, options: ImportOptions, request: HttpRequest) -> ImportOptions:
    """Take the mapping that the user chose for such a file before."""
    try:
        headings = open_table(uploads.upload_path(record), record.file_name).headings()
    except FileRefused:
        return options
    earlier = remembered(request.user.pk, record.type, headings)
    if not earlier:
        return options
    options = ImportOptions(**{**options.as_json(), "map": earlier, "nulls": options.nulls})
    uploads.change_options(record, options)
    return options


@login_required
@require_http_methods(["GET", "POST"])
def import_preview(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Show the first rows as they would be; POST starts the import."""
    record = own_import(request, public_id)
    if record.state != ImportState.UPLOADED:
        return redirect("accounts:import_detail", record.public_id)
    if request.method == "POST":
        uploads.start_upload(record, user_of(request))
        return redirect("accounts:import_detail", record.public_id)
    try:
        result = uploads.preview(record, user_of(request))
    except FileRefused as refused:
        messages.error(request, refused.message)
        return redirect("accounts:import_map", record.public_id)
    context = {
        "record": record,
        "label": _label(record),
        "result": result,
        "key": " + ".join(part.replace("_", " ") for part in result.plan.key),
        **preview_rows(result),
    }
    return render(request, "accounts/import_preview.html", context)


@login_required
@require_GET
def import_detail(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Show progress, then the result: counts, warnings, rejected rows."""
    record = uploads.follow_job(own_import(request, public_id))
    if record.state == ImportState.UPLOADED:
        return redirect("accounts:import_map", record.public_id)
    rejected = record.rows.filter(is_rejected=True)
    undo_job = Job.objects.filter(kind="import.undo", key=f"import-undo:{record.pk}").order_by("-id").first()
    left = list(left_by_undo(record)[:_LEFT]) if undo_job is not None and not undo_job.is_active else []
    context = {
        "undo_job": undo_job,
        "can_undo": undo_job is None and can_be_undone(record) and changes_of_import(record).exists(),
        "left": _left(request, left),
        "record": record,
        "label": _label(record),
        "rejected": rejected[:_FINDINGS],
        "warned": record.rows.filter(is_rejected=False)[:_FINDINGS],
        "shown": _FINDINGS,
        "mapping": [(column, target) for column, target in record.mapping.items() if target],
        "is_running": record.state == ImportState.RUNNING,
        "warnings": [(warning_words(code), count) for code, count in record.warnings.items()],
        "records_url": reverse(_LISTS[record.type]) if record.type in _LISTS else "",
        "again_url": f"{reverse('accounts:import_new')}?type={record.type}",
    }
    return render(request, "accounts/import_detail.html", context)


def _left(request: HttpRequest, rows: list[Any]) -> list[dict[str, Any]]:
    """Return what an undo left, with the records' names and addresses."""
    names = names_of(request.user, rows)
    found = []
    for entry in ChangeWords(request.user, rows).entries():
        row = entry["row"]
        name = names.get((row.record_type, row.record_id), "")
        url = reverse(f"accounts:{row.record_type}_changes", args=[row.record_id]) if name else ""
        found.append({**entry, "name": name or "no longer kept, or not visible to you", "url": url})
    return found


@login_required
@require_POST
def import_undo(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Queue the undo of an import; a second click finds it queued."""
    record = own_import(request, public_id)
    if not can_be_undone(record):
        messages.error(request, "Only an import that has ended can be undone.")
    else:
        jobs.enqueue(
            "import.undo",
            key=f"import-undo:{record.pk}",
            payload={"import": record.pk, "user": request.user.pk},
            title=f"Undo the import of {record.file_name}",
            user=user_of(request),
        )
        messages.success(request, "The import is being undone. What was touched since stays and is listed here.")
    return redirect("accounts:import_detail", record.public_id)


@login_required
@require_GET
def import_state(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Answer the page that waits: nothing while the import runs, then a reload."""
    record = uploads.follow_job(own_import(request, public_id))
    undoing = Job.objects.filter(kind="import.undo", key=f"import-undo:{record.pk}").order_by("-id").first()
    if record.state == ImportState.RUNNING or (undoing is not None and undoing.is_active):
        return HttpResponse(status=204)
    return HttpResponse(headers={"HX-Refresh": "true"})


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        """Return the text."""
        return text


@login_required
@require_GET
def import_errors(request: HttpRequest, public_id: uuid.UUID) -> StreamingHttpResponse:
    """Download the rejected rows with their reasons as CSV."""
    record = own_import(request, public_id)
    writer: Any = csv.writer(_Echo())

    def lines() -> Iterator[str]:
        yield "\ufeff"
        for row in error_rows(record):
            yield writer.writerow(row)

    response = StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8")
    stem = record.file_name.rsplit(".", 1)[0]
    response["Content-Disposition"] = content_disposition_header(True, f"{stem} - rejected rows.csv") or "attachment"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "no-store"
    return response


@login_required
@require_POST
def import_discard(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Throw away an upload that has not been run, with its file."""
    record = own_import(request, public_id)
    if record.state == ImportState.UPLOADED:
        uploads.discard(record)
        messages.success(request, f"{record.file_name} was thrown away; nothing was imported.")
    return redirect("accounts:import_list")


def _label(record: Import) -> str:
    found = IMPORT_TYPES.get(record.type)
    return found.label if found else record.type
