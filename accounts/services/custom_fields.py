"""Custom fields: defining them, and cleaning and writing their values by type."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.dateparse import parse_datetime
from django.utils.timezone import is_naive

from segmentation_crm.common.extensions import rule_users

from ..choices import CustomFieldType, MemberRecord
from ..models import (
    Account,
    AccountCustomValue,
    Contact,
    ContactCustomValue,
    CustomField,
    Opportunity,
    OpportunityCustomValue,
)
from .changes import record_values
from .normalisation import tidy

VALUE_MODELS: dict[str, type[models.Model]] = {
    MemberRecord.ACCOUNT: AccountCustomValue,
    MemberRecord.CONTACT: ContactCustomValue,
    MemberRecord.OPPORTUNITY: OpportunityCustomValue,
}
NUMBERS = frozenset({CustomFieldType.INTEGER, CustomFieldType.DECIMAL, CustomFieldType.PERCENT, CustomFieldType.MONEY})
_LIMIT = Decimal(10) ** 18


def value_column(type_: str) -> str:
    """Return the column that holds the values of a type: text, number, boolean, date or moment."""
    if type_ in NUMBERS:
        return "number"
    return {"boolean": "boolean", "date": "date", "datetime": "moment"}.get(type_, "text")


@transaction.atomic
def create_custom_field(
    record: str, key: str, label: str, type_: str, *, choices: list[Any] | None = None, help_text: str = ""
) -> CustomField:
    """Define a custom field. `choices`: tokens, or {"value", "label"} each; needed for enum and multi.

    Raises ValidationError naming each wrong field.
    """
    field = CustomField(
        record=record, key=key, label=tidy(label) or key, type=type_, choices=_clean_choices(choices), help=help_text
    )
    last = CustomField.objects.filter(record=record).aggregate(last=models.Max("position"))["last"]
    field.position = (last or 0) + 1
    field.full_clean()
    if type_ in (CustomFieldType.ENUM, CustomFieldType.MULTI) and not field.choices:
        raise ValidationError({"choices": "A field with choices needs at least one."})
    field.save()
    return field


def _clean_choices(choices: list[Any] | None) -> list[dict[str, str]]:
    found: dict[str, str] = {}
    for choice in choices or []:
        value, label = (choice["value"], choice.get("label")) if isinstance(choice, Mapping) else (choice, None)
        value = tidy(str(value))
        if not value:
            raise ValidationError({"choices": "A choice must not be empty."})
        if value in found:
            raise ValidationError({"choices": f"The choice {value!r} stands twice."})
        found[value] = tidy(str(label or value))
    return [{"value": value, "label": label} for value, label in found.items()]


@transaction.atomic
def change_custom_field(
    field: CustomField, *, label: str | None = None, choices: list[Any] | None = None, help_text: str | None = None
) -> CustomField:
    """Change label, choices and help; key and type stay, and a choice that records hold or rules name cannot go.

    Raises ValidationError naming the field.
    """
    if label is not None:
        field.label = tidy(label)
    if choices is not None:
        cleaned = _clean_choices(choices)
        kept = {choice["value"] for choice in cleaned}
        held = VALUE_MODELS[field.record]._default_manager.filter(definition=field).exclude(text__in=[*kept, ""])
        if used := sorted(set(held.values_list("text", flat=True)[:20])):
            raise ValidationError({"choices": f"Records still hold {', '.join(used)}; keep it or change them first."})
        _refuse_choices_in_rules(field, kept)
        if field.type in (CustomFieldType.ENUM, CustomFieldType.MULTI) and not cleaned:
            raise ValidationError({"choices": "A field with choices needs at least one."})
        field.choices = cleaned
    if help_text is not None:
        field.help = tidy(help_text)
    field.full_clean()
    field.save()
    return field


def retire_custom_field(field: CustomField) -> CustomField:
    """Hide a field from forms and rules; its values stay and come back with it."""
    field.is_active = False
    field.save(update_fields=["is_active"])
    return field


def restore_custom_field(field: CustomField) -> CustomField:
    """Show a retired field in forms and rules again, with the values it had."""
    field.is_active = True
    field.save(update_fields=["is_active"])
    return field


@transaction.atomic
def delete_custom_field(field: CustomField) -> None:
    """Delete a definition that no record holds a value of and no rule names.

    Raises ValidationError where records hold values, or naming the rules.
    """
    if VALUE_MODELS[field.record]._default_manager.filter(definition=field).exists():
        raise ValidationError(f"Records hold values of “{field.label}”: retire it instead.")
    if uses := named_in_rules("custom", f"{field.record}.custom.{field.key}"):
        raise ValidationError(f"“{field.label}” is named by {_listed(uses)}: change these first, or retire it.")
    field.delete()


def _refuse_choices_in_rules(field: CustomField, kept: set[str]) -> None:
    """Let no choice go that a rule names.

    Raises ValidationError naming the choice and the rules.
    """
    for choice in field.choices:
        if choice["value"] in kept:
            continue
        if uses := named_in_rules("custom_choice", f"{field.record}.custom.{field.key}={choice['value']}"):
            words = f"“{choice['label']}” is named by {_listed(uses)}: keep it, or change these first."
            raise ValidationError({"choices": words})


def _listed(names: list[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def named_in_rules(kind: str, key: str) -> list[str]:
    """Return the names of the segments and saved views whose rules name the thing."""
    return [name for provider in rule_users for name, _ in provider(kind, key)]


def clean_value(field: CustomField, value: Any) -> list[Any]:
    """Return the typed values to store: none for an empty one, several only for multi.

    Raises ValidationError with words on what would be right.
    """
    if value is None or (isinstance(value, str) and not value.strip()) or value == []:
        return []
    tokens = {choice["value"] for choice in field.choices}
    if field.type == CustomFieldType.MULTI:
        values = [tidy(str(one)) for one in (value if isinstance(value, list | tuple | set) else [value])]
        return [_known(field, one, tokens) for one in dict.fromkeys(values)]
    if field.type == CustomFieldType.ENUM:
        return [_known(field, tidy(str(value)), tokens)]
    if field.type in NUMBERS:
        return [_number(field, value)]
    if field.type == CustomFieldType.BOOLEAN:
        return [_boolean(field, value)]
    if field.type in (CustomFieldType.DATE, CustomFieldType.DATETIME):
        return [_moment(field, value)]
    text = tidy(str(value))
    if len(text) > 2000:
        raise ValidationError(f"{field.label} may have at most 2,000 characters.")
    return [text]


def _known(field: CustomField, value: str, tokens: set[str]) -> str:
    if value not in tokens:
        raise ValidationError(f"{field.label} must be one of: {', '.join(sorted(tokens))}.")
    return value


def _number(field: CustomField, value: Any) -> Decimal:
    try:
        number = Decimal(str(value).strip()) if not isinstance(value, bool) else None
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite() or abs(number) >= _LIMIT:
        raise ValidationError(f"{field.label} must be a number below 10^18, such as 12.5.")
    if field.type == CustomFieldType.INTEGER and number != number.to_integral_value():
        raise ValidationError(f"{field.label} must be a whole number.")
    return number


def _boolean(field: CustomField, value: Any) -> bool:
    words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    found = value if isinstance(value, bool) else words.get(str(value).strip().lower())
    if found is None:
        raise ValidationError(f"{field.label} must be true or false.")
    return found


def _moment(field: CustomField, value: Any) -> dt.date | dt.datetime:
    is_day = field.type == CustomFieldType.DATE
    try:
        if isinstance(value, str):
            value = dt.date.fromisoformat(value.strip()) if is_day else parse_datetime(value.strip())
    except ValueError:
        value = None
    if is_day and isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value
    if not is_day and isinstance(value, dt.datetime) and not is_naive(value):
        return value
    form = "a date such as 2026-03-31" if is_day else "a moment with time zone such as 2026-03-31T09:30:00Z"
    raise ValidationError(f"{field.label} must be {form}.")


@transaction.atomic
def set_custom_values(record: Account | Contact | Opportunity, values: Mapping[str, Any]) -> bool:
    """Write the values of custom fields by key; those not named stay. Returns whether anything changed.

    2 queries and some for what changed. Raises ValidationError naming every wrong key as `custom.<key>`.
    """
    kind = str(record._meta.model_name)
    model = VALUE_MODELS[kind]
    fields = {f.key: f for f in CustomField.objects.filter(record=kind, is_active=True, key__in=list(values))}
    errors: dict[str, Any] = {}
    cleaned: dict[str, list[Any]] = {}
    for key, value in values.items():
        if key not in fields:
            errors[f"custom.{key}"] = f"There is no custom field {key!r} on {kind}s."
            continue
        try:
            cleaned[key] = clean_value(fields[key], value)
        except ValidationError as error:
            errors[f"custom.{key}"] = error.messages
    if errors:
        raise ValidationError(errors)
    own = model._default_manager.filter(**{kind: record})
    standing: dict[int, list[Any]] = {}
    for row in own.filter(definition__in=fields.values()):
        standing.setdefault(row.definition_id, []).append(row)  # type: ignore[attr-defined]
    changed = False
    for key, wanted in cleaned.items():
        field = fields[key]
        column, rows = value_column(field.type), standing.get(field.pk, [])
        gone = [row for row in rows if getattr(row, column) not in wanted]
        have = [getattr(row, column) for row in rows]
        new = [value for value in wanted if value not in have]
        own.filter(pk__in=[row.pk for row in gone]).delete()
        for value in new:
            model._default_manager.create(**{kind: record, "definition": field, column: value})
        if gone or new:
            is_many = field.type == CustomFieldType.MULTI
            record_values(record, f"custom.{key}", *((v if is_many else next(iter(v), None)) for v in (have, wanted)))
        changed = changed or bool(gone or new)
    return changed
