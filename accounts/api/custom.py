"""Custom fields in and out: an object {key: value}, each value of the type that its definition says."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

from ..choices import CustomFieldType
from ..models import CustomField

CUSTOM = "custom:"
_NUMBERS = (CustomFieldType.INTEGER, CustomFieldType.DECIMAL, CustomFieldType.PERCENT, CustomFieldType.MONEY)


@extend_schema_field({"type": "object", "additionalProperties": True})
class CustomValuesField(serializers.Field):
    """The custom fields of a record; PATCH changes the keys sent, null or an empty value clears one."""

    initial: dict[str, Any] = {}

    def __init__(self, record: str, **kwargs: Any) -> None:
        kwargs.setdefault("required", False)
        kwargs["source"] = "*"
        self.record = record
        super().__init__(**kwargs)

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """Return the values by key; reads the prefetched rows."""
        shown: dict[str, Any] = {}
        for row in instance.custom_values.all():
            definition = row.definition
            if not definition.is_active:
                continue
            if definition.type == CustomFieldType.MULTI:
                shown.setdefault(definition.key, []).append(row.text)
            else:
                shown[definition.key] = plain(definition, row)
        return {key: sorted(value) if isinstance(value, list) else value for key, value in sorted(shown.items())}

    def to_internal_value(self, data: Any) -> dict[str, dict[CustomField, Any]]:
        """Return {definition: value}, None where cleared (1 query).

        Raises ValidationError with each key at fault.
        """
        if not isinstance(data, dict):
            raise ValidationError("Give an object of custom fields.", "not_an_object")
        definitions = {d.key: d for d in CustomField.objects.filter(record=self.record, is_active=True, key__in=data)}
        errors: dict[str, Any] = {}
        values: dict[CustomField, Any] = {}
        for key, value in data.items():
            definition = definitions.get(key)
            if definition is None:
                errors[str(key)[:100]] = [ErrorDetail("There is no such custom field.", "unknown_field")]
                continue
            try:
                values[definition] = parsed(definition, value)
            except ValidationError as error:
                errors[key] = error.detail
        if errors:
            raise ValidationError(errors)
        return {CUSTOM: values}


def plain(definition: CustomField, row: Any) -> Any:
    """Return the value of a row as JSON has it."""
    if definition.type == CustomFieldType.BOOLEAN:
        return row.boolean
    if definition.type == CustomFieldType.DATE:
        return row.date.isoformat() if row.date else None
    if definition.type == CustomFieldType.DATETIME:
        return row.moment.isoformat() if row.moment else None
    if definition.type == CustomFieldType.INTEGER:
        return int(row.number) if row.number is not None else None
    if definition.type in _NUMBERS:
        return format(row.number.normalize(), "f") if row.number is not None else None
    return row.text


def parsed(definition: CustomField, value: Any) -> Any:
    """Return the value as it is stored, None for empty; a multi field gives a list.

    Raises ValidationError saying what the type takes.
    """
    if value is None or value in ("", []):
        return None
    kind = definition.type
    if kind == CustomFieldType.MULTI:
        return serializers.ListField(child=_choice(definition), max_length=500).run_validation(value)
    return _field(definition).run_validation(value)


def _choice(definition: CustomField) -> serializers.Field:
    tokens = [choice["value"] for choice in definition.choices]
    return serializers.ChoiceField(choices=tokens) if tokens else serializers.CharField(max_length=2000)


def _field(definition: CustomField) -> serializers.Field:
    """Return the field that checks one value of the definition's type."""
    kind = definition.type
    if kind == CustomFieldType.ENUM:
        return _choice(definition)
    if kind == CustomFieldType.INTEGER:
        return serializers.IntegerField(min_value=-(10**17), max_value=10**17)
    if kind in _NUMBERS:
        return serializers.DecimalField(max_digits=24, decimal_places=6)
    if kind == CustomFieldType.BOOLEAN:
        return serializers.BooleanField()
    if kind == CustomFieldType.DATE:
        return serializers.DateField()
    if kind == CustomFieldType.DATETIME:
        return serializers.DateTimeField()
    return serializers.CharField(max_length=2000)
