"""Settings of catalogues (products, technologies, vendors, personas): list, add, change, merge, delete."""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from segmentation_crm.common.folding import fold
from segmentation_crm.common.paging import keyset_page
from segmentation_crm.common.settings_area import carry_out, cell, settings_page, settings_view

from ..choices import CatalogueKind
from ..forms.settings import ENTRY_FORMS, ENTRY_LABELS, EntryForm, MergeForm, entry_model
from ..models import CatalogueAlias
from ..services.catalogue import add_entry, delete_entry, merge_entries, rename_entry
from ..services.uses import uses_of
from .settings_vocabularies import merge_context

CAPABILITY = "vocabularies.write"


def _kind(kind: str) -> tuple[str, str]:
    """Return what one and several of the kind are called, or 404."""
    if kind not in ENTRY_FORMS:
        raise Http404("no such catalogue")
    return ENTRY_LABELS[CatalogueKind(kind)]


def _list_url(kind: str) -> str:
    return reverse("accounts:settings_catalogue", args=[kind])


@settings_view(CAPABILITY)
@require_GET
def catalogues(request: HttpRequest) -> HttpResponse:
    """Lead to the first catalogue."""
    return redirect(_list_url(CatalogueKind.PRODUCT))


@settings_view(CAPABILITY)
@require_GET
def catalogue(request: HttpRequest, kind: str) -> HttpResponse:
    """List one catalogue by name, a page at a time (1 or 2 queries)."""
    one, many = _kind(kind)
    search = request.GET.get("q", "")[:100].replace("\x00", "")
    rows = entry_model(kind)._default_manager.order_by("name_folded", "pk")
    if kind == CatalogueKind.TECHNOLOGY_PRODUCT:
        rows = rows.select_related("vendor", "category")
    elif kind == CatalogueKind.PRODUCT:
        rows = rows.select_related("category")
    if search:
        aliased = CatalogueAlias.objects.filter(kind=kind, text_folded__contains=fold(search)).values("record_id")
        rows = rows.filter(Q(name_folded__contains=fold(search)) | Q(pk__in=aliased))
    page = keyset_page(request, rows, 100)
    heads, cells = _COLUMNS[kind]
    context = {
        "title": many,
        "intro": "A renamed or merged entry is still found by its old name.",
        "tabs": [
            {"label": ENTRY_LABELS[CatalogueKind(other)][1], "url": _list_url(other), "active": other == kind}
            for other in ENTRY_FORMS
        ],
        "new_url": reverse("accounts:settings_entry_new", args=[kind]),
        "new_label": f"New {one}",
        "search": search,
        "search_label": "Name or other spelling",
        "heads": [one.capitalize(), *heads],
        "rows": [
            [
                cell(row.name, url=reverse("accounts:settings_entry", args=[kind, row.pk])),
                *[{**one_cell, "label": head} for head, one_cell in zip(heads, cells(row), strict=True)],
            ]
            for row in page.rows
        ],
        "page": page,
        "unit": one,
        "units": many.lower(),
        "empty_icon": "cpu",
        "empty_title": f"No {many.lower()} yet",
        "empty_text": "Add one here, or import a file: imports add what they find.",
    }
    return settings_page(request, "settings/list.html", context)


def _flags(row: Any, **words: str) -> Any:
    return cell(", ".join(word for name, word in words.items() if getattr(row, name)))


_COLUMNS: dict[str, tuple[list[str], Any]] = {
    CatalogueKind.PRODUCT: (
        ["SKU", "Category", "List price", "State"],
        lambda row: [
            cell(row.sku),
            cell(str(row.category or "")),
            cell(row.list_price, "money", currency=row.list_price_currency),
            cell("On sale" if row.is_active else "Not sold"),
        ],
    ),
    CatalogueKind.TECHNOLOGY_PRODUCT: (
        ["Vendor", "Category", "Marks"],
        lambda row: [
            cell(str(row.vendor or "")),
            cell(str(row.category or "")),
            _flags(row, is_cloud_provider="cloud", is_competitor="competitor", is_integration_partner="partner"),
        ],
    ),
    CatalogueKind.VENDOR: (["Marks"], lambda row: [_flags(row, is_competitor="competitor")]),
    CatalogueKind.PERSONA: (["Buying role"], lambda row: [cell(row.get_role_display())]),
}


