"""Every run that changed a segment's members, with who entered and who left."""

from django.db import models

from ..choices import RunCause
from .segments import Segment


class SegmentRun(models.Model):
    """One computation of the membership. `entered` and `left` are serialised roaring bitmaps of record keys.

    `version` is the rule's version that the run read; `as_of` the effective moment at which its data were read: the
    members from then on, until the next run. A run that failed changed nothing and says why in `error`. `causes_cut`
    says that more records moved than `MembershipChange` rows are kept of the run.
    """

    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="runs")
    version = models.PositiveIntegerField()
    cause = models.CharField(max_length=12, choices=RunCause.choices)
    as_of = models.DateTimeField()
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()
    member_count = models.PositiveBigIntegerField(default=0)
    entered_count = models.PositiveBigIntegerField(default=0)
    left_count = models.PositiveBigIntegerField(default=0)
    entered = models.BinaryField(blank=True, default=bytes)
    left = models.BinaryField(blank=True, default=bytes)
    error = models.TextField(blank=True, default="")
    causes_cut = models.BooleanField(default=False)

    class Meta:
        ordering = ["segment", "-id"]
        indexes = [
            models.Index(fields=["segment", "-started_at"], name="segments_run_started"),
            models.Index(fields=["segment", "as_of"], name="segments_run_as_of"),
            models.Index(fields=["-as_of", "-id"], name="segments_run_cut", condition=models.Q(causes_cut=True)),
        ]
        constraints = [
            models.CheckConstraint(condition=models.Q(cause__in=RunCause.values), name="segments_run_cause_known")
        ]

    def __str__(self) -> str:
        return f"{self.segment_id} at {self.started_at:%Y-%m-%d %H:%M}"

    @property
    def duration_ms(self) -> int:
        """Return how long the run took, in milliseconds."""
        return round((self.finished_at - self.started_at).total_seconds() * 1000)
