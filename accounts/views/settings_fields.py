"""Settings of custom fields: list, define, change, retire, bring back, delete."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.text import slugify
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from segmentation_crm.common.settings_area import carry_out, cell, settings_page, settings_view

from ..choices import CustomFieldType, MemberRecord
from ..forms.settings import CustomFieldForm
from ..models import CustomField
from ..queries import custom_fields_visible_to
from ..services.custom_fields import (
    change_custom_field,
    create_custom_field,
    delete_custom_field,
    restore_custom_field,
    retire_custom_field,
)
from ..services.uses import uses_of_field

CAPABILITY = "vocabularies.write"
WITH_CHOICES = (CustomFieldType.ENUM, CustomFieldType.MULTI)


@settings_view(CAPABILITY)
@require_GET
def field_list(request: HttpRequest) -> HttpResponse:
    """List the custom fields of one kind of record (1 query)."""
    record = request.GET.get("on", "")
    record = record if record in MemberRecord.values else str(MemberRecord.ACCOUNT)
    fields = custom_fields_visible_to(request.user).filter(record=record).order_by("-is_active", "position", "key")
    address = reverse("accounts:settings_fields")
    context = {
        "title": "Custom fields",
        "intro": "Fields of your own. A new one is at once in forms, lists, imports, the API and rules.",
        "tabs": [
            {"label": f"{label}s" if not label.endswith("y") else f"{label[:-1]}ies", "url": f"{address}?on={value}",
             "active": value == record}
            for value, label in MemberRecord.choices
        ],
        "new_url": f"{reverse('accounts:settings_field_new')}?on={record}",
        "new_label": "New field",
        "search": None,
        "heads": ["Field", "Type", "Key in rules", "State"],
        "rows": [
            [
                cell(field.label, url=reverse("accounts:settings_field", args=[field.pk])),
                cell(field.get_type_display(), label="Type"),
                cell(f"{field.record}.custom.{field.key}", label="Key in rules"),
                cell("In use" if field.is_active else "Retired", label="State"),
            ]
            for field in fields
        ],
        "empty_icon": "forms",
        "empty_title": "No fields of your own yet",
        "empty_text": "Add what your business asks of a record and the product does not know yet.",
    }  # fmt: skip
    return settings_page(request, "settings/list.html", context)


@settings_view(CAPABILITY)
@require_http_methods(["GET", "POST"])
def field_edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Define a field, or change its label, choices and help."""
    field = get_object_or_404(custom_fields_visible_to(request.user), pk=pk) if pk is not None else None
    initial = {} if field else {"record": request.GET.get("on", "account")}
    form = CustomFieldForm(request.POST or None, field=field, initial=initial)
    if request.method == "POST" and form.is_valid() and carry_out(form, lambda: _save(field, form)):
        messages.success(request, f"“{form.cleaned_data['label']}” is saved: forms, lists and rules have it now.")
        return redirect(f"{reverse('accounts:settings_fields')}?on={form.cleaned_data['record']}")
    acts = []
    if field is not None:
        state = "accounts:settings_field_retire" if field.is_active else "accounts:settings_field_restore"
        label = "Retire" if field.is_active else "Use again"
        acts = [
            {"url": reverse(state, args=[pk]), "label": label, "post": True},
            {"url": reverse("accounts:settings_field_delete", args=[pk]), "label": "Delete"},
        ]
    context = {
        "title": field.label if field else "New field",
        "intro": "Retired: not in forms and rules; its values stay." if field and not field.is_active else "",
        "form": form,
        "back_url": reverse("accounts:settings_fields"),
        "back_label": "Custom fields",
        "acts": acts,
    }
    return settings_page(request, "settings/form.html", context)


def _save(field: CustomField | None, form: CustomFieldForm) -> None:
    data = form.cleaned_data
    if field is None:
        key = data["key"] or _free_key(data["record"], data["label"])
        create_custom_field(
            data["record"], key, data["label"], data["type"], choices=data["choices"], help_text=data["help"]
        )
        return
    fresh = CustomField.objects.select_for_update().get(pk=field.pk)
    choices = data["choices"] if fresh.type in WITH_CHOICES else None
    change_custom_field(fresh, label=data["label"], choices=choices, help_text=data["help"])


def _free_key(record: str, label: str) -> str:
    """Return a key made from the label that the record has not yet."""
    stem = slugify(label).replace("-", "_").lstrip("0123456789_")[:34].rstrip("_") or "field"
    key, number = stem, 1
    while CustomField.objects.filter(record=record, key=key).exists():
        number += 1
        key = f"{stem}_{number}"
    return key


@require_POST
@settings_view(CAPABILITY)
def field_retire(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a field out of forms and rules; its values stay."""
    field = get_object_or_404(custom_fields_visible_to(request.user), pk=pk)
    retire_custom_field(field)
    messages.success(request, f"“{field.label}” is retired. Its values stay and come back with it.")
    for use in uses_of_field(field):
        if use.count is None:
            messages.warning(request, f"{use.label} names it in a rule and will say so when it is computed next.")
    return redirect("accounts:settings_field", pk)


@require_POST
@settings_view(CAPABILITY)
def field_restore(request: HttpRequest, pk: int) -> HttpResponse:
    """Bring a retired field back."""
    field = get_object_or_404(custom_fields_visible_to(request.user), pk=pk)
    restore_custom_field(field)
    messages.success(request, f"“{field.label}” is in forms and rules again.")
    return redirect("accounts:settings_field", pk)


@settings_view(CAPABILITY)
@require_http_methods(["GET", "POST"])
def field_delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete a field that nothing uses; say what uses it otherwise."""
    field = get_object_or_404(custom_fields_visible_to(request.user), pk=pk)
    uses = uses_of_field(field)
    if request.method == "POST" and not uses:
        delete_custom_field(field)
        messages.success(request, f"“{field.label}” is deleted.")
        return redirect(f"{reverse('accounts:settings_fields')}?on={field.record}")
    context = {
        "title": f"Delete “{field.label}”",
        "name": field.label,
        "uses": uses,
        "advice": "Retire it instead: it leaves forms and lists, and its values stay. Rules that name it must change "
        "first, else their segments say that they are broken.",
        "text": f"No record holds a value of “{field.label}” and no rule names it. It is deleted for good.",
        "back_url": reverse("accounts:settings_field", args=[pk]),
        "back_label": field.label,
    }
    return settings_page(request, "settings/remove.html", context)
