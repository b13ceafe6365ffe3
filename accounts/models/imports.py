"""Imports: what was uploaded, how it was mapped, and what became of its rows."""

import uuid
from typing import Any

from django.conf import settings
from django.db import models

from segmentation_crm.common.models import Job


class ImportState(models.TextChoices):
    """Where an import stands."""

    UPLOADED = "uploaded", "Uploaded"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


class Import(models.Model):
    """One file on its way into the records.

    `mapping` is column -> target ("" for a column left out); `options` are those of the command. The counts grow with
    each committed batch; `touched_ids` is the bitmap of records that rows of this file have written, so that of two
    rows with the same key the first one holds. The file lies in MEDIA_ROOT under `stored_name`; `file_name` is only
    what it was called.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    type = models.CharField(max_length=32)
    file_name = models.CharField(max_length=255)
    stored_name = models.CharField(max_length=80, blank=True, default="")
    size_bytes = models.PositiveBigIntegerField(default=0)
    source = models.CharField(max_length=60, default="import")
    headings = models.JSONField(default=list, blank=True)
    mapping = models.JSONField(default=dict, blank=True)
    options = models.JSONField(default=dict, blank=True)
    encoding = models.CharField(max_length=20, blank=True, default="")
    delimiter = models.CharField(max_length=12, blank=True, default="")
    sheet = models.CharField(max_length=255, blank=True, default="")
    state = models.CharField(max_length=10, choices=ImportState.choices, default=ImportState.UPLOADED)
    error = models.TextField(blank=True, default="")
    rows_total = models.PositiveIntegerField(null=True, blank=True)
    rows_done = models.PositiveIntegerField(default=0)
    rows_created = models.PositiveIntegerField(default=0)
    rows_updated = models.PositiveIntegerField(default=0)
    rows_unchanged = models.PositiveIntegerField(default=0)
    rows_invalid = models.PositiveIntegerField(default=0)
    warnings = models.JSONField(default=dict, blank=True, help_text="Warning code -> how often")
    unmapped = models.JSONField(default=list, blank=True, help_text="Columns left out")
    touched_ids = models.BinaryField(default=bytes, blank=True, editable=False)
    job = models.ForeignKey(Job, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="imports"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=models.Q(state__in=ImportState.values), name="accounts_import_state_known")
        ]
        indexes = [models.Index(fields=["created_by", "type"], name="accounts_import_by_type")]

    def __str__(self) -> str:
        return self.file_name

    @property
    def counts(self) -> dict[str, Any]:
        """Return created, updated, unchanged, invalid and the warnings by code."""
        return {
            "created": self.rows_created,
            "updated": self.rows_updated,
            "unchanged": self.rows_unchanged,
            "invalid": self.rows_invalid,
            "warnings": dict(sorted(self.warnings.items())),
        }


class ImportRow(models.Model):
    """A row that was rejected, or imported with warnings.

    `findings` is a list of {"column", "code", "message", "text"}; `cells` holds the whole row where it was rejected, so
    that it can be downloaded, fixed and imported again.
    """

    run = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="rows")
    number = models.PositiveIntegerField()
    line = models.PositiveIntegerField()
    is_rejected = models.BooleanField(default=False)
    record_id = models.PositiveBigIntegerField(null=True, blank=True)
    findings = models.JSONField(default=list)
    cells = models.JSONField(default=list, blank=True)

    class Meta:
        ordering = ["run", "number"]
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="accounts_importrow_number_unique")]
        indexes = [models.Index(fields=["run", "is_rejected", "number"], name="accounts_importrow_rejected")]

    def __str__(self) -> str:
        return f"Row {self.number}"


class ImportLater(models.Model):
    """A link to a record of the same file (a parent), to be resolved after the last row."""

    run = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="later")
    number = models.PositiveIntegerField()
    line = models.PositiveIntegerField()
    record_id = models.PositiveBigIntegerField()
    target = models.CharField(max_length=60)
    column = models.CharField(max_length=255)
    text = models.CharField(max_length=500)
    outcome = models.CharField(max_length=10)
    only_if_empty = models.BooleanField(default=False)

    class Meta:
        ordering = ["run", "id"]

    def __str__(self) -> str:
        return self.text
