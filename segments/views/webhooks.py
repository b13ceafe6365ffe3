"""Pages of webhooks in the settings area: the list, one with its messages, the secret shown once."""

import json
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from segmentation_crm.common.paging import keyset_page
from segmentation_crm.common.settings_area import carry_out, cell, settings_page, settings_view

from ..forms_webhooks import WebhookForm
from ..models import Webhook, WebhookDelivery
from ..models.webhooks import DeliveryState, WebhookEvent
from ..overlap import candidates
from ..webhooks import changing
from ..webhooks.events import send_again, send_test

NEEDS = changing.CAPABILITY


@settings_view(NEEDS)
@require_GET
def webhook_list(request: HttpRequest) -> HttpResponse:
    """List the webhooks (3 queries)."""
    page = keyset_page(request, Webhook.objects.prefetch_related("segments").order_by("name", "pk"))
    context = {
        "title": "Webhooks",
        "intro": "Other systems that are told at once who enters and leaves a segment.",
        "new_url": reverse("webhooks:new"),
        "new_label": "New webhook",
        "search": None,
        "heads": ["Webhook", "Address", "Of segments", "State"],
        "rows": [
            [
                cell(webhook.name, url=reverse("webhooks:detail", args=[webhook.pk])),
                cell(webhook.url, label="Address"),
                cell(segments_words(webhook), label="Of segments"),
                cell(state_words(webhook), label="State"),
            ]
            for webhook in page.rows
        ],
        "page": page,
        "unit": "webhook",
        "units": "webhooks",
        "empty_icon": "bolt",
        "empty_title": "No webhooks yet",
        "empty_text": "A webhook sends a signed message to an address of yours when records enter or leave segments.",
    }
    return settings_page(request, "settings/list.html", context)


def segments_words(webhook: Webhook) -> str:
    """Return which segments a webhook tells of (0 queries where they are prefetched)."""
    if webhook.every_segment:
        return "every segment"
    names = [segment.name for segment in webhook.segments.all()]
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return (", ".join(names[:3]) + more) or "none: the chosen ones are gone"


def state_words(webhook: Webhook) -> str:
    """Return how a webhook stands, in a word or two."""
    if not webhook.is_active:
        return "Switched off by itself" if webhook.disabled_reason else "Off"
    return "Failing" if webhook.failing_since else "On"


@settings_view(NEEDS)
@require_http_methods(["GET", "POST"])
@sensitive_variables("secret")
def webhook_new(request: HttpRequest) -> HttpResponse:
    """Add a webhook; the answer shows its secret, once."""
    form = WebhookForm(request.POST or None, segments=candidates(request.user))
    made: list[tuple[Webhook, str]] = []
    is_sent = request.method == "POST" and form.is_valid()
    if is_sent and carry_out(form, lambda: made.append(changing.create_webhook(request.user, **form.cleaned_data))):
        webhook, secret = made[0]
        return _show_secret(request, webhook, secret, is_new=True)
    return _form_page(request, form, "New webhook", reverse("webhooks:list"), "Webhooks", "Make the webhook")


