"""Serializers that say what they do not take: unknown and read-only keys are 400, constraints name their field."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from django.core.exceptions import ValidationError as ModelValidationError
from django.db import IntegrityError, models, transaction
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.settings import api_settings

from .errors import model_errors


class StrictFieldsMixin:
    """Refuse keys that the serializer does not know, and keys that only the product writes."""

    fields: Any

    def to_internal_value(self, data: Any) -> Any:
        """Return the validated values.

        Raises ValidationError with every fault: unknown, read-only and invalid keys together.
        """
        errors: dict[str, Any] = {}
        if isinstance(data, Mapping):
            for key in data:
                field = self.fields.get(key)
                if field is None:
                    errors[str(key)[:100]] = [ErrorDetail("There is no such field.", "unknown_field")]
                elif field.read_only:
                    errors[key] = [ErrorDetail("This field is read-only; leave it out.", "read_only")]
        try:
            value = super().to_internal_value(data)  # type: ignore[misc]
        except ValidationError as error:
            if isinstance(error.detail, dict):
                errors.update(error.detail)
            raise ValidationError(errors or error.detail) from None
        if errors:
            raise ValidationError(errors)
        return value


class StrictSerializer(StrictFieldsMixin, serializers.Serializer):
    """A plain serializer with strict keys."""


class RecordSerializer(StrictFieldsMixin, serializers.ModelSerializer):
    """A model's serializer: strict keys, only the sent columns are written, the model's own rules apply.

    A model whose save computes other columns turns `writes_sent_columns_only` off: the viewset holds the row, read
    after it was locked, so that writing it whole loses nothing.
    """

    writes_sent_columns_only = True

    def get_validators(self) -> list[Any]:
        """Return no serializer-level validators: `check` asks the model's constraints, with their messages."""
        return []

    def create(self, validated_data: dict[str, Any]) -> Any:
        """Insert the record.

        Raises ValidationError naming the field that breaks a rule.
        """
        model: Any = self.Meta.model  # type: ignore[attr-defined]
        values, many = split_many(model, validated_data)
        instance = model(**values)
        check(instance, None)
        save(instance, None)
        set_many(instance, many)
        return instance

    def update(self, instance: Any, validated_data: dict[str, Any]) -> Any:
        """Write the sent columns, and what is derived from them, and nothing else.

        Raises ValidationError naming the field that breaks a rule.
        """
        values, many = split_many(type(instance), validated_data)
        for name, value in values.items():
            setattr(instance, name, value)
        check(instance, set(values))
        save(instance, set(values) if self.writes_sent_columns_only else None)
        set_many(instance, many)
        return instance


def split_many(model: type[models.Model], values: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the values of columns, and those of many-to-many fields."""
    names = {field.name for field in model._meta.many_to_many}
    columns = {name: value for name, value in values.items() if name not in names}
    return columns, {name: value for name, value in values.items() if name in names}


def set_many(instance: models.Model, many: dict[str, Any]) -> None:
    """Replace the rows of many-to-many fields (up to 3 queries each)."""
    for name, value in many.items():
        getattr(instance, name).set(value)


def check(instance: models.Model, changed: set[str] | None) -> None:
    """Apply the model's field rules to the changed fields (None: all), its clean() and all constraints.

    Raises ValidationError (DRF's) with the field names. 1 query per unique constraint.
    """
    names = {field.name for field in instance._meta.fields}
    untouched = set() if changed is None else names - changed
    errors: dict[str, list[Any]] = {}
    for step in (
        lambda: instance.clean_fields(exclude=untouched),
        instance.clean,
        lambda: instance.validate_unique(exclude=untouched),
    ):
        try:
            step()
        except ModelValidationError as error:
            for name, messages in model_errors(error).items():
                errors.setdefault(name, []).extend(messages)
    for name, message in broken_constraints(instance, changed):
        if name not in errors:
            errors[name] = [message]
    if errors:
        raise ValidationError(errors)


def broken_constraints(instance: models.Model, changed: set[str] | None) -> Iterator[tuple[str, ErrorDetail]]:
    """Yield field and message of every constraint of the model that the record breaks (1 query each that needs one)."""
    for model, constraints in instance.get_constraints():
        for constraint in constraints:
            try:
                constraint.validate(model, instance)
            except ModelValidationError as error:
                message = ErrorDetail(" ".join(error.messages), getattr(error, "code", None) or "invalid")
                yield field_of(constraint, changed), message


def field_of(constraint: models.BaseConstraint, changed: set[str] | None = None) -> str:
    """Return the field that a broken constraint speaks of, preferably one that was sent; else the whole record."""
    names = list(getattr(constraint, "fields", ())) or sorted(columns_in(getattr(constraint, "condition", None)))
    sent = [name for name in names if changed and name in changed]
    if len(sent) == 1:
        return sent[0]
    if isinstance(constraint, models.UniqueConstraint) and names:
        return names[-1].removesuffix("_folded")
    return names[0] if len(names) == 1 else str(api_settings.NON_FIELD_ERRORS_KEY)


def columns_in(condition: Any) -> set[str]:
    """Return the columns that a condition compares."""
    if not isinstance(condition, models.Q):
        return set()
    found: set[str] = set()
    for child in condition.children:
        found |= (
            columns_in(child) if isinstance(child, models.Q) else {str(cast(tuple[Any, ...], child)[0]).split("__")[0]}
        )
    return found


def save(instance: Any, changed: set[str] | None) -> Any:
    """Save the whole record (None), or the changed columns with their shadows and the time of change.

    Raises ValidationError for a constraint that another writer broke first.
    """
    try:
        with transaction.atomic():
            if changed is None:
                instance.save()
            else:
                instance.save(update_fields=columns_to_write(instance, changed))
    except IntegrityError as error:
        raise constraint_error(instance, error) from None
    return instance


def columns_to_write(instance: models.Model, changed: set[str]) -> set[str]:
    """Return the changed columns plus those kept from them: folded shadows and `updated_at`."""
    columns = set(changed)
    for field in instance._meta.concrete_fields:
        if getattr(field, "source", None) in changed or getattr(field, "auto_now", False):
            columns.add(field.name)
    return columns


def constraint_error(instance: models.Model, error: IntegrityError) -> ValidationError:
    """Return the 400 for a constraint named in the database's message, with its fields where it has any."""
    text = str(error)
    for constraint in instance._meta.constraints:
        # SQLite names the columns of a unique index, PostgreSQL the constraint.
        unique = [f"{instance._meta.db_table}.{name}" for name in getattr(constraint, "fields", ())]
        if constraint.name in text or (unique and text.endswith(": " + ", ".join(unique))):
            message = ErrorDetail(str(constraint.get_violation_error_message()), "invalid")
            return ValidationError({field_of(constraint): [message]})
    return ValidationError({"non_field_errors": [ErrorDetail("The change breaks a rule of the record.", "invalid")]})
