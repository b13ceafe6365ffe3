"""Deleting records and bringing them back: what a deletion touches, the way back, what was deleted lately."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from segmentation_crm.common.access import can
from segmentation_crm.common.paging import keyset_page

from ..models import RecordChange
from ..queries.deleted import deleted_visible_to
from ..services.changes import MODELS
from ..services.deletion import delete_record, restore_record
from ..services.merge_rows import count_rows
from ..services.undoing import VISIBLE
from .pages import one

PAGE = 50
_NOUNS = {"account": "Accounts", "contact": "Contacts", "opportunity": "Opportunities"}


def demand_delete(request: HttpRequest) -> None:
    """Let only those pass who may delete records.

    Raises PermissionDenied with words.
    """
    if not can(request.user, "records.delete"):
        raise PermissionDenied("Your role does not delete, restore or merge records. A manager can.")


@login_required
@require_http_methods(["GET", "POST"])
def record_delete(request: HttpRequest, record_type: str, pk: int) -> HttpResponse:
    """GET: say what the deletion touches, as a dialog for htmx; POST: delete, with the way back in the note."""
    record = one(VISIBLE[record_type](request.user), pk)
    demand_delete(request)
    if request.method == "POST":
        delete_record(record, request.user)
        messages.success(request, f"{record} is deleted. Restore brings it back.")
        return redirect(f"{reverse('accounts:deleted_list')}?kind={record_type}")
    counts = [(words, number) for words, number in count_rows(record).items() if not words.endswith("values")]
    context = {
        "record": record,
        "counts": counts,
        "kind": record_type,
        "action_url": reverse(f"accounts:{record_type}_delete", args=[pk]),
        "back_url": reverse(f"accounts:{record_type}_detail", args=[pk]),
    }
    name = "_delete_dialog" if request.headers.get("HX-Request") else "record_delete"
    return render(request, f"accounts/{name}.html", context)


@login_required
@require_POST
def record_restore(request: HttpRequest, record_type: str, pk: int) -> HttpResponse:
    """Bring a deleted record back and lead to it."""
    if VISIBLE[record_type](request.user).filter(pk=pk).exists():
        demand_delete(request)
        # Somebody else was faster.
        return redirect(f"accounts:{record_type}_detail", pk)
    record = get_object_or_404(deleted_visible_to(request.user, MODELS[record_type]), pk=pk)
    demand_delete(request)
    try:
        restore_record(record, request.user)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect(f"{reverse('accounts:deleted_list')}?kind={record_type}")
    messages.success(request, f"{record} is back.")
    return redirect(f"accounts:{record_type}_detail", pk)


@login_required
@require_GET
def deleted_list(request: HttpRequest) -> HttpResponse:
    """Show what was deleted lately, newest first, with the way back."""
    demand_delete(request)
    kind = request.GET.get("kind", "account")
    kind = kind if kind in MODELS else "account"
    rows: QuerySet[Any] = deleted_visible_to(request.user, MODELS[kind]).order_by("-deleted_at", "-pk")
    page = keyset_page(request, rows, PAGE)
    log = RecordChange.objects.filter(
        record_type=kind, record_id__in=[row.pk for row in page.rows], action="deleted"
    ).order_by("id")
    who = {row.record_id: row.actor_name for row in log}
    url = reverse("accounts:deleted_list")
    context = {
        "kind": kind,
        "tabs": [{"label": v, "url": f"{url}?kind={k}", "active": k == kind, "count": None} for k, v in _NOUNS.items()],
        "page": page,
        "noun": _NOUNS[kind].lower(),
        "rows": [
            {"record": row, "who": who.get(row.pk, ""), "url": reverse(f"accounts:{kind}_restore", args=[row.pk])}
            for row in page.rows
        ],
    }
    return render(request, "accounts/deleted_list.html", context)
