"""Members kept whole at some runs, so that reading a past moment need not begin with the first run."""

from django.db import models

from .runs import SegmentRun
from .segments import Segment


class SegmentState(models.Model):
    """The members of a segment after a run: all runs with a key up to this run's, folded.

    `members` is a serialised roaring bitmap. `as_of` is the latest moment among those runs: for every moment from then
    on the state and the later runs give the members.
    """

    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="states", db_index=False)
    run = models.OneToOneField(SegmentRun, on_delete=models.CASCADE, related_name="state")
    as_of = models.DateTimeField()
    members = models.BinaryField()

    class Meta:
        ordering = ["segment_id", "-run_id"]
        indexes = [models.Index(fields=["segment", "-as_of", "-run"], name="segments_state_as_of")]

    def __str__(self) -> str:
        return f"{self.segment_id} after run {self.run_id}"
