"""Filters of activities, and of the content and campaigns they refer to."""

import django_filters
from django.db.models import QuerySet

from ..choices import ActivityType, Channel, ContentFormat, Direction, Party, RecordType, Vocabulary
from ..models import Activity, CampaignRef, ContentItem, Term
from .making import (
    IdFilter,
    ImportedFilterSet,
    NumberFilter,
    Ordering,
    PersonFilter,
    SearchFilter,
    SlugFilter,
    TermsFilter,
    TextFilter,
    TokenFilter,
    YesNoFilter,
)


class ActivityFilter(ImportedFilterSet):
    """Activities by whom they concern, what happened and when."""

    record_type = RecordType.ACTIVITY

    search = SearchFilter("subject_folded")
    contact = IdFilter(field_name="contact_id", label="Contact")
    account = IdFilter(field_name="account_id", label="Account")
    opportunity = IdFilter(field_name="opportunity_id", label="Opportunity")
    user = PersonFilter(field_name="user_id", label="By")
    type = TokenFilter(ActivityType)
    direction = TokenFilter(Direction)
    channel = TokenFilter(Channel)
    party = TokenFilter(Party)
    campaign = SlugFilter(CampaignRef.objects.all(), field_name="campaign")
    content = IdFilter(field_name="content_id", label="Content item")
    topic = TermsFilter(Vocabulary.TOPIC, field_name="topic")
    visitor_id = TextFilter(field_name="visitor_id", label="Visitor")
    occurred_from = django_filters.IsoDateTimeFilter(field_name="occurred_at", lookup_expr="gte", label="From")
    occurred_until = django_filters.IsoDateTimeFilter(field_name="occurred_at", lookup_expr="lt", label="Before")
    intent_score_min = NumberFilter(field_name="intent_score", lookup_expr="gte", label="Intent score from")
    bot_suspected = YesNoFilter(field_name="bot_suspected", label="Suspected as bot")
    ordering = Ordering(id="pk", occurred_at="occurred_at", type="type", updated_at="updated_at")

    class Meta:
        model = Activity
        fields: list[str] = []


class ContentItemFilter(ImportedFilterSet):
    """Content items by title, format and topic."""

    record_type = RecordType.CONTENT

    search = SearchFilter("title_folded", "url_folded")
    format = TokenFilter(ContentFormat)
    topic = SlugFilter(Term.objects.filter(vocabulary=Vocabulary.TOPIC), method="filter_topic", label="Topic")
    ordering = Ordering(id="pk", title="title_folded", updated_at="updated_at")

    class Meta:
        model = ContentItem
        fields: list[str] = []

    def filter_topic(self, queryset: QuerySet[ContentItem], name: str, value: list[Term]) -> QuerySet[ContentItem]:
        """Keep items about one of the topics or what lies below it."""
        if not value:
            return queryset
        links = ContentItem.topics.through.objects.none()
        for term in value:
            links = links | ContentItem.topics.through.objects.filter(term__path__startswith=term.path)
        return queryset.filter(pk__in=links.values("contentitem_id"))


class CampaignRefFilter(ImportedFilterSet):
    """Campaigns as activities and opportunities refer to them."""

    record_type = RecordType.CAMPAIGN

    search = SearchFilter("name_folded")
    channel = TokenFilter(Channel)
    ordering = Ordering(id="pk", name="name_folded", updated_at="updated_at")

    class Meta:
        model = CampaignRef
        fields: list[str] = []
