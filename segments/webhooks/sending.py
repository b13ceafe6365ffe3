"""Sending what waits for a webhook: signed, one at a time, with growing pauses after a failure."""

import logging
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from segmentation_crm.common import outbound
from segmentation_crm.common.models import Role, User
from segmentation_crm.common.services.notifications import notify

from ..models import Webhook, WebhookDelivery
from ..models.webhooks import DeliveryState
from .events import ring
from .secrets import UnreadableSecret, opened, signature

logger = logging.getLogger(__name__)

# How long to wait after the first, second … failure; after the last the message is given up.
PAUSES = [
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(minutes=30),
    timedelta(hours=1),
    timedelta(hours=2),
    timedelta(hours=4),
    timedelta(hours=8),
    timedelta(hours=12),
    timedelta(hours=16),
    timedelta(hours=24),
]
OFF_AFTER = timedelta(days=3)
KEPT = timedelta(days=30)
# A receiver that fails so often in a row is left alone for the rest of the turn.
FAILURES_A_TURN = 3
GONE = 410


def deliver(webhook_id: int, run: Any) -> dict[str, int]:
    """Send every message that is due; what fails waits for its next time, for which a job is queued.

    `run`: the job, asked for cancel between messages. Each message takes at most 10 seconds and is a transaction.
    """
    sent = failed = in_a_row = 0
    while in_a_row < FAILURES_A_TURN:
        run.check_cancelled()
        webhook = Webhook.objects.filter(pk=webhook_id, is_active=True).first()
        delivery = _next(webhook_id) if webhook is not None else None
        if webhook is None or delivery is None:
            break
        outcome = attempt(webhook, delivery)
        with transaction.atomic():
            good = note(webhook, delivery, outcome)
            sent, failed = sent + good, failed + (not good)
            run.commit_chunk(done=sent + failed, unit="messages")
        in_a_row = 0 if good else in_a_row + 1
    _ring_for_the_rest(webhook_id, now_failing=in_a_row >= FAILURES_A_TURN)
    return {"delivered": sent, "failed": failed}


def _next(webhook_id: int) -> WebhookDelivery | None:
    rows = WebhookDelivery.objects.filter(webhook=webhook_id, state=DeliveryState.WAITING)
    return rows.filter(next_at__lte=timezone.now()).order_by("next_at", "pk").first()


def _ring_for_the_rest(webhook_id: int, *, now_failing: bool) -> None:
    webhook = Webhook.objects.filter(pk=webhook_id, is_active=True).first()
    rows = WebhookDelivery.objects.filter(webhook=webhook_id, state=DeliveryState.WAITING)
    next_at = rows.order_by("next_at").values_list("next_at", flat=True).first()
    if webhook is None or next_at is None:
        return
    pause = max(next_at - timezone.now(), timedelta(0))
    # A receiver that is down is not asked about every waiting message in turn.
    ring(webhook, max(pause, PAUSES[0]) if now_failing else pause)


class Outcome:
    """How one attempt ended. error: "" where the receiver took the message."""

    def __init__(self, status: int | None, error: str, answer: str = "", seconds: float = 0.0) -> None:
        self.status, self.error, self.answer, self.seconds = status, error, answer, seconds


def attempt(webhook: Webhook, delivery: WebhookDelivery) -> Outcome:
    """Send one message once; never raises for what the receiver does."""
    body = delivery.body.encode()
    timestamp = int(timezone.now().timestamp())
    try:
        signatures = [signature(secret, delivery.message_id, timestamp, body) for secret in secrets_of(webhook)]
    except UnreadableSecret:
        return Outcome(None, "The secret cannot be read since the server's key changed: make a new one.")
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "SegmentationCRM-Webhooks/1",
        "webhook-id": delivery.message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signatures),
    }
    try:
        answer = outbound.post(webhook.url, body, headers)
    except (outbound.OutboundRefused, outbound.OutboundFailed) as problem:
        return Outcome(None, str(problem)[:500])
    text = "".join(char if char.isprintable() else " " for char in answer.body.decode("utf-8", "replace"))[:500]
    if 200 <= answer.status < 300:
        return Outcome(answer.status, "", text, answer.seconds)
    words = f"The receiver answered {answer.status}."
    if 300 <= answer.status < 400:
        words = f"The receiver answered {answer.status}: redirects are not followed. Enter the final address."
    return Outcome(answer.status, words, text, answer.seconds)


