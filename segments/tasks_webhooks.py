"""Background work of webhooks: sending what waits, and sweeping what is old."""

from typing import Any

from segmentation_crm.common.jobs import JobRun, register, schedule

from .models import WebhookDelivery
from .webhooks import sending
from .webhooks.events import DELIVER

SWEEP = "webhook.sweep"


@register(DELIVER, queue="webhooks", title="Messages to a webhook")
def deliver_waiting(run: JobRun) -> dict[str, Any]:
    """Send every message of the webhook that is due."""
    return sending.deliver(int(run.payload["webhook"]), run)


@register(SWEEP, queue="webhooks", title="Old webhook messages")
def sweep_messages(run: JobRun) -> dict[str, Any]:
    """Delete messages that ended 30 days ago, and ring for what waits without a job."""
    return sending.sweep()


def _any_messages() -> bool:
    return WebhookDelivery.objects.exists()


schedule(SWEEP, every=900, only_if=_any_messages)
