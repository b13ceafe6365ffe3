"""From runs to messages: written in the transaction that changed the members, sent by a job after it commits."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone
from pyroaring import BitMap

from segmentation_crm.common.jobs import enqueue

from ..models import Segment, SegmentRun, Webhook, WebhookDelivery
from ..models.webhooks import DeliveryState, WebhookEvent

# Keys a message holds at most; who brings in thousands at once sends several.
BATCH = 5_000
DELIVER = "webhook.deliver"


def tell_webhooks(segment_id: int, run_ids: list[int]) -> None:
    """Write the messages of new runs for every webhook that wants them (1 query where there is none)."""
    if not Webhook.objects.filter(is_active=True).exists():
        return
    wanted = list(
        Webhook.objects.filter(Q(segments=segment_id) | Q(every_segment=True), is_active=True).order_by("pk").distinct()
    )
    if not wanted:
        return
    segment = Segment.objects.get(pk=segment_id)
    now = timezone.now()
    for run in SegmentRun.objects.filter(pk__in=run_ids, error=""):
        moves = {
            WebhookEvent.ENTERED: BitMap.deserialize(bytes(run.entered)) if run.entered else BitMap(),
            WebhookEvent.LEFT: BitMap.deserialize(bytes(run.left)) if run.left else BitMap(),
        }
        for event, keys in moves.items():
            listeners = [webhook for webhook in wanted if event in webhook.events]
            if not listeners:
                continue
            # One message's body is the same for all listeners; only its id differs.
            for body, count in _bodies(event, segment, run, keys):
                WebhookDelivery.objects.bulk_create([_delivery(w, event, segment, body, count, now) for w in listeners])
    for webhook in wanted:
        ring(webhook)


def _bodies(event: str, segment: Segment, run: SegmentRun, keys: BitMap) -> Iterator[tuple[str, int]]:
    """Yield the messages of one run and event: body and number of records, at most 5,000 in each."""
    batches = -(-len(keys) // BATCH)
    for number in range(batches):
        part = list(keys[number * BATCH : (number + 1) * BATCH])
        data = {
            "segment": {
                "id": segment.pk,
                "slug": segment.slug,
                "name": segment.name,
                "member_type": segment.member_type,
                "version": run.version,
            },
            "run": run.pk,
            "cause": run.cause,
            "as_of": _iso(run.as_of or run.started_at),
            "members": part,
            "count": len(keys),
            "batch": number + 1,
            "batches": batches,
        }
        yield envelope(event, data, run.finished_at), len(part)


def envelope(event: str, data: dict[str, Any], at: datetime) -> str:
    """Return the body of a message: type, when it happened, and the data."""
    return json.dumps({"type": event, "timestamp": _iso(at), "data": data}, separators=(",", ":"), ensure_ascii=False)


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _delivery(
    webhook: Webhook, event: str, segment: Segment | None, body: str, count: int, now: datetime
) -> WebhookDelivery:
    return WebhookDelivery(
        webhook=webhook,
        message_id=WebhookDelivery.new_message_id(),
        event=event,
        segment=segment,
        records=count,
        body=body,
        next_at=now,
        created_at=now,
    )


def send_test(webhook: Webhook) -> WebhookDelivery:
    """Queue a message that says only that it is a test (3 queries)."""
    now = timezone.now()
    data = {"webhook": {"id": webhook.pk, "name": webhook.name}, "message": "This is a test. Nothing happened."}
    delivery = _delivery(webhook, WebhookEvent.TEST, None, envelope(WebhookEvent.TEST, data, now), 0, now)
    delivery.save(force_insert=True)
    ring(webhook)
    return delivery


def send_again(delivery: WebhookDelivery) -> None:
    """Queue a message anew under the same id, so that a receiver who had it knows it again (3 queries)."""
    WebhookDelivery.objects.filter(pk=delivery.pk).update(
        state=DeliveryState.WAITING, attempts=0, next_at=timezone.now(), finished_at=None, error="", status=None
    )
    ring(delivery.webhook)


def ring(webhook: Webhook, after: timedelta | None = None) -> None:
    """Queue the sending of what waits for a webhook: one job runs, one follows (2–3 queries)."""
    enqueue(
        DELIVER,
        key=f"webhook:{webhook.pk}",
        payload={"webhook": webhook.pk},
        title=f"Messages to “{webhook.name}”",
        due_at=None if after is None else timezone.now() + after,
    )
