"""Filters of opportunities, their lines and the people in them."""

import django_filters
from django.db.models import Q, QuerySet

from ..choices import BuyingRole, ForecastCategory, OpportunityType, RecordType, Stance, Vocabulary
from ..models import (
    CampaignRef,
    Opportunity,
    OpportunityContact,
    OpportunityLine,
    OpportunityValue,
    Pipeline,
    Product,
    Stage,
)
from .making import (
    IdFilter,
    ImportedFilterSet,
    MultiTermsFilter,
    NumberFilter,
    Ordering,
    SearchFilter,
    SlugFilter,
    TermsFilter,
    TokenFilter,
    YesNoFilter,
    flag,
)

STATES = {"open": "stage__is_open", "won": "stage__is_won", "lost": "stage__is_lost"}


class OpportunityFilter(ImportedFilterSet):
    """Opportunities by account, owner, stage, worth and dates."""

    record_type = RecordType.OPPORTUNITY

    search = SearchFilter("name_folded")
    account = IdFilter(field_name="account_id", label="Account")
    without_account = YesNoFilter(method=flag(Q(account__isnull=True)), label="Without account")
    contact = IdFilter(method="filter_contact", label="Contact with a role")
    owner = IdFilter(field_name="owner_id", label="Owner")
    unowned = YesNoFilter(method=flag(Q(owner__isnull=True)), label="Without owner")
    pipeline = SlugFilter(Pipeline.objects.all(), field_name="pipeline")
    stage = SlugFilter(Stage.objects.all(), field_name="stage")
    state = django_filters.MultipleChoiceFilter(
        choices=[("open", "Open"), ("won", "Won"), ("lost", "Lost")], method="filter_state", label="State"
    )
    type = TokenFilter(OpportunityType)
    forecast_category = TokenFilter(ForecastCategory)
    amount_min = NumberFilter(
        field_name="amount_reporting", lookup_expr="gte", label="Amount from (reporting currency)"
    )
    amount_max = NumberFilter(field_name="amount_reporting", lookup_expr="lte", label="Amount to (reporting currency)")
    product = SlugFilter(Product.objects.all(), field_name="product")
    lead_source = TermsFilter(Vocabulary.LEAD_SOURCE, field_name="lead_source")
    lost_reason = TermsFilter(Vocabulary.LOST_REASON, field_name="lost_reason")
    primary_need = TermsFilter(Vocabulary.NEED, field_name="primary_need")
    competitor = MultiTermsFilter(
        Vocabulary.COMPETITOR, "opportunity", OpportunityValue, "competitors", label="Competitor"
    )
    campaign = SlugFilter(CampaignRef.objects.all(), method="filter_campaign", label="Campaign, first or last touch")
    opened_from = django_filters.DateFilter(field_name="opened_on", lookup_expr="gte", label="Opened from")
    opened_until = django_filters.DateFilter(field_name="opened_on", lookup_expr="lte", label="Opened until")
    expected_close_from = django_filters.DateFilter(field_name="expected_close", lookup_expr="gte")
    expected_close_until = django_filters.DateFilter(field_name="expected_close", lookup_expr="lte")
    closed_from = django_filters.IsoDateTimeFilter(field_name="closed_at", lookup_expr="gte", label="Closed from")
    closed_until = django_filters.IsoDateTimeFilter(field_name="closed_at", lookup_expr="lt", label="Closed before")
    ordering = Ordering(
        id="pk",
        name="name_folded",
        amount="amount_reporting",
        stage="stage__position",
        account="account__name_folded",
        opened_on="opened_on",
        expected_close="expected_close",
        closed_at="closed_at",
        created_at="created_at",
        updated_at="updated_at",
    )

    class Meta:
        model = Opportunity
        fields: list[str] = []

    def filter_state(self, queryset: QuerySet[Opportunity], name: str, value: list[str]) -> QuerySet[Opportunity]:
        """Keep opportunities in one of the states."""
        if not value:
            return queryset
        found = Q()
        for state in value:
            found |= Q((STATES[state], True))
        return queryset.filter(found)

    def filter_contact(self, queryset: QuerySet[Opportunity], name: str, value: int) -> QuerySet[Opportunity]:
        """Keep opportunities in which the contact has a role."""
        roles = OpportunityContact.objects.filter(contact_id=value)
        return queryset.filter(pk__in=roles.values("opportunity_id"))

    def filter_campaign(
        self, queryset: QuerySet[Opportunity], name: str, value: list[CampaignRef]
    ) -> QuerySet[Opportunity]:
        """Keep opportunities whose first or last touch was one of the campaigns."""
        if not value:
            return queryset
        return queryset.filter(Q(campaign_first__in=list(value)) | Q(campaign_last__in=list(value)))


class OpportunityLineFilter(ImportedFilterSet):
    """Lines of opportunities."""

    record_type = RecordType.LINE_ITEM

    opportunity = IdFilter(field_name="opportunity_id")
    product = SlugFilter(Product.objects.all(), field_name="product")
    ordering = Ordering(id="pk", amount="amount_reporting")

    class Meta:
        model = OpportunityLine
        fields: list[str] = []


class OpportunityContactFilter(ImportedFilterSet):
    """People in opportunities."""

    record_type = RecordType.CONTACT_ROLE

    opportunity = IdFilter(field_name="opportunity_id")
    contact = IdFilter(field_name="contact_id")
    role = TokenFilter(BuyingRole)
    stance = TokenFilter(Stance)
    ordering = Ordering(id="pk", influence="influence")

    class Meta:
        model = OpportunityContact
        fields: list[str] = []
