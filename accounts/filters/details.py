"""Filters of what hangs on records: technologies, needs, purchases, contracts, cases, answers, history, origins."""

import django_filters
from django.db.models import Q

from ..choices import (
    ContractStatus,
    MemberRecord,
    NeedEvidence,
    NeedKind,
    RecordType,
    Severity,
    SourceType,
    TechnologyStatus,
    Vocabulary,
)
from ..models import (
    AccountTechnology,
    Contract,
    CustomField,
    ExternalId,
    FieldHistory,
    Need,
    Product,
    Provenance,
    Purchase,
    SupportCase,
    SurveyAnswer,
    TechnologyProduct,
)
from .making import (
    IdFilter,
    ImportedFilterSet,
    NumberFilter,
    Ordering,
    SearchFilter,
    SlugFilter,
    TermsFilter,
    TextFilter,
    TokenFilter,
    YesNoFilter,
    flag,
)


class AccountTechnologyFilter(ImportedFilterSet):
    """Technologies of accounts."""

    record_type = RecordType.TECHNOLOGY

    account = IdFilter(field_name="account_id")
    product = SlugFilter(TechnologyProduct.objects.all(), field_name="product")
    category = TermsFilter(Vocabulary.TECHNOLOGY_CATEGORY, field_name="product__category")
    status = TokenFilter(TechnologyStatus)
    contract_ends_from = django_filters.DateFilter(field_name="contract_ends", lookup_expr="gte")
    contract_ends_until = django_filters.DateFilter(field_name="contract_ends", lookup_expr="lte")
    ordering = Ordering(id="pk", contract_ends="contract_ends", last_verified="last_verified")

    class Meta:
        model = AccountTechnology
        fields: list[str] = []


class NeedFilter(ImportedFilterSet):
    """Needs of accounts and contacts."""

    record_type = RecordType.NEED

    account = IdFilter(field_name="account_id")
    contact = IdFilter(field_name="contact_id")
    need = TermsFilter(Vocabulary.NEED, field_name="need")
    kind = TokenFilter(NeedKind)
    evidence = TokenFilter(NeedEvidence)
    rejected = YesNoFilter(method=flag(Q(rejected_on__isnull=False)), label="Rejected")
    ordering = Ordering(id="pk", priority="priority", confirmed_on="confirmed_on")

    class Meta:
        model = Need
        fields: list[str] = []


class PurchaseFilter(ImportedFilterSet):
    """Purchase lines."""

    record_type = RecordType.PURCHASE

    search = SearchFilter("order_number_folded", "product_text_folded")
    account = IdFilter(field_name="account_id")
    contact = IdFilter(field_name="contact_id")
    opportunity = IdFilter(field_name="opportunity_id")
    order_number = TextFilter(field_name="order_number_folded", folded=True)
    product = SlugFilter(Product.objects.all(), field_name="product")
    category = TermsFilter(Vocabulary.PRODUCT_CATEGORY, field_name="category")
    amount_min = NumberFilter(field_name="amount_reporting", lookup_expr="gte")
    amount_max = NumberFilter(field_name="amount_reporting", lookup_expr="lte")
    ordered_from = django_filters.IsoDateTimeFilter(field_name="ordered_at", lookup_expr="gte")
    ordered_until = django_filters.IsoDateTimeFilter(field_name="ordered_at", lookup_expr="lt")
    ordering = Ordering(id="pk", ordered_at="ordered_at", amount="amount_reporting", updated_at="updated_at")

    class Meta:
        model = Purchase
        fields: list[str] = []


