"""What refreshes of all segments keep between them."""

from django.db import models

from ..choices import RunCause
from .segments import Segment


class RefreshState(models.Model):
    """The one row (id 1) that whoever stores members by rule holds locked until the end of the transaction.

    `taken` counts the refreshes that took changes: a rebuild that began before one of them starts again, because what
    that one took may have changed under it. `refreshed_at` is the moment of the last refresh, `woken_at` of the last
    that also looked at time passing; `duration_ms` and `rows` tell of the last one that took changes.
    """

    taken = models.PositiveBigIntegerField(default=0)
    refreshed_at = models.DateTimeField(null=True, blank=True)
    woken_at = models.DateTimeField(null=True, blank=True)
    duration_ms = models.PositiveIntegerField(default=0)
    rows = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"Refreshed at {self.refreshed_at}"


class MovedMembers(models.Model):
    """Keys that entered or left a segment outside of a refresh: the next one touches them for those that read it."""

    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="+")
    cause = models.CharField(max_length=12, choices=RunCause.choices)
    keys = models.BinaryField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(cause__in=RunCause.values), name="segments_moved_cause_known")
        ]

    def __str__(self) -> str:
        return f"Moved in {self.segment_id}"