@settings_view(CAPABILITY)
@require_http_methods(["GET", "POST"])
def entry_edit(request: HttpRequest, kind: str, pk: int | None = None) -> HttpResponse:
    """Add or change an entry; a new name leaves the old one as a spelling."""
    one, many = _kind(kind)
    entry = get_object_or_404(entry_model(kind), pk=pk) if pk is not None else None
    form = ENTRY_FORMS[kind](request.POST or None, instance=entry)
    if request.method == "POST" and form.is_valid() and carry_out(form, lambda: _save(kind, entry, form)):
        messages.success(request, f"“{form.cleaned_data['name']}” is saved.")
        return redirect(_list_url(kind))
    acts = []
    if pk is not None:
        acts = [
            {"url": reverse("accounts:settings_entry_merge", args=[kind, pk]), "label": "Merge into another"},
            {"url": reverse("accounts:settings_entry_delete", args=[kind, pk]), "label": "Delete"},
        ]
    context = {
        "title": entry.name if entry else f"New {one}",
        "form": form,
        "back_url": _list_url(kind),
        "back_label": many,
        "acts": acts,
    }
    return settings_page(request, "settings/form.html", context)


def _save(kind: str, entry: Any, form: EntryForm) -> None:
    values, name = form.values(), form.cleaned_data["name"]
    if entry is None:
        add_entry(kind, name, **values)
        return
    fresh = type(entry)._default_manager.get(pk=entry.pk)
    for column, value in values.items():
        setattr(fresh, column, value)
    fresh.full_clean()
    fresh.save()
    if name != fresh.name:
        rename_entry(kind, fresh, name)


@settings_view(CAPABILITY)
@require_http_methods(["GET", "POST"])
def entry_merge(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    """Ask into which entry this one goes, show what that touches, then merge."""
    _kind(kind)
    entry = get_object_or_404(entry_model(kind), pk=pk)
    others = entry_model(kind)._default_manager.exclude(pk=pk).order_by("name_folded")
    form = MergeForm(request.POST or request.GET or None, rows=others, kind=f"entry-{kind}")
    into = form.cleaned_data["into"] if form.is_bound and form.is_valid() else None
    if request.method == "POST" and into is not None:
        moved: list[int] = []
        if carry_out(form, lambda: moved.append(merge_entries(kind, entry, into, request.user))):
            messages.success(request, f"“{entry.name}” is now “{into.name}”; {moved[0]:,} references moved.")
            return redirect("accounts:settings_entry", kind, into.pk)
    context = merge_context(entry, into, form, reverse("accounts:settings_entry", args=[kind, pk]))
    return settings_page(request, "settings/merge.html", context)


@settings_view(CAPABILITY)
@require_http_methods(["GET", "POST"])
def entry_delete(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    """Delete an entry that nothing uses; say what uses it otherwise."""
    _kind(kind)
    entry = get_object_or_404(entry_model(kind), pk=pk)
    uses = uses_of(entry)
    if request.method == "POST" and not uses:
        with transaction.atomic():
            delete_entry(kind, entry)
        messages.success(request, f"“{entry.name}” is deleted.")
        return redirect(_list_url(kind))
    context = {
        "title": f"Delete “{entry.name}”",
        "name": entry.name,
        "uses": uses,
        "advice": "Merge it into another: whatever uses it moves along.",
        "text": f"Nothing uses “{entry.name}”. It is deleted with its other spellings, for good.",
        "back_url": reverse("accounts:settings_entry", args=[kind, pk]),
        "back_label": entry.name,
        "other_acts": [
            {"url": reverse("accounts:settings_entry_merge", args=[kind, pk]), "label": "Merge into another"}
        ],
    }
    return settings_page(request, "settings/remove.html", context)
