"""The page on which rejected rows are put right and imported again."""

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from ..imports import fixing, uploads
from ..models import ImportState
from .imports import own_import, user_of


@login_required
@require_http_methods(["GET", "POST"])
def import_fix(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Show the rejected rows to be changed; POST imports those that were changed."""
    record = own_import(request, public_id)
    if record.state in (ImportState.UPLOADED, ImportState.RUNNING) or not record.rows_invalid:
        return redirect("accounts:import_detail", record.public_id)
    typed = {name: text for name, text in request.POST.items() if name[:1].isdigit() and isinstance(text, str)}
    if request.method == "POST":
        rows = fixing.changed_rows(record, typed)
        if not rows:
            messages.warning(request, "No row was changed. Change the cells that are marked, then import again.")
        else:
            try:
                again = fixing.import_again(record, rows, user_of(request))
            except uploads.NoRoom:
                messages.error(request, "The server's disk is nearly full; nothing was kept. Tell an administrator.")
            else:
                return redirect("accounts:import_detail", again.public_id)
    rows_shown = fixing.rejected_rows(record, typed)
    context = {"record": record, "rows": rows_shown, "more": record.rows_invalid > len(rows_shown)}
    return render(request, "accounts/import_fix.html", context)
