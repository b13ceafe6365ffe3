"""Activities over the API, and the content and campaigns they refer to."""

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from segmentation_crm.common.api.idempotency import idempotent
from segmentation_crm.common.api.parsers import MAX_BODY_BYTES, ItemsJSONParser
from segmentation_crm.common.api.viewsets import IDEMPOTENCY_KEY

from ..choices import CatalogueKind, Vocabulary
from ..filters import ActivityFilter, CampaignRefFilter, ContentItemFilter
from ..models import Activity, CampaignRef, ContentItem, Term
from ..queries import activities_visible_to, campaign_refs_visible_to, content_visible_to
from ..services.events import take_events
from .base import AccountsSerializer, CatalogueViewSet, DetailViewSet, EntrySerializer, MergingMixin
from .events import MAX_EVENTS_BYTES, EventsBodySerializer, EventsResultSerializer, EventsSerializer
from .fields import ReferenceField


class ActivitySerializer(AccountsSerializer):
    """One event: what happened, when, to whom."""

    class Meta:
        model = Activity
        fields = [
            "id",
            "type",
            "direction",
            "occurred_at",
            "contact",
            "account",
            "opportunity",
            "campaign",
            "content",
            "topic",
            "user",
            "channel",
            "subject",
            "text",
            "visitor_id",
            "url_path",
            "entry_page",
            "referrer",
            "utm_source",
            "utm_medium",
            "utm_campaign",
            "utm_term",
            "utm_content",
            "duration_s",
            "value",
            "provider",
            "party",
            "intent_score",
            "baseline",
            "nps",
            "bot_suspected",
            "source",
            "created_at",
            "updated_at",
        ]
        read_only_fields = ["source", "created_at", "updated_at"]


class ActivityViewSet(DetailViewSet[Activity]):
    """Activities: the event stream, newest first."""

    visible = staticmethod(activities_visible_to)
    serializer_class = ActivitySerializer
    filterset_class = ActivityFilter
    default_ordering = ("-occurred_at",)
    max_body_bytes = MAX_BODY_BYTES
    throttle_scope = "api"

    @extend_schema(
        request=EventsBodySerializer, responses=EventsResultSerializer, parameters=[IDEMPOTENCY_KEY], filters=False
    )
    @action(
        detail=False,
        methods=["post"],
        filter_backends=[],
        pagination_class=None,
        parser_classes=[ItemsJSONParser],
        max_body_bytes=MAX_EVENTS_BYTES,
        throttle_scope="events",
    )
    @idempotent
    def bulk(self, request: Request) -> Response:
        """Take in up to 10,000 events; each is stored once by its external id, a bad one never blocks the others."""
        body = EventsSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        taken = take_events(body.validated_data["events"], request.user)
        return Response(EventsResultSerializer(taken).data)


class ContentItemSerializer(AccountsSerializer):
    """Something people read, watch or visit."""

    topics = ReferenceField(queryset=Term.objects.filter(vocabulary=Vocabulary.TOPIC), many=True, required=False)

    class Meta:
        model = ContentItem
        fields = ["id", "title", "format", "topics", "url", "source", "created_at", "updated_at"]
        read_only_fields = ["source", "created_at", "updated_at"]


class ContentItemViewSet(CatalogueViewSet[ContentItem]):
    """Content items."""

    visible = staticmethod(content_visible_to)
    serializer_class = ContentItemSerializer
    filterset_class = ContentItemFilter
    write_capability = "records.write"
    prefetch = ("topics",)


class CampaignRefSerializer(EntrySerializer):
    """A campaign, as activities and opportunities refer to it."""

    kind = CatalogueKind.CAMPAIGN

    class Meta:
        model = CampaignRef
        fields = ["id", "name", "slug", "external_id", "channel", "source", "created_at", "updated_at"]
        read_only_fields = ["slug", "source", "created_at", "updated_at"]


class CampaignRefViewSet(MergingMixin, CatalogueViewSet[CampaignRef]):
    """Campaigns by name."""

    visible = staticmethod(campaign_refs_visible_to)
    serializer_class = CampaignRefSerializer
    filterset_class = CampaignRefFilter
