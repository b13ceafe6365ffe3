"""The form of a webhook."""

from django import forms

from .models import Segment, Webhook
from .models.webhooks import WebhookEvent
from .webhooks.changing import EVENTS


class WebhookForm(forms.Form):
    """Name, address, events and segments of a webhook; whether the address may be called is the service's to say."""

    name = forms.CharField(max_length=120, label="Name", help_text="Which system is told.")
    url = forms.CharField(
        max_length=2000,
        label="Address",
        help_text="Begins with https:// and lies on the public internet. Redirects are not followed.",
        widget=forms.URLInput(attrs={"placeholder": "https://example.com/hooks/segments"}),
    )
    events = forms.MultipleChoiceField(
        choices=[(event.value, event.label) for event in EVENTS], widget=forms.CheckboxSelectMultiple, label="Tell when"
    )
    segments = forms.ModelMultipleChoiceField(
        queryset=Segment.objects.none(),
        required=False,
        label="Of these segments",
        help_text="None chosen: of every segment, later ones too.",
        widget=forms.SelectMultiple({"data-picker": ""}),
    )

    def __init__(self, data: object, *, segments: object, webhook: Webhook | None = None) -> None:
        initial: dict[str, object] = {"events": [WebhookEvent.ENTERED, WebhookEvent.LEFT]}
        if webhook is not None:
            initial = {
                "name": webhook.name,
                "url": webhook.url,
                "events": webhook.events,
                "segments": [] if webhook.every_segment else list(webhook.segments.all()),
            }
        super().__init__(data, initial=initial)  # type: ignore[arg-type]
        self.fields["segments"].queryset = segments  # type: ignore[attr-defined]
