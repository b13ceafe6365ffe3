"""Making, changing and switching webhooks; their secrets are returned once, and never stored readably."""

from collections.abc import Iterable
from datetime import timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone

from segmentation_crm.common.access import AnyUser, can
from segmentation_crm.common.models import User
from segmentation_crm.common.outbound import OutboundRefused, checked_url
from segmentation_crm.common.services import audit

from ..models import Segment, Webhook
from ..models.webhooks import WebhookEvent
from .events import ring
from .secrets import new_secret, sealed

CAPABILITY = "settings.write"
OLD_SECRET_FOR = timedelta(hours=24)
EVENTS = (WebhookEvent.ENTERED, WebhookEvent.LEFT)


def _check_may(user: AnyUser) -> None:
    if not can(user, CAPABILITY):
        raise PermissionDenied("Your role does not keep webhooks. An administrator can.")


def _checked(name: str, url: str, events: Iterable[str]) -> tuple[str, str, list[str]]:
    name, url = " ".join(str(name).split()), str(url).strip()
    if not name or len(name) > 120:
        raise ValidationError({"name": "Give the webhook a name of at most 120 characters."})
    try:
        checked_url(url)
    except OutboundRefused as refusal:
        raise ValidationError({"url": str(refusal)}) from None
    chosen = [event for event in EVENTS if event in set(events)]
    if not chosen:
        raise ValidationError({"events": f"Choose at least one of {', '.join(EVENTS)}."})
    return name, url, [str(event) for event in chosen]


def _set_segments(webhook: Webhook, segments: Iterable[Segment]) -> None:
    chosen = list(segments)
    webhook.every_segment = not chosen
    webhook.save(update_fields=["every_segment"])
    webhook.segments.set(chosen)


@transaction.atomic
def create_webhook(
    user: AnyUser, *, name: str, url: str, events: Iterable[str], segments: Iterable[Segment] = ()
) -> tuple[Webhook, str]:
    """Save a new webhook; return it with its secret, which is not shown again. No segments: every segment.

    Raises ValidationError naming the field, or PermissionDenied.
    """
    _check_may(user)
    name, url, chosen = _checked(name, url, events)
    secret = new_secret()
    webhook = Webhook.objects.create(
        name=name, url=url, events=chosen, secret=sealed(secret), created_by=user if isinstance(user, User) else None
    )
    _set_segments(webhook, segments)
    audit.record(user, "webhook.created", webhook, url=url, events=chosen)
    return webhook, secret


@transaction.atomic
def change_webhook(
    user: AnyUser, webhook: Webhook, *, name: str, url: str, events: Iterable[str], segments: Iterable[Segment] = ()
) -> Webhook:
    """Change name, address, events and segments; the secret stays.

    Raises ValidationError naming the field, or PermissionDenied.
    """
    _check_may(user)
    webhook.name, webhook.url, webhook.events = _checked(name, url, events)
    webhook.save(update_fields=["name", "url", "events", "updated_at"])
    _set_segments(webhook, segments)
    audit.record(user, "webhook.changed", webhook, url=webhook.url, events=webhook.events)
    return webhook


@transaction.atomic
def rotate_secret(user: AnyUser, webhook: Webhook) -> str:
    """Make a new secret and return it; the old one signs beside it for a day, so that receivers can change over.

    Raises PermissionDenied.
    """
    _check_may(user)
    secret = new_secret()
    webhook.old_secret, webhook.old_secret_until = webhook.secret, timezone.now() + OLD_SECRET_FOR
    webhook.secret = sealed(secret)
    webhook.save(update_fields=["secret", "old_secret", "old_secret_until", "updated_at"])
    audit.record(user, "webhook.secret_rotated", webhook)
    return secret


@transaction.atomic
def switch_webhook(user: AnyUser, webhook: Webhook, *, on: bool) -> None:
    """Turn a webhook on or off; what waited goes on when it is on again, what happened meanwhile is not told.

    Raises PermissionDenied.
    """
    _check_may(user)
    webhook.is_active, webhook.failing_since, webhook.disabled_reason = on, None, ""
    webhook.save(update_fields=["is_active", "failing_since", "disabled_reason", "updated_at"])
    audit.record(user, "webhook.switched_on" if on else "webhook.switched_off", webhook)
    if on:
        ring(webhook)


@transaction.atomic
def delete_webhook(user: AnyUser, webhook: Webhook) -> None:
    """Delete a webhook with its messages.

    Raises PermissionDenied.
    """
    _check_may(user)
    audit.record(user, "webhook.deleted", webhook, name=webhook.name, url=webhook.url)
    webhook.delete()
