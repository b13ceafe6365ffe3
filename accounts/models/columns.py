"""Kinds of columns that models share, and the constraints that keep them right in the database."""

from collections.abc import Iterable
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone


def token(choices: type[models.TextChoices], default: str = "", **kwargs: Any) -> models.CharField:
    """Return a column that holds a token of a closed list, "" where unknown."""
    return models.CharField(max_length=32, choices=choices.choices, blank=True, default=default, **kwargs)


def money_amount(help_text: str = "") -> models.DecimalField:
    """Return the amount of a money field, in its own currency."""
    return models.DecimalField(max_digits=20, decimal_places=4, null=True, blank=True, help_text=help_text)


def money_currency() -> models.CharField:
    """Return the currency of a money field: ISO 4217, or "" for the organisation's."""
    return models.CharField(max_length=3, blank=True, default="")


def money_reporting() -> models.DecimalField:
    """Return the amount in the organisation's currency; services fill it, rules compare it."""
    return models.DecimalField(max_digits=20, decimal_places=4, null=True, blank=True, editable=False)


def fraction() -> models.DecimalField:
    """Return a column for a fraction from 0 to 1."""
    return models.DecimalField(max_digits=7, decimal_places=6, null=True, blank=True)


def percent() -> models.DecimalField:
    """Return a column for a figure in per cent (25 = 25 %)."""
    return models.DecimalField(max_digits=12, decimal_places=4, null=True, blank=True)


def term(vocabulary: str, help_text: str = "") -> models.ForeignKey:
    """Return a reference to a term of one vocabulary; the index is declared by the model that needs it."""
    return models.ForeignKey(
        "accounts.Term",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        limit_choices_to={"vocabulary": str(vocabulary)},
        help_text=help_text,
    )


def closed(model: str, **lists: type[models.TextChoices]) -> list[models.CheckConstraint]:
    """Return a constraint for each column that holds tokens of a closed list."""
    return [
        models.CheckConstraint(
            condition=Q(**{f"{column}__in": ["", *choices.values]}),
            name=f"accounts_{model}_{column}_known",
            violation_error_message=f"{column} must be one of: {', '.join(map(str, choices.values))}.",
        )
        for column, choices in lists.items()
    ]


def within(model: str, low: int, high: int, *columns: str) -> list[models.CheckConstraint]:
    """Return a constraint for each column whose values lie from low to high, both included, or are empty."""
    return [
        models.CheckConstraint(
            condition=Q(**{f"{column}__isnull": True}) | Q(**{f"{column}__gte": low, f"{column}__lte": high}),
            name=f"accounts_{model}_{column}_range",
            violation_error_message=f"{column} must lie between {low} and {high}.",
        )
        for column in columns
    ]


def exactly_one(model: str, name: str, *columns: str) -> models.CheckConstraint:
    """Return the constraint that exactly one of the references is set."""
    condition = Q()
    for chosen in columns:
        condition |= Q(**{f"{column}__isnull": column != chosen for column in columns})
    return models.CheckConstraint(
        condition=condition,
        name=f"accounts_{model}_{name}",
        violation_error_message=f"Exactly one of {', '.join(columns)} must be set.",
    )


def at_most_one(model: str, name: str, *columns: str) -> models.CheckConstraint:
    """Return the constraint that at most one of the references is set."""
    condition = Q(**{f"{column}__isnull": True for column in columns})
    for chosen in columns:
        condition |= Q(**{f"{column}__isnull": True for column in columns if column != chosen})
    return models.CheckConstraint(
        condition=condition,
        name=f"accounts_{model}_{name}",
        violation_error_message=f"At most one of {', '.join(columns)} may be set.",
    )


def one_value(model: str) -> models.CheckConstraint:
    """Return the constraint that a value row holds a token, a term or a code, and only one of them."""
    return models.CheckConstraint(
        condition=(Q(term__isnull=True, code__isnull=True) & ~Q(token=""))
        | Q(token="", term__isnull=False, code__isnull=True)
        | Q(token="", term__isnull=True, code__isnull=False),
        name=f"accounts_{model}_one_value",
        violation_error_message="A value row holds a token, a term or a code: one of them.",
    )


class ImportedModel(models.Model):
    """Where a row came from and when it was made and changed; external ids stand in `ExternalId`."""

    source = models.CharField(
        max_length=60, blank=True, default="", help_text="The system it came from, empty when entered here"
    )
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True


class LiveQuerySet(models.QuerySet):
    """Rows of records that can be deleted softly and merged."""

    def live(self) -> "LiveQuerySet":
        """Leave out what is deleted, merged away or erased."""
        return self.filter(**dict(getattr(self.model, "LIVE", ())))

    def gone(self) -> "LiveQuerySet":
        """Keep what is deleted, merged away or erased: few rows, which have an index of their own."""
        return self.filter(not_live(getattr(self.model, "LIVE", ())))


def not_live(live: Iterable[tuple[str, Any]]) -> models.Q:
    """Return the condition for records that are not live; also that of their index, so that the database uses it."""
    found = models.Q()
    for name, value in live:
        found |= models.Q((name, not value))
    return found


LIVE: tuple[tuple[str, Any], ...] = (("deleted_at__isnull", True), ("merged_into__isnull", True))
GONE = not_live(LIVE)


class RecordModel(ImportedModel):
    """A record with soft deletion, merging and a version for concurrent edits (sent as ETag)."""

    LIVE: tuple[tuple[str, Any], ...] = LIVE

    version = models.PositiveIntegerField(default=1, editable=False)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)
    merged_into = models.ForeignKey(
        "self", null=True, blank=True, editable=False, on_delete=models.PROTECT, related_name="merged_from"
    )

    objects = LiveQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save; a change counts the version up."""
        if not self._state.adding:
            self.version += 1
            if kwargs.get("update_fields") is not None:
                kwargs["update_fields"] = {*kwargs["update_fields"], "version", "updated_at"}
        super().save(*args, **kwargs)

    @property
    def is_live(self) -> bool:
        """Tell whether the record is neither deleted, merged away nor erased."""
        return self.deleted_at is None and getattr(self, "merged_into_id", None) is None
