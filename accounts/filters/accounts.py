"""Filters of accounts."""

import django_filters
from django.db.models import Exists, OuterRef, Q, QuerySet

from ..choices import (
    AccountLifecycle,
    AccountType,
    CompanyType,
    EmployeeBand,
    GrowthStage,
    Ownership,
    RecordType,
    RevenueBand,
    SizeClass,
    Sophistication,
    TechnologyStatus,
    Tier,
    Urgency,
    Vocabulary,
)
from ..models import Account, AccountTechnology, AccountValue, TechnologyProduct
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
    TextFilter,
    TokenFilter,
    WholeNumberFilter,
    YesNoFilter,
    flag,
)


class AccountFilter(ImportedFilterSet):
    """Accounts by who they are, what they use and where they stand."""

    record_type = RecordType.ACCOUNT

    search = SearchFilter("name_folded", "legal_name_folded", "domain_folded")
    name = TextFilter(field_name="name_folded", folded=True, label="Name is")
    domain = TextFilter(field_name="domain_folded", folded=True, label="Domain")
    account_type = TokenFilter(AccountType)
    owner = PersonFilter(field_name="owner_id", label="Owner")
    sdr = PersonFilter(field_name="sdr_id", label="SDR")
    unowned = YesNoFilter(method=flag(Q(owner__isnull=True)), label="Without owner")
    without_industry = YesNoFilter(method=flag(Q(industry__isnull=True)), label="Without industry")
    without_size = YesNoFilter(
        method=flag(Q(employee_count__isnull=True, employee_band="")), label="Without number or band of employees"
    )
    country = TextFilter(field_name="country", max_length=2, lookup_expr="iexact", label="Country")
    city = TextFilter(field_name="city_folded", folded=True, label="City")
    sales_region = TermsFilter(Vocabulary.SALES_REGION, field_name="sales_region")
    industry = TermsFilter(Vocabulary.INDUSTRY, field_name="industry")
    sic_code = TextFilter(method="filter_code", label="SIC code, or a node above it")
    naics_code = TextFilter(method="filter_code", label="NAICS code, or a node above it")
    employee_count_min = WholeNumberFilter(field_name="employee_count", lookup_expr="gte", label="Employees from")
    employee_count_max = WholeNumberFilter(field_name="employee_count", lookup_expr="lte", label="Employees to")
    employee_band = TokenFilter(EmployeeBand)
    annual_revenue_min = NumberFilter(
        field_name="annual_revenue_reporting", lookup_expr="gte", label="Revenue from (reporting currency)"
    )
    annual_revenue_max = NumberFilter(
        field_name="annual_revenue_reporting", lookup_expr="lte", label="Revenue to (reporting currency)"
    )
    revenue_band = TokenFilter(RevenueBand)
    size_class = TokenFilter(SizeClass)
    company_type = TokenFilter(CompanyType)
    growth_stage = TokenFilter(GrowthStage)
    ownership = TokenFilter(Ownership)
    urgency = TokenFilter(Urgency)
    lifecycle_stage = TokenFilter(AccountLifecycle)
    tier = TokenFilter(Tier)
    sophistication = TokenFilter(Sophistication)
    tag = MultiTermsFilter(Vocabulary.TAG, "account", AccountValue, "tags", label="Tag")
    technology = SlugFilter(TechnologyProduct.objects.all(), method="filter_technology", label="Uses")
    parent_account = IdFilter(field_name="parent_account_id", label="Parent")
    is_hierarchy_root = YesNoFilter(field_name="is_hierarchy_root", label="Top of its hierarchy")
    do_not_contact = YesNoFilter(field_name="do_not_contact", label="Do not contact")
    customer_since_from = django_filters.DateFilter(field_name="customer_since", lookup_expr="gte")
    customer_since_until = django_filters.DateFilter(field_name="customer_since", lookup_expr="lte")
    ordering = Ordering(
        id="pk",
        name="name_folded",
        country="country",
        employee_count="employee_count",
        annual_revenue="annual_revenue_reporting",
        lifecycle_stage="lifecycle_stage",
        tier="tier",
        created_at="created_at",
        updated_at="updated_at",
    )

    class Meta:
        model = Account
        fields: list[str] = []

    def filter_code(self, queryset: QuerySet[Account], name: str, value: str) -> QuerySet[Account]:
        """Keep accounts whose code is this node of the tree or lies below it."""
        from ..models import IndustryCode

        system = "sic" if name == "sic_code" else "naics"
        node = IndustryCode.objects.filter(system=system, code__iexact=value.strip()).first()
        if node is None:
            return queryset.none()
        below = Q(path__startswith=node.path) if node.path else Q(pk=node.pk)
        codes = IndustryCode.objects.filter(below, system=system)
        return queryset.filter((f"{name}__in", codes.values("pk")))

    def filter_technology(
        self, queryset: QuerySet[Account], name: str, value: list[TechnologyProduct]
    ) -> QuerySet[Account]:
        """Keep accounts that use one of the technologies, former ones left out."""
        if not value:
            return queryset
        uses = AccountTechnology.objects.filter(account=OuterRef("pk"), product__in=list(value))
        return queryset.filter(Exists(uses.exclude(status=TechnologyStatus.FORMER)))
