"""Tasks and notes on records."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from ..choices import TaskType
from .accounts import Account
from .columns import ImportedModel, at_most_one, closed, exactly_one, token
from .contacts import Contact
from .opportunities import Opportunity


class Task(ImportedModel):
    """Something to do until a time, mostly on a record."""

    type = token(TaskType, default=TaskType.OTHER)
    title = models.CharField(max_length=255)
    due_at = models.DateTimeField(null=True, blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="tasks"
    )
    outcome = models.CharField(max_length=500, blank=True, default="")
    done_at = models.DateTimeField(null=True, blank=True)
    account = models.ForeignKey(Account, null=True, blank=True, on_delete=models.CASCADE, related_name="tasks")
    contact = models.ForeignKey(Contact, null=True, blank=True, on_delete=models.CASCADE, related_name="tasks")
    opportunity = models.ForeignKey(Opportunity, null=True, blank=True, on_delete=models.CASCADE, related_name="tasks")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        ordering = ["due_at", "id"]
        constraints = [
            *closed("task", type=TaskType),
            at_most_one("task", "one_record", "account", "contact", "opportunity"),
        ]
        indexes = [
            models.Index(fields=["owner", "due_at"], condition=Q(done_at__isnull=True), name="accounts_task_open")
        ]

    def __str__(self) -> str:
        return self.title


class Note(ImportedModel):
    """Text on a record; people mentioned in it hear of it."""

    text = models.TextField()
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="notes"
    )
    mentions = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="mentioned_in")
    account = models.ForeignKey(Account, null=True, blank=True, on_delete=models.CASCADE, related_name="notes")
    contact = models.ForeignKey(Contact, null=True, blank=True, on_delete=models.CASCADE, related_name="notes")
    opportunity = models.ForeignKey(Opportunity, null=True, blank=True, on_delete=models.CASCADE, related_name="notes")

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [exactly_one("note", "one_record", "account", "contact", "opportunity")]

    def __str__(self) -> str:
        return self.text[:80]
