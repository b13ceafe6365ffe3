"""The organisation's own settings: one row."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

SIZES = ("micro", "small", "mid_market")


def default_size_limits() -> dict[str, int]:
    """Return the upper employee counts of micro, small and mid-market companies."""
    return {"micro": 10, "small": 50, "mid_market": 1000}


def size_limits_problem(limits: Any) -> str:
    """Return in words what is wrong with the upper employee counts of the size classes, "" where nothing is."""
    if not isinstance(limits, dict) or set(limits) != set(SIZES):
        return f"Give a limit for each of {', '.join(SIZES)}, and no other."
    counts = [limits[size] for size in SIZES]
    if any(isinstance(count, bool) or not isinstance(count, int) or not 1 <= count < 10**8 for count in counts):
        return "Each limit is a whole number of employees, from 1 up."
    if not counts[0] < counts[1] < counts[2]:
        return "The limits must rise: micro below small, small below mid-market."
    return ""


class Organisation(models.Model):
    """Time zone, currency, fiscal year and size limits; `Organisation.current()` reads it."""

    name = models.CharField(max_length=200, default="My organisation")
    time_zone = models.CharField(max_length=64, default="UTC")
    currency = models.CharField(max_length=3, default="USD", help_text="ISO 4217; the reporting currency")
    fiscal_year_start_month = models.PositiveSmallIntegerField(default=1)
    size_limits = models.JSONField(default=default_size_limits)
    purchase_active_days = models.PositiveIntegerField(default=365)
    free_mail_domains = models.JSONField(default=list, blank=True)
    version = models.PositiveIntegerField(default=1, help_text="Bumped by every change: rules read settings")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(pk=1), name="common_organisation_single_row"),
            models.CheckConstraint(
                condition=models.Q(fiscal_year_start_month__gte=1, fiscal_year_start_month__lte=12),
                name="common_organisation_fiscal_month",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse an unknown time zone or currency, and size limits that do not rise.

        Raises ValidationError naming each field.
        """
        from zoneinfo import available_timezones

        import pycountry

        errors: dict[str, str] = {}
        if self.time_zone not in available_timezones():
            errors["time_zone"] = "Unknown time zone; use a name such as Europe/Berlin."
        if pycountry.currencies.get(alpha_3=self.currency) is None:
            errors["currency"] = "Unknown currency; use a code of ISO 4217 such as EUR or USD."
        if problem := size_limits_problem(self.size_limits):
            errors["size_limits"] = problem
        if errors:
            raise ValidationError(errors)

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save as row 1 and bump the version, so that rules that read settings are rebuilt."""
        self.pk = 1
        if not self._state.adding:
            self.version += 1
        super().save(*args, **kwargs)

    @classmethod
    def current(cls) -> "Organisation":
        """Return the settings row, made with defaults where it is missing (1 query)."""
        from django.conf import settings

        found = cls.objects.filter(pk=1).first()
        if found is None:
            found, _ = cls.objects.get_or_create(pk=1, defaults={"time_zone": settings.TIME_ZONE})
        return found
