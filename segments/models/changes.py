"""Why single records entered or left, kept with the run that moved them."""

from django.db import models
from django.db.models import Q

from ..choices import RunCause
from .members import ONE_RECORD
from .runs import SegmentRun
from .segments import Segment


class MembershipChange(models.Model):
    """One record that entered or left, and what moved it.

    Kept up to 5,000 rows a run for the causes data and time, and for the others where no more than 500 moved; where
    `SegmentRun.causes_cut` is set, only the run's bitmaps name all who moved. `at` is
    the run's `as_of`. `field` is the key of the field that changed ("account.employee_count"), `old` and `new` its
    values as text, `words` the cause in plain English ("Employees 80 → 240", "90 days without visit"); all four are
    empty where nothing is known but the cause.
    """

    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="changes", db_index=False)
    run = models.ForeignKey(SegmentRun, on_delete=models.CASCADE, related_name="changes")
    account = models.ForeignKey(
        "accounts.Account", null=True, blank=True, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    contact = models.ForeignKey(
        "accounts.Contact", null=True, blank=True, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    entered = models.BooleanField()
    at = models.DateTimeField()
    cause = models.CharField(max_length=12, choices=RunCause.choices)
    field = models.CharField(max_length=120, blank=True, default="")
    old = models.CharField(max_length=200, blank=True, default="")
    new = models.CharField(max_length=200, blank=True, default="")
    words = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["segment", "-at", "-id"], name="segments_change_segment_at"),
            models.Index(
                fields=["account", "-at"], name="segments_change_account_at", condition=Q(account__isnull=False)
            ),
            models.Index(
                fields=["contact", "-at"], name="segments_change_contact_at", condition=Q(contact__isnull=False)
            ),
        ]
        constraints = [
            models.CheckConstraint(condition=ONE_RECORD, name="segments_change_one_record"),
            models.CheckConstraint(condition=Q(cause__in=RunCause.values), name="segments_change_cause_known"),
        ]

    def __str__(self) -> str:
        return f"{self.record_id} {'entered' if self.entered else 'left'} {self.segment_id}"

    @property
    def record_id(self) -> int:
        """Return the key of the account or contact."""
        return self.account_id or self.contact_id  # type: ignore[return-value]
