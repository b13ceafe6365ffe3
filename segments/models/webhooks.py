"""Webhooks: where other systems are told who entered and left segments, and every message to them."""

import uuid

from django.conf import settings
from django.db import models

from .segments import Segment


class WebhookEvent(models.TextChoices):
    """What a webhook tells."""

    ENTERED = "segment.entered", "Records entered a segment"
    LEFT = "segment.left", "Records left a segment"
    TEST = "webhook.test", "A test"


class DeliveryState(models.TextChoices):
    """Where a message stands."""

    WAITING = "waiting", "Waiting"
    DELIVERED = "delivered", "Delivered"
    FAILED = "failed", "Given up"


class Webhook(models.Model):
    """One address that is told.

    `events` holds values of WebhookEvent; `segments` counts only where `every_segment` is off. `secret` and
    `old_secret` are encrypted; the old one signs beside the new until `old_secret_until`. `failing_since`: when the
    receiver last began to fail.
    """

    name = models.CharField(max_length=120)
    url = models.CharField(max_length=2000)
    events = models.JSONField(default=list)
    # Said apart, so that a segment that goes never turns "these" into "all".
    every_segment = models.BooleanField(default=True)
    segments = models.ManyToManyField(Segment, blank=True, related_name="webhooks")
    secret = models.TextField(editable=False)
    old_secret = models.TextField(blank=True, default="", editable=False)
    old_secret_until = models.DateTimeField(null=True, blank=True, editable=False)
    is_active = models.BooleanField(default=True)
    failing_since = models.DateTimeField(null=True, blank=True, editable=False)
    disabled_reason = models.CharField(max_length=300, blank=True, default="", editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name", "id"]
        constraints = [models.CheckConstraint(condition=~models.Q(url=""), name="segments_webhook_has_url")]

    def __str__(self) -> str:
        return self.name


class WebhookDelivery(models.Model):
    """One message to one webhook: `body` is what is sent, the same at every attempt, under the same `message_id`."""

    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    message_id = models.CharField(max_length=40, unique=True)
    event = models.CharField(max_length=30, choices=WebhookEvent.choices)
    segment = models.ForeignKey(Segment, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    records = models.PositiveIntegerField(default=0)
    body = models.TextField()
    state = models.CharField(max_length=10, choices=DeliveryState.choices, default=DeliveryState.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(null=True, blank=True)
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    error = models.CharField(max_length=500, blank=True, default="")
    answer = models.CharField(max_length=500, blank=True, default="")
    duration_ms = models.PositiveIntegerField(null=True, blank=True)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["webhook", "state", "next_at"], name="segments_delivery_due"),
            models.Index(fields=["state", "finished_at"], name="segments_delivery_finished"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=DeliveryState.values), name="segments_delivery_state_known"
            )
        ]

    def __str__(self) -> str:
        return self.message_id

    @staticmethod
    def new_message_id() -> str:
        """Return an id that no message has had."""
        return f"msg_{uuid.uuid4().hex}"
