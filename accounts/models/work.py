"""Tasks, notes and files on records."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from ..choices import SourceKind, TaskType
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
    remind_at = models.DateTimeField(null=True, blank=True)
    reminded_at = models.DateTimeField(null=True, blank=True, editable=False)
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
            models.Index(fields=["owner", "due_at", "id"], name="accounts_task_owner_due"),
            models.Index(fields=["owner", "due_at"], condition=Q(done_at__isnull=True), name="accounts_task_open"),
            models.Index(fields=["due_at", "id"], condition=Q(done_at__isnull=True), name="accounts_task_due"),
            models.Index(
                fields=["remind_at"],
                condition=Q(done_at__isnull=True, reminded_at__isnull=True, remind_at__isnull=False),
                name="accounts_task_remind",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class Note(ImportedModel):
    """Text on a record; people mentioned in it hear of it."""

    text = models.TextField()
    source_kind = token(SourceKind)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="notes"
    )
    mentions = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="mentioned_in")
    account = models.ForeignKey(Account, null=True, blank=True, on_delete=models.CASCADE, related_name="notes")
    contact = models.ForeignKey(Contact, null=True, blank=True, on_delete=models.CASCADE, related_name="notes")
    opportunity = models.ForeignKey(Opportunity, null=True, blank=True, on_delete=models.CASCADE, related_name="notes")
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            exactly_one("note", "one_record", "account", "contact", "opportunity"),
            *closed("note", source_kind=SourceKind),
        ]

    def __str__(self) -> str:
        return self.text[:80]


class Attachment(models.Model):
    """A file on a record. It is stored under a generated name; `name` is what people see, and only data."""

    name = models.CharField(max_length=255)
    path = models.CharField(max_length=255, unique=True, editable=False)
    size = models.PositiveBigIntegerField(default=0)
    content_type = models.CharField(max_length=120, blank=True, default="")
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    account = models.ForeignKey(Account, null=True, blank=True, on_delete=models.CASCADE, related_name="attachments")
    contact = models.ForeignKey(Contact, null=True, blank=True, on_delete=models.CASCADE, related_name="attachments")
    opportunity = models.ForeignKey(
        Opportunity, null=True, blank=True, on_delete=models.CASCADE, related_name="attachments"
    )
    deleted_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="Taken away; the file itself is removed 30 days later"
    )

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [exactly_one("attachment", "one_record", "account", "contact", "opportunity")]

    def __str__(self) -> str:
        return self.name
