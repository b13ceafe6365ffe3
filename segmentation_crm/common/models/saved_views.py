"""Saved views of lists: the model only; `segments` evaluates the rule."""

from django.conf import settings
from django.db import models


class SavedView(models.Model):
    """A list's filter, sort and columns under a name; private, shared with the team, or for everybody."""

    class Visibility(models.TextChoices):
        PRIVATE = "private", "Only me"
        TEAM = "team", "My team"
        EVERYONE = "everyone", "Everyone"

    record = models.CharField(max_length=30, help_text="account, contact, opportunity, activity, segment or task")
    name = models.CharField(max_length=120)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_views")
    visibility = models.CharField(max_length=10, choices=Visibility.choices, default=Visibility.PRIVATE)
    is_default = models.BooleanField(default=False)
    query = models.JSONField(default=dict, blank=True, help_text="Filters of the URL, columns and sort")
    rules = models.JSONField(null=True, blank=True, help_text="A rule of the rule language, or empty")

    class Meta:
        ordering = ["record", "name"]
        constraints = [
            models.UniqueConstraint(fields=["record", "owner", "name"], name="common_saved_view_name_unique")
        ]

    def __str__(self) -> str:
        return self.name
