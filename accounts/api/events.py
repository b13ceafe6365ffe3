"""Shapes of the call that takes in many events."""

from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from segmentation_crm.common.api.serializers import StrictSerializer

from ..choices import ActivityType, Channel, Direction, Party
from ..services.event_values import USUAL_SOURCE
from ..services.events import MOST_EVENTS

MAX_EVENTS_BYTES = 5 * 1024 * 1024


class EventsSerializer(StrictSerializer):
    """The body as it is taken: a list of anything; what an event may hold is judged event by event."""

    events = serializers.ListField(
        max_length=MOST_EVENTS,
        error_messages={
            "max_length": "Send at most {max_length} events a call.",
            "not_a_list": "Give an array of events.",
        },
    )

    def to_internal_value(self, data: Any) -> Any:
        """Return the list; ten thousand values pass no serializer fields.

        Raises ValidationError.
        """
        events = data.get("events") if isinstance(data, dict) else None
        if isinstance(events, list) and len(data) == 1:
            if len(events) > MOST_EVENTS:
                words = f"Send at most {MOST_EVENTS:,} events a call; these are {len(events):,}."
                raise serializers.ValidationError({"events": [ErrorDetail(words, "max_length")]})
            return {"events": events}
        return super().to_internal_value(data)


class EventSerializer(serializers.Serializer):
    """One event. A contact is named by id, by its number in another system, or by e-mail address."""

    type = serializers.ChoiceField(choices=ActivityType.choices)
    occurred_at = serializers.DateTimeField(help_text="With its time zone; at most 5 minutes ahead, not before 1990.")
    external_id = serializers.CharField(
        max_length=200, required=False, help_text="The event's number where it comes from: it is stored once."
    )
    source = serializers.CharField(  # type: ignore[assignment]
        max_length=60, required=False, help_text=f'The system it comes from; "{USUAL_SOURCE}" unless given.'
    )
    contact = serializers.IntegerField(min_value=1, required=False, help_text="Id of the contact.")
    contact_external_id = serializers.CharField(
        max_length=200, required=False, help_text="The contact's number in `contact_source`."
    )
    contact_source = serializers.CharField(
        max_length=60, required=False, help_text="The system of that number; the event's own unless given."
    )
    email = serializers.CharField(max_length=254, required=False, help_text="Address of the contact.")
    account = serializers.IntegerField(
        min_value=1, required=False, help_text="Where the contact worked at that moment unless given."
    )
    opportunity = serializers.IntegerField(min_value=1, required=False)
    campaign = serializers.CharField(required=False, help_text="Id, slug or name.")
    content = serializers.IntegerField(min_value=1, required=False)
    topic = serializers.CharField(required=False, help_text="Id, slug or name.")
    user = serializers.CharField(required=False, help_text="Id or username of who of us called, met or wrote.")
    direction = serializers.ChoiceField(
        choices=Direction.choices, required=False, help_text="By the type unless given."
    )
    channel = serializers.ChoiceField(choices=Channel.choices, required=False)
    party = serializers.ChoiceField(choices=Party.choices, required=False)
    subject = serializers.CharField(max_length=255, required=False)
    text = serializers.CharField(required=False)
    visitor_id = serializers.CharField(max_length=80, required=False, help_text="Of an anonymous visitor.")
    url_path = serializers.CharField(max_length=1000, required=False)
    entry_page = serializers.CharField(max_length=1000, required=False)
    referrer = serializers.CharField(max_length=1000, required=False)
    utm_source = serializers.CharField(max_length=200, required=False)
    utm_medium = serializers.CharField(max_length=200, required=False)
    utm_campaign = serializers.CharField(max_length=200, required=False)
    utm_term = serializers.CharField(max_length=200, required=False)
    utm_content = serializers.CharField(max_length=200, required=False)
    provider = serializers.CharField(max_length=120, required=False)
    duration_s = serializers.IntegerField(min_value=0, max_value=2**31 - 1, required=False)
    value = serializers.DecimalField(max_digits=20, decimal_places=4, required=False)
    intent_score = serializers.DecimalField(max_digits=7, decimal_places=3, min_value=0, max_value=100, required=False)
    baseline = serializers.DecimalField(max_digits=7, decimal_places=3, min_value=0, max_value=100, required=False)
    nps = serializers.IntegerField(min_value=0, max_value=10, required=False)
    bot_suspected = serializers.BooleanField(required=False)


class EventsBodySerializer(serializers.Serializer):
    """Up to 10,000 events, in at most 5 MiB."""

    events = serializers.ListField(child=EventSerializer(), max_length=MOST_EVENTS)


class EventProblemSerializer(serializers.Serializer):
    """What is wrong with one field of one event; `index` counts from 0."""

    index = serializers.IntegerField()
    field = serializers.CharField(allow_blank=True)
    code = serializers.CharField()
    message = serializers.CharField()


class EventsResultSerializer(serializers.Serializer):
    """How many events were stored, how many were known already, and what is wrong with the others."""

    created = serializers.IntegerField()
    duplicate = serializers.IntegerField()
    errors = EventProblemSerializer(many=True)  # type: ignore[assignment]
