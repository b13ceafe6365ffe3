"""Rows of the schedule: which slot of which task has been taken, and when worker and scheduler last showed life."""

from django.db import models


class ScheduleSlot(models.Model):
    """One slot of one scheduled task: unique, so that two schedulers start the work once."""

    task = models.CharField(max_length=80)
    slot = models.CharField(max_length=40, help_text="Local date of daily work, else the slot's number")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["task", "slot"], name="common_schedule_slot_once"),
        ]

    def __str__(self) -> str:
        return f"{self.task} {self.slot}"


class Heartbeat(models.Model):
    """When a part of the installation last showed life, by database time; read by /healthz."""

    name = models.CharField(max_length=40, primary_key=True)
    beat_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} {self.beat_at:%Y-%m-%d %H:%M:%S}"