class ContractFilter(ImportedFilterSet):
    """Contracts."""

    record_type = RecordType.CONTRACT

    search = SearchFilter("number_folded", "product_text_folded")
    account = IdFilter(field_name="account_id")
    product = SlugFilter(Product.objects.all(), field_name="product")
    status = TokenFilter(ContractStatus)
    running_on = django_filters.DateFilter(method="filter_running", label="Running on")
    ends_from = django_filters.DateFilter(field_name="ends_on", lookup_expr="gte")
    ends_until = django_filters.DateFilter(field_name="ends_on", lookup_expr="lte")
    mrr_min = NumberFilter(field_name="mrr_reporting", lookup_expr="gte")
    mrr_max = NumberFilter(field_name="mrr_reporting", lookup_expr="lte")
    ordering = Ordering(id="pk", starts_on="starts_on", ends_on="ends_on", mrr="mrr_reporting")

    class Meta:
        model = Contract
        fields: list[str] = []

    def filter_running(self, queryset, name, value):
        """Keep contracts that have begun and not ended on the day; an open end runs on."""
        begun = Q(starts_on__isnull=True) | Q(starts_on__lte=value)
        return queryset.filter(begun, Q(ends_on__isnull=True) | Q(ends_on__gte=value))


class SupportCaseFilter(ImportedFilterSet):
    """Support cases."""

    record_type = RecordType.SUPPORT_CASE

    search = SearchFilter("subject_folded")
    account = IdFilter(field_name="account_id")
    contact = IdFilter(field_name="contact_id")
    severity = TokenFilter(Severity)
    is_open = YesNoFilter(method=flag(Q(closed_at__isnull=True)), label="Open")
    opened_from = django_filters.IsoDateTimeFilter(field_name="opened_at", lookup_expr="gte")
    opened_until = django_filters.IsoDateTimeFilter(field_name="opened_at", lookup_expr="lt")
    ordering = Ordering(id="pk", opened_at="opened_at", closed_at="closed_at", cost="cost_reporting")

    class Meta:
        model = SupportCase
        fields: list[str] = []


class SurveyAnswerFilter(ImportedFilterSet):
    """Answers of surveys."""

    record_type = RecordType.SURVEY_ANSWER

    account = IdFilter(field_name="account_id")
    contact = IdFilter(field_name="contact_id")
    survey = TextFilter(field_name="survey_folded", folded=True)
    question = TextFilter(field_name="question_folded", folded=True, max_length=500)
    source_type = TokenFilter(SourceType)
    answered_from = django_filters.IsoDateTimeFilter(field_name="answered_at", lookup_expr="gte")
    answered_until = django_filters.IsoDateTimeFilter(field_name="answered_at", lookup_expr="lt")
    ordering = Ordering(id="pk", answered_at="answered_at")

    class Meta:
        model = SurveyAnswer
        fields: list[str] = []


class CustomFieldFilter(django_filters.FilterSet):
    """Definitions of custom fields."""

    record = TokenFilter(MemberRecord)
    key = TextFilter(field_name="key")
    is_active = YesNoFilter(field_name="is_active")
    ordering = Ordering(id="pk", position="position", key="key")

    class Meta:
        model = CustomField
        fields: list[str] = []


class FieldHistoryFilter(django_filters.FilterSet):
    """Past and present values of fields with history."""

    record_type = TokenFilter(RecordType)
    record_id = IdFilter(field_name="record_id")
    field = TextFilter(field_name="field")
    value = TextFilter(field_name="value")
    current = YesNoFilter(method=flag(Q(valid_to__isnull=True)), label="Still holds")
    ordering = Ordering(id="pk", valid_from="valid_from")

    class Meta:
        model = FieldHistory
        fields: list[str] = []


class ProvenanceFilter(django_filters.FilterSet):
    """Where values came from."""

    record_type = TokenFilter(RecordType)
    record_id = IdFilter(field_name="record_id")
    field = TextFilter(field_name="field")
    source_system = TextFilter(field_name="source_system_folded", folded=True)
    ordering = Ordering(id="pk", observed_on="observed_on")

    class Meta:
        model = Provenance
        fields: list[str] = []


class ExternalIdFilter(django_filters.FilterSet):
    """Numbers of records in other systems."""

    record_type = TokenFilter(RecordType)
    record_id = IdFilter(field_name="record_id")
    source = TextFilter(field_name="source")
    external_id = TextFilter(field_name="external_id")
    ordering = Ordering(id="pk")

    class Meta:
        model = ExternalId
        fields: list[str] = []
