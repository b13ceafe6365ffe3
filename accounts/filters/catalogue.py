"""Filters of what the organisation keeps lists of: products, stages, technologies, vocabularies, codes, rates."""

import django_filters
from django.db.models import Q, QuerySet

from ..choices import BuyingRole, CodeSystem, RecordType, Vocabulary
from ..models import (
    ExchangeRate,
    IndustryCode,
    Persona,
    Pipeline,
    Product,
    Stage,
    TechnologyProduct,
    Term,
    Vendor,
)
from .making import (
    IdFilter,
    ImportedFilterSet,
    Ordering,
    SearchFilter,
    SlugFilter,
    TermsFilter,
    TextFilter,
    TokenFilter,
    YesNoFilter,
    flag,
)


class ProductFilter(ImportedFilterSet):
    """Products by name, number and category."""

    record_type = RecordType.PRODUCT

    search = SearchFilter("name_folded", "sku_folded")
    slug = TextFilter(field_name="slug")
    category = TermsFilter(Vocabulary.PRODUCT_CATEGORY, field_name="category")
    is_active = YesNoFilter(field_name="is_active")
    ordering = Ordering(id="pk", name="name_folded", list_price="list_price_reporting", updated_at="updated_at")

    class Meta:
        model = Product
        fields: list[str] = []


class VendorFilter(django_filters.FilterSet):
    """Makers of technologies."""

    search = SearchFilter("name_folded")
    slug = TextFilter(field_name="slug")
    is_competitor = YesNoFilter(field_name="is_competitor")
    ordering = Ordering(id="pk", name="name_folded")

    class Meta:
        model = Vendor
        fields: list[str] = []


class TechnologyProductFilter(django_filters.FilterSet):
    """Technologies by name, vendor and category."""

    search = SearchFilter("name_folded")
    slug = TextFilter(field_name="slug")
    vendor = SlugFilter(Vendor.objects.all(), field_name="vendor")
    category = TermsFilter(Vocabulary.TECHNOLOGY_CATEGORY, field_name="category")
    is_cloud_provider = YesNoFilter(field_name="is_cloud_provider")
    is_competitor = YesNoFilter(field_name="is_competitor")
    ordering = Ordering(id="pk", name="name_folded")

    class Meta:
        model = TechnologyProduct
        fields: list[str] = []


class PipelineFilter(django_filters.FilterSet):
    """Pipelines."""

    slug = TextFilter(field_name="slug")
    ordering = Ordering(id="pk", position="position", name="name_folded")

    class Meta:
        model = Pipeline
        fields: list[str] = []


class StageFilter(django_filters.FilterSet):
    """Stages by pipeline and state."""

    search = SearchFilter("name_folded")
    slug = TextFilter(field_name="slug")
    pipeline = SlugFilter(Pipeline.objects.all(), field_name="pipeline")
    is_open = YesNoFilter(field_name="is_open")
    is_won = YesNoFilter(field_name="is_won")
    is_lost = YesNoFilter(field_name="is_lost")
    is_active = YesNoFilter(field_name="is_active")
    ordering = Ordering(id="pk", position="position", name="name_folded")

    class Meta:
        model = Stage
        fields: list[str] = []


class PersonaFilter(django_filters.FilterSet):
    """Personas."""

    search = SearchFilter("name_folded")
    slug = TextFilter(field_name="slug")
    role = TokenFilter(BuyingRole)
    ordering = Ordering(id="pk", name="name_folded")

    class Meta:
        model = Persona
        fields: list[str] = []


class TermFilter(django_filters.FilterSet):
    """Terms by vocabulary, name (aliases too) and place in the tree."""

    vocabulary = TokenFilter(Vocabulary)
    search = TextFilter(method="filter_search", label="Search")
    slug = TextFilter(field_name="slug")
    parent = IdFilter(field_name="parent_id")
    roots = YesNoFilter(method=flag(Q(parent__isnull=True)), label="Without parent")
    is_active = YesNoFilter(field_name="is_active")
    ordering = Ordering(id="pk", name="name_folded", position="position", path="path")

    class Meta:
        model = Term
        fields: list[str] = []

    def filter_search(self, queryset: QuerySet[Term], name: str, value: str) -> QuerySet[Term]:
        """Keep terms whose name or alias contains the text."""
        from segmentation_crm.common.folding import fold

        from ..models import TermAlias

        text = fold(value)
        if not text:
            return queryset
        aliases = TermAlias.objects.filter(text_folded__contains=text)
        return queryset.filter(Q(name_folded__contains=text) | Q(pk__in=aliases.values("term_id")))


class IndustryCodeFilter(django_filters.FilterSet):
    """SIC and NAICS nodes by system, code and title."""

    system = TokenFilter(CodeSystem)
    code = TextFilter(field_name="code", lookup_expr="iexact")
    code_prefix = TextFilter(field_name="code", lookup_expr="istartswith")
    search = SearchFilter("title_folded")
    parent = IdFilter(field_name="parent_id")
    roots = YesNoFilter(method=flag(Q(parent__isnull=True)), label="Without parent")
    ordering = Ordering(id="pk", code="code")

    class Meta:
        model = IndustryCode
        fields: list[str] = []


class ExchangeRateFilter(django_filters.FilterSet):
    """Rates by currencies and day."""

    base = TextFilter(field_name="base", lookup_expr="iexact", max_length=3)
    quote = TextFilter(field_name="quote", lookup_expr="iexact", max_length=3)
    from_date = django_filters.DateFilter(field_name="on_date", lookup_expr="gte")
    until_date = django_filters.DateFilter(field_name="on_date", lookup_expr="lte")
    ordering = Ordering(id="pk", on_date="on_date")

    class Meta:
        model = ExchangeRate
        fields: list[str] = []
