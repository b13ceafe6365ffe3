"""Filters of opportunities, their lines and the people in them."""

import datetime as dt

import django_filters
from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce

from segmentation_crm.common.among import KeyAmong
from segmentation_crm.common.local_time import check_year
from segmentation_crm.common.models import User

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
from ..queries.forecast import BUCKETS, Calendar, closes_between
from ..queries.pipeline import CHAMPION_LEFT, WITHOUT_NEXT_STEP, local_today, overdue, stale_opportunities
from .making import (
    IdFilter,
    ImportedFilterSet,
    MultiTermsFilter,
    NumberFilter,
    Ordering,
    PersonFilter,
    SearchFilter,
    SlugFilter,
    TermsFilter,
    TokenFilter,
    YesNoFilter,
    flag,
)

CLOSES = [
    ("this_month", "This month"),
    ("next_month", "Next month"),
    ("this_quarter", "This quarter"),
    ("next_quarter", "Next quarter"),
]
STATES = {"open": "stage__is_open", "won": "stage__is_won", "lost": "stage__is_lost"}


class OpportunityFilter(ImportedFilterSet):
    """Opportunities by account, owner, stage, worth and dates."""

    record_type = RecordType.OPPORTUNITY

    search = SearchFilter("name_folded")
    account = IdFilter(field_name="account_id", label="Account")
    without_account = YesNoFilter(method=flag(Q(account__isnull=True)), label="Without account")
    contact = IdFilter(method="filter_contact", label="Contact with a role")
    owner = PersonFilter(field_name="owner_id", label="Owner")
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
    team = IdFilter(method="filter_team", label="Team of the owner")
    forecast = django_filters.MultipleChoiceFilter(
        choices=[("pipeline", "Pipeline"), ("best_case", "Best case"), ("commit", "Commit"), ("closed", "Closed won")],
        method="filter_forecast",
        label="Column of the forecast",
    )
    closes_from = django_filters.DateFilter(
        method="filter_closes", label="Closed or expected to close from", validators=[check_year]
    )
    closes_until = django_filters.DateFilter(
        method="filter_closes", label="Closed or expected to close until", validators=[check_year]
    )
    closes = django_filters.ChoiceFilter(choices=CLOSES, method="filter_closes_in", label="Closes")
    without_close_date = YesNoFilter(
        method=flag(Q(stage__is_open=True, expected_close__isnull=True)), label="Open without expected close"
    )
    without_amount = YesNoFilter(method=flag(Q(amount_reporting__isnull=True)), label="Without amount")
    stale = YesNoFilter(method="filter_stale", label="Stale")
    overdue = YesNoFilter(method="filter_overdue", label="Overdue: expected to close before today")
    without_next_step = YesNoFilter(method=flag(WITHOUT_NEXT_STEP), label="Open without next step")
    champion_left = YesNoFilter(method=flag(CHAMPION_LEFT), label="Champion left")
    ordering = Ordering(
        id="pk",
        name="name_folded",
        amount="amount_reporting",
        stage="stage__position",
        account="account__name_folded",
        opened_on="opened_on",
        expected_close="expected_close",
        next_step_due="next_step_due",
        stage_entered_at="stage_entered_at",
        closed_at="closed_at",
        created_at="created_at",
        updated_at="updated_at",
    )

    class Meta:
        model = Opportunity
        fields: list[str] = []

    def filter_team(self, queryset: QuerySet[Opportunity], name: str, value: int | None) -> QuerySet[Opportunity]:
        """Keep the deals of a team's members (1 query).

        The members are named by key, and in a form that no index is entered by: joined, or as a plain list, PostgreSQL
        walks the indexes of sums once for each of them.
        """
        if value is None:
            return queryset
        members = User.objects.filter(team_id=value).values_list("pk", flat=True)
        return queryset.filter(KeyAmong(Coalesce("owner_id", 0), members))

    def filter_state(self, queryset: QuerySet[Opportunity], name: str, value: list[str]) -> QuerySet[Opportunity]:
        """Keep opportunities in one of the states."""
        if not value:
            return queryset
        found = Q()
        for state in value:
            found |= Q((STATES[state], True))
        return queryset.filter(found)

    def filter_forecast(self, queryset: QuerySet[Opportunity], name: str, value: list[str]) -> QuerySet[Opportunity]:
        """Keep the deals that the forecast counts in one of these columns."""
        if not value:
            return queryset
        found = Q(pk__in=[])
        for bucket in value:
            found |= BUCKETS[bucket]
        return queryset.filter(found)

    def filter_closes(self, queryset: QuerySet[Opportunity], name: str, value: dt.date) -> QuerySet[Opportunity]:
        """Keep the deals closed, or expected to close while open, from or until a day (1 query)."""
        calendar = Calendar.current()
        is_first = name == "closes_from"
        return queryset.filter(closes_between(value if is_first else None, None if is_first else value, calendar))

    def filter_closes_in(self, queryset: QuerySet[Opportunity], name: str, value: str) -> QuerySet[Opportunity]:
        """Keep the deals that close in a period named from today (1 query)."""
        calendar = Calendar.current()
        spans = {
            "this_month": calendar.month_of(calendar.today),
            "next_month": calendar.month_of(calendar.today, 1),
            "this_quarter": calendar.quarter_of(calendar.today),
            "next_quarter": calendar.quarter_of(calendar.today, 1),
        }
        period = spans.get(value)
        if period is None:
            return queryset
        return queryset.filter(closes_between(period.start, period.last, calendar))

    def filter_stale(self, queryset: QuerySet[Opportunity], name: str, value: bool) -> QuerySet[Opportunity]:
        """Keep the open deals on which nothing happened for long, or all others (1 query)."""
        stale = stale_opportunities(Opportunity.objects.all()).order_by().values("pk")
        return queryset.filter(pk__in=stale) if value else queryset.exclude(pk__in=stale)

    def filter_overdue(self, queryset: QuerySet[Opportunity], name: str, value: bool) -> QuerySet[Opportunity]:
        """Keep the open deals whose expected close has passed, or all others (1 query)."""
        condition = overdue(local_today())
        return queryset.filter(condition) if value else queryset.exclude(condition)

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
