"""The organisation's own fields in record forms: one control for each, by its type."""

from decimal import Decimal
from typing import Any

from django import forms

from ..models import CustomField
from .controls import MultiPicker, Picker

PREFIX = "custom_"
NUMBERS = frozenset({"integer", "decimal", "percent", "money"})


def custom_controls(record_type: str, instance: Any) -> tuple[dict[str, forms.Field], dict[str, Any]]:
    """Return the form fields of the active custom fields, and their values on the record (1 or 2 queries)."""
    definitions = CustomField.objects.filter(record=record_type, is_active=True).order_by("position", "key")
    fields = {f"{PREFIX}{definition.key}": _control(definition) for definition in definitions}
    initial: dict[str, Any] = {}
    if instance is not None and instance.pk and fields:
        for row in instance.custom_values.select_related("definition"):
            name = f"{PREFIX}{row.definition.key}"
            value = next((v for v in row.filled() if v is not None), None)
            if row.definition.type == "multi":
                initial.setdefault(name, []).append(row.text)
            elif row.definition.type in NUMBERS and value is not None:
                initial[name] = Decimal(str(value)).normalize() + 0
            else:
                initial[name] = value
    return fields, initial


def _control(definition: CustomField) -> forms.Field:
    shared: dict[str, Any] = {"label": definition.label, "required": False, "help_text": definition.help}
    choices = _choices(definition)
    field: forms.Field
    match definition.type:
        case "enum" if choices:
            field = forms.ChoiceField(choices=[("", ""), *choices], widget=Picker(), **shared)
        case "multi" if choices:
            field = forms.MultipleChoiceField(choices=choices, widget=MultiPicker(), **shared)
        case "integer":
            field = forms.IntegerField(min_value=-(10**17), max_value=10**17, **shared)
        case "decimal" | "percent" | "money":
            field = forms.DecimalField(max_digits=24, decimal_places=6, **shared)
        case "boolean":
            yes_no = [("", "Unknown"), ("true", "Yes"), ("false", "No")]
            field = forms.TypedChoiceField(
                choices=yes_no, coerce=lambda value: value in ("true", True, "True"), empty_value=None, **shared
            )
        case "date":
            field = forms.DateField(widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), **shared)
        case "datetime":
            field = forms.DateTimeField(
                widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"), **shared
            )
        case _:
            field = forms.CharField(max_length=2000, **shared)
    return field


def _choices(definition: CustomField) -> list[tuple[str, str]]:
    return [
        (str(choice["value"]), str(choice.get("label") or choice["value"]))
        for choice in definition.choices or []
        if isinstance(choice, dict) and "value" in choice
    ]


def changed_custom(form: forms.BaseForm) -> dict[str, Any]:
    """Return the custom values that were changed in the form, by key."""
    return {
        name.removeprefix(PREFIX): form.cleaned_data[name]
        for name in form.fields
        if name.startswith(PREFIX) and name in form.changed_data
    }
