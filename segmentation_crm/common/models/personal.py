"""What belongs to one user: preferences, notifications, recently opened records, exports."""

from django.conf import settings
from django.db import models

from .jobs import Job


class UserPreference(models.Model):
    """One choice of one user under a key: the columns of a list, reminders by e-mail …"""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="preferences")
    key = models.CharField(max_length=80)
    value = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["user", "key"]
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="common_preference_unique")]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.key}"


class EmailState(models.TextChoices):
    """How far the e-mail of a notification got; none is wanted where it is empty."""

    WANTED = "wanted", "Waiting to be sent"
    SENDING = "sending", "Being sent"
    SENT = "sent", "Sent"
    UNKNOWN = "unknown", "May have been sent"
    REFUSED = "refused", "Refused by the mail server"


class Notification(models.Model):
    """Something a user should know: a task due, a mention, an export that is ready.

    `key` makes it idempotent: the same event never notifies twice. `url` is an address of this site. Before its
    e-mail goes to the mail server, `email_state` says "sending" and `emailed_at` when: a worker that dies there
    leaves a row that people see as "unknown", and never a second e-mail.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notifications")
    kind = models.CharField(max_length=30)
    key = models.CharField(max_length=120)
    title = models.CharField(max_length=255)
    text = models.CharField(max_length=500, blank=True, default="")
    url = models.CharField(max_length=500, blank=True, default="")
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, blank=True)
    emailed_at = models.DateTimeField(null=True, blank=True)
    email_state = models.CharField(max_length=8, choices=EmailState.choices, blank=True, default="")
    email_error = models.CharField(max_length=255, blank=True, default="")

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["user", "key"], name="common_notification_once"),
            models.CheckConstraint(
                condition=models.Q(email_state__in=["", *EmailState.values]), name="common_notification_email_state"
            ),
        ]
        indexes = [
            models.Index(
                fields=["id"],
                condition=models.Q(email_state__in=["wanted", "sending"]),
                name="common_notification_email",
            ),
            models.Index(fields=["user", "-created_at"], name="common_notification_user"),
            models.Index(fields=["user"], condition=models.Q(read_at__isnull=True), name="common_notification_unread"),
        ]

    def __str__(self) -> str:
        return self.title


class SubmittedForm(models.Model):
    """A form that was sent and what it wrote: sent twice it writes once, and `undone_at` says it was taken back.

    `result` names what was written, for the answer to the second sending and for the undo.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="submitted_forms")
    token = models.UUIDField()
    created_at = models.DateTimeField()
    result = models.JSONField(default=dict, blank=True)
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["user", "token"], name="common_submittedform_once")]
        indexes = [models.Index(fields=["created_at"], name="common_submittedform_at")]

    def __str__(self) -> str:
        return str(self.token)


class RecentItem(models.Model):
    """A record or page that a user opened lately. The name is looked up when shown, so it never leaks."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="recent_items")
    kind = models.CharField(max_length=30)
    object_id = models.PositiveBigIntegerField()
    at = models.DateTimeField()

    class Meta:
        ordering = ["-at", "-id"]
        constraints = [models.UniqueConstraint(fields=["user", "kind", "object_id"], name="common_recent_once")]
        indexes = [models.Index(fields=["user", "-at"], name="common_recent_user")]

    def __str__(self) -> str:
        return f"{self.kind} {self.object_id}"


class Export(models.Model):
    """A list written to a file by a job; the owner downloads it until `expires_at`."""

    class Format(models.TextChoices):
        CSV = "csv", "CSV"
        XLSX = "xlsx", "Excel (XLSX)"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="exports")
    record = models.CharField(max_length=30)
    title = models.CharField(max_length=200)
    format = models.CharField(max_length=8, choices=Format.choices, default=Format.CSV)
    query = models.JSONField(default=dict, blank=True, help_text="The list as shown: filters, sort, rule, chosen keys")
    columns = models.JSONField(default=list, blank=True)
    job = models.ForeignKey(Job, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    path = models.CharField(max_length=255, blank=True, default="")
    rows = models.PositiveBigIntegerField(default=0)
    size = models.PositiveBigIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=models.Q(format__in=["csv", "xlsx"]), name="common_export_format")
        ]
        indexes = [models.Index(fields=["user", "-created_at"], name="common_export_user")]

    def __str__(self) -> str:
        return f"{self.title} ({self.format})"
