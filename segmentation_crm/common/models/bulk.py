"""One act on many records: what was chosen, what came of each, so that it can be shown and undone."""

import uuid

from django.conf import settings
from django.db import models

from .jobs import Job


class BulkState(models.TextChoices):
    """Where a bulk act stands."""

    DRAFT = "draft", "Not started"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    STOPPED = "stopped", "Stopped"
    UNDOING = "undoing", "Being undone"
    UNDONE = "undone", "Undone"


class BulkAct(models.Model):
    """One act of one user on a list's records, frozen when it was previewed.

    `keys` is the roaring bitmap of the chosen records: a change of the field that the list is filtered by loses
    nobody. `public_id` is the batch under which the log of changes keeps what was written.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="bulk_acts")
    record = models.CharField(max_length=30)
    action = models.CharField(max_length=40)
    title = models.CharField(max_length=200, blank=True, default="")
    params = models.JSONField(default=dict, blank=True)
    state = models.CharField(max_length=10, choices=BulkState.choices, default=BulkState.DRAFT)
    keys = models.BinaryField(default=bytes)
    total = models.PositiveBigIntegerField(default=0)
    list_url = models.CharField(max_length=2000, blank=True, default="")
    job = models.ForeignKey(Job, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    changed = models.PositiveBigIntegerField(default=0)
    unchanged = models.PositiveBigIntegerField(default=0)
    refused = models.PositiveBigIntegerField(default=0)
    restored = models.PositiveBigIntegerField(default=0)
    kept = models.PositiveBigIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=models.Q(state__in=BulkState.values), name="common_bulk_state_known")
        ]
        indexes = [
            models.Index(fields=["user", "-id"], name="common_bulk_user"),
            models.Index(fields=["created_at"], name="common_bulk_created"),
        ]

    def __str__(self) -> str:
        return self.title or f"{self.action} {self.record}"


class BulkRow(models.Model):
    """What a bulk act did to one record: changed (with what undo needs), refused, or left alone by the undo."""

    class Outcome(models.TextChoices):
        CHANGED = "changed", "Changed"
        REFUSED = "refused", "Refused"
        KEPT = "kept", "Not undone"

    act = models.ForeignKey(BulkAct, on_delete=models.CASCADE, related_name="rows", db_index=False)
    record_id = models.PositiveBigIntegerField()
    outcome = models.CharField(max_length=8, choices=Outcome.choices)
    reason = models.CharField(max_length=500, blank=True, default="")
    before = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["act", "record_id"]
        constraints = [
            models.UniqueConstraint(fields=["act", "outcome", "record_id"], name="common_bulkrow_once"),
            models.CheckConstraint(
                condition=models.Q(outcome__in=["changed", "refused", "kept"]), name="common_bulkrow_outcome_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.record_id}: {self.outcome}"