def secrets_of(webhook: Webhook) -> list[str]:
    """Return the secrets that sign now: the current one, and for a day after a change the one before.

    Raises UnreadableSecret.
    """
    found = [opened(webhook.secret)]
    if webhook.old_secret and webhook.old_secret_until and webhook.old_secret_until > timezone.now():
        found.append(opened(webhook.old_secret))
    return found


def note(webhook: Webhook, delivery: WebhookDelivery, outcome: Outcome) -> bool:
    """Write how an attempt ended, on the message and on the webhook; return whether it was taken (2–4 queries)."""
    now = timezone.now()
    delivery.attempts += 1
    delivery.status, delivery.error, delivery.answer = outcome.status, outcome.error, outcome.answer
    delivery.duration_ms = round(outcome.seconds * 1000)
    if not outcome.error:
        delivery.state, delivery.finished_at, delivery.next_at = DeliveryState.DELIVERED, now, None
    elif delivery.attempts > len(PAUSES):
        delivery.state, delivery.finished_at, delivery.next_at = DeliveryState.FAILED, now, None
    else:
        delivery.next_at = now + PAUSES[delivery.attempts - 1]
    delivery.save(
        update_fields=[
            "attempts", "status", "error", "answer", "duration_ms", "state", "finished_at", "next_at",
        ]
    )  # fmt: skip
    _note_webhook(webhook, outcome, now)
    return not outcome.error


def _note_webhook(webhook: Webhook, outcome: Outcome, now: datetime) -> None:
    if not outcome.error:
        if webhook.failing_since is not None:
            Webhook.objects.filter(pk=webhook.pk).update(failing_since=None)
        return
    if webhook.failing_since is None:
        webhook.failing_since = now
        Webhook.objects.filter(pk=webhook.pk).update(failing_since=now)
    if outcome.status == GONE:
        _switch_off(webhook, "The receiver answered 410: it wants no more messages.")
    elif now - webhook.failing_since >= OFF_AFTER:
        _switch_off(webhook, f"It failed for three days without a break. The last time: {outcome.error}")


def _switch_off(webhook: Webhook, reason: str) -> None:
    """Turn the webhook off and tell who made it and the administrators, once."""
    webhook.is_active, webhook.disabled_reason = False, reason[:300]
    Webhook.objects.filter(pk=webhook.pk).update(is_active=False, disabled_reason=reason[:300])
    told = User.objects.filter(is_active=True, role=Role.ADMIN)
    moment = f"{webhook.failing_since:%Y%m%d%H%M}" if webhook.failing_since else "gone"
    for user in told:
        notify(
            user, "webhook", f"webhook-off:{webhook.pk}:{moment}", f"The webhook “{webhook.name}” was switched off",
            reason, f"/settings/webhooks/{webhook.pk}/", email=True,
        )  # fmt: skip
    logger.warning("Webhook %s switched off: %s", webhook.pk, reason)


def sweep() -> dict[str, int]:
    """Delete messages that ended 30 days ago, and ring for what waits without a job (4 queries and more)."""
    ended = WebhookDelivery.objects.exclude(state=DeliveryState.WAITING).filter(finished_at__lt=timezone.now() - KEPT)
    stale = WebhookDelivery.objects.filter(state=DeliveryState.WAITING, created_at__lt=timezone.now() - KEPT)
    gone = ended.delete()[0] + stale.delete()[0]
    due = WebhookDelivery.objects.filter(state=DeliveryState.WAITING, next_at__lte=timezone.now())
    waiting = Webhook.objects.filter(is_active=True, pk__in=due.values("webhook"))
    for webhook in waiting:
        ring(webhook)
    return {"deleted": gone, "rung": len(waiting)}