@settings_view(NEEDS)
@require_http_methods(["GET", "POST"])
def webhook_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change name, address, events and segments."""
    webhook = get_object_or_404(Webhook, pk=pk)
    form = WebhookForm(request.POST or None, segments=candidates(request.user), webhook=webhook)
    is_sent = request.method == "POST" and form.is_valid()
    if is_sent and carry_out(form, lambda: changing.change_webhook(request.user, webhook, **form.cleaned_data)):
        messages.success(request, f"“{webhook.name}” is saved.")
        return redirect("webhooks:detail", pk)
    return _form_page(request, form, webhook.name, reverse("webhooks:detail", args=[pk]), webhook.name, "Save")


def _form_page(
    request: HttpRequest, form: WebhookForm, title: str, back_url: str, back_label: str, submit: str
) -> HttpResponse:
    context = {
        "title": title,
        "form": form,
        "back_url": back_url,
        "back_label": back_label,
        "submit_label": submit,
        "intro": "Messages are signed, so that the receiver knows they come from here.",
    }
    return settings_page(request, "settings/form.html", context)


@sensitive_variables("secret")
def _show_secret(request: HttpRequest, webhook: Webhook, secret: str, *, is_new: bool) -> HttpResponse:
    context = {"title": webhook.name, "webhook": webhook, "secret": secret, "is_new": is_new}
    response = settings_page(request, "segments/webhook_secret.html", context)
    response["Cache-Control"] = "no-store"
    return response


@settings_view(NEEDS)
@require_GET
def webhook_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a webhook with its messages, the latest first (4 queries)."""
    webhook = get_object_or_404(Webhook.objects.prefetch_related("segments"), pk=pk)
    rows = WebhookDelivery.objects.filter(webhook=webhook).defer("body").select_related("segment").order_by("-pk")
    chosen = request.GET.get("state", "")
    if chosen in DeliveryState.values:
        rows = rows.filter(state=chosen)
    events = [WebhookEvent(event).label for event in webhook.events]
    context: dict[str, Any] = {
        "title": webhook.name,
        "webhook": webhook,
        "events": events,
        "segments_words": segments_words(webhook),
        "state_words": state_words(webhook),
        "page": keyset_page(request, rows),
        "states": DeliveryState.choices,
        "chosen_state": chosen,
    }
    return settings_page(request, "segments/webhook_detail.html", context)


@settings_view(NEEDS)
@require_GET
def webhook_delivery(request: HttpRequest, pk: int, delivery: int) -> HttpResponse:
    """Show one message: what was sent, and what came back (2 queries)."""
    found = get_object_or_404(WebhookDelivery.objects.select_related("webhook", "segment"), pk=delivery, webhook=pk)
    body = json.dumps(json.loads(found.body), indent=2, ensure_ascii=False)
    context = {"title": found.message_id, "webhook": found.webhook, "delivery": found, "body": body[:20_000]}
    return settings_page(request, "segments/webhook_delivery.html", context)


# --- what one can do ---
@require_POST
@settings_view(NEEDS)
def webhook_redeliver(request: HttpRequest, pk: int, delivery: int) -> HttpResponse:
    """Send one message again, under the same id."""
    found = get_object_or_404(WebhookDelivery.objects.select_related("webhook"), pk=delivery, webhook=pk)
    if not found.webhook.is_active:
        messages.error(request, "The webhook is off. Switch it on first.")
    elif found.state == DeliveryState.WAITING and found.attempts == 0:
        messages.info(request, "It waits to be sent already.")
    else:
        send_again(found)
        messages.success(request, "It is being sent again.")
    return redirect("webhooks:delivery", pk, delivery)


@require_POST
@settings_view(NEEDS)
def webhook_test(request: HttpRequest, pk: int) -> HttpResponse:
    """Send a test message."""
    webhook = get_object_or_404(Webhook, pk=pk)
    if not webhook.is_active:
        messages.error(request, "The webhook is off. Switch it on first.")
    else:
        send_test(webhook)
        messages.success(request, "A test is on its way; it stands below with its answer in a moment.")
    return redirect("webhooks:detail", pk)


@require_POST
@settings_view(NEEDS)
@sensitive_variables("secret")
def webhook_rotate(request: HttpRequest, pk: int) -> HttpResponse:
    """Make a new secret and show it, once."""
    webhook = get_object_or_404(Webhook, pk=pk)
    secret = changing.rotate_secret(request.user, webhook)
    return _show_secret(request, webhook, secret, is_new=False)


@require_POST
@settings_view(NEEDS)
def webhook_switch(request: HttpRequest, pk: int) -> HttpResponse:
    """Turn a webhook on or off."""
    webhook = get_object_or_404(Webhook, pk=pk)
    on = request.POST.get("on") == "1"
    changing.switch_webhook(request.user, webhook, on=on)
    messages.success(request, f"“{webhook.name}” is {'on' if on else 'off'}.")
    return redirect("webhooks:detail", pk)


@require_POST
@settings_view(NEEDS)
def webhook_delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete a webhook with its messages."""
    webhook = get_object_or_404(Webhook, pk=pk)
    name = webhook.name
    changing.delete_webhook(request.user, webhook)
    messages.success(request, f"“{name}” is deleted.")
    return redirect("webhooks:list")
