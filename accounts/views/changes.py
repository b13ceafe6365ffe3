"""The log of changes on a record's page, and taking a change back."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from segmentation_crm.common.access import can
from segmentation_crm.common.keys import key_of
from segmentation_crm.common.paging import keyset_page

from ..models import RecordMerge
from ..queries.changes import changes_of, changes_visible_to, changing
from ..services.undoing import SINCE, VISIBLE, Undone, undo_change
from . import account_page, contact_page, opportunity_page
from .change_words import ChangeWords, field_label
from .pages import demand_write, one
from .related import related_context

PAGE = 30
_TABS = {"account": account_page.TABS, "contact": contact_page.TABS, "opportunity": opportunity_page.TABS}
_LISTS = {"account": "Accounts", "contact": "Contacts", "opportunity": "Opportunities"}


def changes_url(record_type: str, pk: int) -> str:
    """Return the address of a record's log of changes."""
    return reverse(f"accounts:{record_type}_changes", args=[pk])


@login_required
@require_GET
def record_changes(request: HttpRequest, record_type: str, pk: int) -> HttpResponse:
    """Show who changed what on a record, newest first; htmx gets the part alone."""
    record = one(VISIBLE[record_type](request.user), pk)
    rows = changes_of(record)
    people = sorted({(a, n) for a, n in rows.order_by().values_list("actor_id", "actor_name").distinct() if a},
                    key=lambda pair: pair[1])  # fmt: skip
    name, person = request.GET.get("field", ""), request.GET.get("person", "")
    if name:
        rows = changing(rows, name)
    if person == "system":
        rows = rows.filter(actor__isnull=True)
    elif (actor := key_of(person)) is not None:
        rows = rows.filter(actor_id=actor)
    page = keyset_page(request, rows, PAGE)
    entries = ChangeWords(request.user, page.rows, record).entries()
    _add_merges(entries, record)
    context: dict[str, Any] = {
        "record": record,
        "record_type": record_type,
        "entries": entries,
        "may_merge": can(request.user, "records.delete"),
        "page": page,
        "people": people,
        "fields": _fields(record_type),
        "chosen_field": name,
        "chosen_person": person,
        "can_write": can(request.user, "records.write"),
        "own_url": changes_url(record_type, pk),
    }
    if request.headers.get("HX-Request"):
        return render(request, "accounts/_changes.html", context)
    base = reverse(f"accounts:{record_type}_detail", args=[pk])
    tabs = related_context(request, record, _TABS[record_type], base).get("tabs", [])
    for tab in tabs:
        tab["active"] = tab["url"] == context["own_url"]
    context |= {
        "tabs": tabs,
        "back_url": base,
        "list_url": reverse(f"accounts:{record_type}_list"),
        "list_label": _LISTS[record_type],
    }
    return render(request, "accounts/record_changes.html", context)


def _add_merges(entries: list[dict[str, Any]], record: Any) -> None:
    """Give the entries of merges that can be taken back their merge (1 query where there are any)."""
    merged = [entry for entry in entries if entry["row"].action == "merged"]
    if not merged:
        return
    merges = RecordMerge.objects.filter(record_type=record._meta.model_name, kept_id=record.pk, undone_at__isnull=True)
    for merge in merges:
        # Row and merge are written in one transaction, a moment apart.
        nearest = min(merged, key=lambda entry: abs(entry["row"].at - merge.at))
        nearest["merge"] = merge.pk


def _fields(record_type: str) -> list[tuple[str, str]]:
    """Return the fields one can filter by, by label."""
    from ..services.changes import MODELS, logged_fields

    names = [field.name for field in logged_fields(MODELS[record_type])]
    return sorted(((name, field_label(record_type, name)) for name in [*names, "tags"]), key=lambda pair: pair[1])


@login_required
@require_POST
def change_undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Take one change back; what was changed since stays and is named."""
    change = get_object_or_404(changes_visible_to(request.user), pk=pk)
    demand_write(request)
    target = redirect(changes_url(change.record_type, change.record_id))
    try:
        done = undo_change(change, request.user)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return target
    words = ChangeWords(request.user, [change])
    tell_undone(request, words, change.record_type, done)
    return target


def tell_undone(request: HttpRequest, words: ChangeWords, record_type: str, done: Undone) -> None:
    """Say which fields are back and which were left, with the reason."""
    back = ", ".join(words.label(record_type, change["field"]) for change in done.restored)
    if back:
        messages.success(request, f"Undone: {back}.")
    since = [words.label(record_type, change["field"]) for change in done.left if change["reason"] == SINCE]
    if since:
        messages.warning(request, f"Left as they are, because they were changed since: {', '.join(since)}.")
    for change in done.left:
        if change["reason"] != SINCE:
            messages.warning(request, f"{words.label(record_type, change['field'])} stays: {change['reason']}.")
