"""Job rows: the truth about background work (the broker only rings)."""

import uuid

from django.conf import settings
from django.db import models


class JobState(models.TextChoices):
    """Where a job stands."""

    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


ACTIVE_STATES = (JobState.QUEUED, JobState.RUNNING)


class Job(models.Model):
    """One piece of background work, written in the transaction that causes it.

    `key` names what the job works on ("segment:12"): of one kind and key only one is queued or running.
    `attempt` counts claims since the last committed chunk; `fence` grows with each claim, and a worker commits
    only while its fence still stands; `lease_until` is when another worker may take over, at once where the
    process named by `claimed_by` is gone from this machine. `rung_at` is when the broker was last told.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=60)
    key = models.CharField(max_length=200, blank=True, default="")
    title = models.CharField(max_length=200, blank=True, default="")
    payload = models.JSONField(default=dict, blank=True)
    payload_version = models.PositiveSmallIntegerField(default=1)
    queue = models.CharField(max_length=20, default="default")
    state = models.CharField(max_length=10, choices=JobState.choices, default=JobState.QUEUED)
    done_units = models.PositiveBigIntegerField(default=0)
    total_units = models.PositiveBigIntegerField(null=True, blank=True)
    unit = models.CharField(max_length=40, blank=True, default="")
    checkpoint = models.JSONField(default=dict, blank=True)
    attempt = models.PositiveSmallIntegerField(default=0)
    fence = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    claimed_by = models.CharField(max_length=120, blank=True, default="")
    due_at = models.DateTimeField()
    rung_at = models.DateTimeField(null=True, blank=True)
    cancel_requested = models.BooleanField(default=False)
    result = models.JSONField(default=dict, blank=True)
    error = models.TextField(blank=True, default="")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="jobs"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["state", "due_at"], name="common_job_state_due"),
            models.Index(fields=["kind", "key", "state"], name="common_job_kind_key_state"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "key"],
                condition=models.Q(state=JobState.QUEUED) & ~models.Q(key=""),
                name="common_job_one_queued_per_key",
            ),
            models.UniqueConstraint(
                fields=["kind", "key"],
                condition=models.Q(state=JobState.RUNNING) & ~models.Q(key=""),
                name="common_job_one_running_per_key",
            ),
            models.CheckConstraint(condition=models.Q(state__in=JobState.values), name="common_job_state_known"),
        ]

    def __str__(self) -> str:
        return self.title or f"{self.kind} {self.key}".strip()

    @property
    def progress(self) -> float | None:
        """Return the share done, 0 to 1, or None where the total is not known yet."""
        if self.state == JobState.DONE:
            return 1.0
        if not self.total_units:
            return None
        return min(1.0, self.done_units / self.total_units)

    @property
    def is_active(self) -> bool:
        """Tell whether the job is queued or running."""
        return self.state in ACTIVE_STATES
