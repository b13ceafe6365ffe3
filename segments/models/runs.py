"""Every run that changed a segment's members, with who entered and who left."""

from django.db import models

from ..choices import RunCause
from .segments import Segment


class SegmentRun(models.Model):
    """One computation of the membership. `entered` and `left` are serialised roaring bitmaps of record keys.

    `version` is the rule's version that the run read. A run that failed changed nothing and says why in `error`.
    """

    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="runs")
    version = models.PositiveIntegerField()
    cause = models.CharField(max_length=12, choices=RunCause.choices)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()
    member_count = models.PositiveBigIntegerField(default=0)
    entered_count = models.PositiveBigIntegerField(default=0)
    left_count = models.PositiveBigIntegerField(default=0)
    entered = models.BinaryField(blank=True, default=bytes)
    left = models.BinaryField(blank=True, default=bytes)
    error = models.TextField(blank=True, default="")

    class Meta:
        ordering = ["segment", "-id"]
        indexes = [models.Index(fields=["segment", "-started_at"], name="segments_run_started")]
        constraints = [
            models.CheckConstraint(condition=models.Q(cause__in=RunCause.values), name="segments_run_cause_known")
        ]

    def __str__(self) -> str:
        return f"{self.segment_id} at {self.started_at:%Y-%m-%d %H:%M}"

    @property
    def duration_ms(self) -> int:
        """Return how long the run took, in milliseconds."""
        return round((self.finished_at - self.started_at).total_seconds() * 1000)
