"""Who changed what on a record, and merges of two records into one."""

from django.conf import settings
from django.db import models

from ..choices import ChangeAction, ChangeVia, RecordType
from .columns import closed


class RecordChange(models.Model):
    """One act on one record: who, by which way, and each field's value before and after.

    `changes` is a list of {"field", "old", "new"} with JSON values (ids for references, lists for multi fields).
    `batch` ties the rows of one bulk act or merge together. An undo is a change of its own that `undone_by` names.
    """

    record_type = models.CharField(max_length=16, choices=RecordType.choices)
    record_id = models.PositiveBigIntegerField()
    at = models.DateTimeField()
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    actor_name = models.CharField(max_length=200, blank=True, default="")
    action = models.CharField(max_length=16, choices=ChangeAction.choices)
    via = models.CharField(max_length=16, choices=ChangeVia.choices, default=ChangeVia.SYSTEM)
    changes = models.JSONField(default=list, blank=True)
    batch = models.UUIDField(null=True, blank=True)
    undone_by = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="undoes")

    class Meta:
        ordering = ["-at", "-id"]
        constraints = [*closed("recordchange", record_type=RecordType, action=ChangeAction, via=ChangeVia)]
        indexes = [
            models.Index(fields=["record_type", "record_id", "-at"], name="accounts_change_record"),
            models.Index(fields=["record_type", "-at"], name="accounts_change_at"),
            models.Index(fields=["batch"], condition=models.Q(batch__isnull=False), name="accounts_change_batch"),
        ]

    def __str__(self) -> str:
        return f"{self.actor_name} {self.action} {self.record_type} {self.record_id}"


class RecordMerge(models.Model):
    """Two records that became one: what was chosen and what moved, so that the merge can be undone."""

    record_type = models.CharField(max_length=16, choices=RecordType.choices)
    kept_id = models.PositiveBigIntegerField()
    gone_id = models.PositiveBigIntegerField()
    at = models.DateTimeField()
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    choices = models.JSONField(default=dict, blank=True, help_text="Field -> kept or gone")
    before = models.JSONField(default=dict, blank=True, help_text="Values of the kept record before the merge")
    moved = models.JSONField(default=dict, blank=True, help_text="Table -> keys of the rows that moved")
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-at", "-id"]
        constraints = [
            *closed("recordmerge", record_type=RecordType),
            models.CheckConstraint(
                condition=~models.Q(kept_id=models.F("gone_id")),
                name="accounts_recordmerge_two_records",
                violation_error_message="A record cannot be merged into itself.",
            ),
        ]
        indexes = [
            models.Index(fields=["record_type", "kept_id"], name="accounts_merge_kept"),
            models.Index(fields=["record_type", "gone_id"], name="accounts_merge_gone"),
        ]

    def __str__(self) -> str:
        return f"{self.record_type} {self.gone_id} into {self.kept_id}"
