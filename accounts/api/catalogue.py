"""What the organisation keeps lists of, over the API: products, stages, technologies, vocabularies, codes, rates."""

from typing import Any

from rest_framework import serializers

from segmentation_crm.common.api.viewsets import ReadViewSet

from ..choices import CatalogueKind
from ..filters import (
    CustomFieldFilter,
    ExchangeRateFilter,
    IndustryCodeFilter,
    PersonaFilter,
    PipelineFilter,
    ProductFilter,
    StageFilter,
    TechnologyProductFilter,
    TermFilter,
    VendorFilter,
)
from ..models import (
    CustomField,
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
from ..queries import (
    custom_fields_visible_to,
    exchange_rates_visible_to,
    industry_codes_visible_to,
    personas_visible_to,
    pipelines_visible_to,
    products_visible_to,
    stages_visible_to,
    technology_products_visible_to,
    terms_visible_to,
    vendors_visible_to,
)
from ..services.custom_fields import change_custom_field, create_custom_field
from ..services.recomputing import queue_recomputing
from ..services.vocabularies import add_term, merge_terms, move_term, rename_term
from .base import AccountsSerializer, CatalogueViewSet, EntrySerializer, MergingMixin


class ProductSerializer(EntrySerializer):
    """Something we sell; the slug is made from the name and stays."""

    kind = CatalogueKind.PRODUCT

    class Meta:
        model = Product
        fields = [
            "id",
            "name",
            "slug",
            "sku",
            "category",
            "list_price",
            "list_price_currency",
            "list_price_reporting",
            "is_active",
            "source",
            "created_at",
            "updated_at",
        ]
        read_only_fields = ["slug", "list_price_reporting", "source", "created_at", "updated_at"]


class ProductViewSet(MergingMixin, CatalogueViewSet[Product]):
    """Products."""

    visible = staticmethod(products_visible_to)
    serializer_class = ProductSerializer
    filterset_class = ProductFilter


class VendorSerializer(EntrySerializer):
    """A company that makes technologies."""

    kind = CatalogueKind.VENDOR

    class Meta:
        model = Vendor
        fields = ["id", "name", "slug", "is_competitor", "source", "created_at", "updated_at"]
        read_only_fields = ["slug", "source", "created_at", "updated_at"]


class VendorViewSet(MergingMixin, CatalogueViewSet[Vendor]):
    """Vendors of technologies."""

    visible = staticmethod(vendors_visible_to)
    serializer_class = VendorSerializer
    filterset_class = VendorFilter


class TechnologyProductSerializer(EntrySerializer):
    """A technology that accounts use."""

    kind = CatalogueKind.TECHNOLOGY_PRODUCT

    class Meta:
        model = TechnologyProduct
        fields = [
            "id",
            "name",
            "slug",
            "vendor",
            "category",
            "is_cloud_provider",
            "is_competitor",
            "is_integration_partner",
            "source",
            "created_at",
            "updated_at",
        ]
        read_only_fields = ["slug", "source", "created_at", "updated_at"]


class TechnologyProductViewSet(MergingMixin, CatalogueViewSet[TechnologyProduct]):
    """Technologies, as a catalogue."""

    visible = staticmethod(technology_products_visible_to)
    serializer_class = TechnologyProductSerializer
    filterset_class = TechnologyProductFilter


class PipelineSerializer(EntrySerializer):
    """An ordered set of stages."""

    kind = CatalogueKind.PIPELINE

    class Meta:
        model = Pipeline
        fields = ["id", "name", "slug", "is_default", "position"]
        read_only_fields = ["slug"]


class PipelineViewSet(MergingMixin, CatalogueViewSet[Pipeline]):
    """Pipelines."""

    visible = staticmethod(pipelines_visible_to)
    serializer_class = PipelineSerializer
    filterset_class = PipelineFilter


class StageSerializer(EntrySerializer):
    """A step of a pipeline: open, won or lost."""

    kind = CatalogueKind.STAGE

    class Meta:
        model = Stage
        fields = [
            "id",
            "pipeline",
            "name",
            "slug",
            "position",
            "probability",
            "is_open",
            "is_won",
            "is_lost",
            "is_active",
        ]
        read_only_fields = ["slug", "is_open"]

    def validate_pipeline(self, pipeline: Pipeline) -> Pipeline:
        """Keep a stage in its pipeline: its opportunities are there.

        Raises ValidationError for another one.
        """
        if self.instance is not None and pipeline.pk != self.instance.pipeline_id:
            raise serializers.ValidationError("A stage stays in its pipeline.")
        return pipeline


class StageViewSet(MergingMixin, CatalogueViewSet[Stage]):
    """Stages."""

    visible = staticmethod(stages_visible_to)
    serializer_class = StageSerializer
    filterset_class = StageFilter


class PersonaSerializer(EntrySerializer):
    """A typical person we talk to."""

    kind = CatalogueKind.PERSONA

    class Meta:
        model = Persona
        fields = ["id", "slug", "name", "role", "text"]
        read_only_fields = ["slug"]


class PersonaViewSet(MergingMixin, CatalogueViewSet[Persona]):
    """Personas."""

    visible = staticmethod(personas_visible_to)
    serializer_class = PersonaSerializer
    filterset_class = PersonaFilter


class TermSerializer(AccountsSerializer):
    """A word of an open vocabulary; the slug is made from the name and stays."""

    aliases: serializers.Field = serializers.SlugRelatedField(slug_field="text", many=True, read_only=True)

    class Meta:
        model = Term
        fields = ["id", "vocabulary", "slug", "name", "parent", "path", "position", "is_active", "need", "aliases"]
        read_only_fields = ["slug", "path"]

    def validate_vocabulary(self, vocabulary: str) -> str:
        """Keep a term in its vocabulary.

        Raises ValidationError for another one.
        """
        if self.instance is not None and vocabulary != self.instance.vocabulary:
            raise serializers.ValidationError("A term stays in its vocabulary.")
        return vocabulary

    def create(self, validated_data: dict[str, Any]) -> Term:
        """Add the term.

        Raises ValidationError for a name that is taken or a parent elsewhere.
        """
        values = dict(validated_data)
        term = add_term(values.pop("vocabulary"), values.pop("name"), parent=values.pop("parent", None))
        return super().update(term, values) if values else term

    def update(self, instance: Term, validated_data: dict[str, Any]) -> Term:
        """Rename, move or change the term.

        Raises ValidationError naming the field that breaks a rule.
        """
        values = dict(validated_data)
        name, moves, parent = values.pop("name", None), "parent" in values, values.pop("parent", None)
        if values:
            super().update(instance, values)
        if name is not None:
            rename_term(instance, name)
        if moves and instance.parent_id != getattr(parent, "pk", None):
            move_term(instance, parent)
        return instance


class TermViewSet(MergingMixin, CatalogueViewSet[Term]):
    """Terms of all open vocabularies."""

    visible = staticmethod(terms_visible_to)
    serializer_class = TermSerializer
    filterset_class = TermFilter
    prefetch = ("aliases",)

    def merge_into(self, gone: Term, into: Term) -> None:
        """Merge two terms of one vocabulary."""
        merge_terms(gone, into, self.request.user)


class IndustryCodeSerializer(AccountsSerializer):
    """A node of SIC 1987 or NAICS 2022."""

    class Meta:
        model = IndustryCode
        fields = ["id", "system", "code", "title", "level", "parent", "path"]
        read_only_fields = fields


class IndustryCodeViewSet(ReadViewSet[IndustryCode]):
    """Industry codes, as delivered."""

    visible = staticmethod(industry_codes_visible_to)
    serializer_class = IndustryCodeSerializer
    filterset_class = IndustryCodeFilter


class ExchangeRateSerializer(AccountsSerializer):
    """How much of `quote` one unit of `base` cost from that day on."""

    class Meta:
        model = ExchangeRate
        fields = ["id", "base", "quote", "on_date", "rate"]


class ExchangeRateViewSet(CatalogueViewSet[ExchangeRate]):
    """Exchange rates by date; an admin keeps them."""

    visible = staticmethod(exchange_rates_visible_to)
    serializer_class = ExchangeRateSerializer
    filterset_class = ExchangeRateFilter
    write_capability = "settings.write"
    delete_capability = "settings.write"
    http_method_names = ["get", "post", "patch", "delete", "head", "options"]

    def perform_create(self, serializer: Any) -> None:
        """Add the rate; all amounts are computed anew as a job."""
        super().perform_create(serializer)
        queue_recomputing(self.request.user)

    def perform_update(self, serializer: Any) -> None:
        """Change the rate; all amounts are computed anew as a job."""
        super().perform_update(serializer)
        queue_recomputing(self.request.user)

    def perform_destroy(self, instance: ExchangeRate) -> None:
        """Delete the rate; all amounts are computed anew as a job."""
        super().perform_destroy(instance)
        queue_recomputing(self.request.user)


class CustomFieldSerializer(AccountsSerializer):
    """The definition of a custom field; record, key and type stay as they are made."""

    choices = serializers.JSONField(required=False)

    class Meta:
        model = CustomField
        fields = ["id", "record", "key", "label", "type", "choices", "help", "position", "is_active", "created_at"]
        read_only_fields = ["created_at"]

    def validate_choices(self, value: Any) -> list[dict[str, str]]:
        """Take a list of {"value", "label"}; a text stands for both.

        Raises ValidationError for anything else.
        """
        if not isinstance(value, list) or len(value) > 1000:
            raise serializers.ValidationError("Give an array of at most 1000 choices.")
        choices = []
        for item in value:
            choice = {"value": item, "label": item} if isinstance(item, str) else item
            if not isinstance(choice, dict) or not isinstance(choice.get("value"), str) or not choice["value"]:
                raise serializers.ValidationError('Each choice is a text or {"value": text, "label": text}.')
            label = choice.get("label") or choice["value"]
            if set(choice) - {"value", "label"} or not isinstance(label, str):
                raise serializers.ValidationError('Each choice is a text or {"value": text, "label": text}.')
            choices.append({"value": choice["value"], "label": label})
        if len({choice["value"] for choice in choices}) < len(choices):
            raise serializers.ValidationError("Two choices have the same value.")
        return choices

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse to turn a field into another one: rules and values rely on it.

        Raises ValidationError naming the field.
        """
        if self.instance is not None:
            fixed = [name for name in ("record", "key", "type") if name in attrs]
            changed: dict[str, Any] = {
                name: "This stays as it was made." for name in fixed if attrs[name] != getattr(self.instance, name)
            }
            if changed:
                raise serializers.ValidationError(changed)
        return attrs

    def create(self, validated_data: dict[str, Any]) -> CustomField:
        """Define the field.

        Raises ValidationError naming each wrong part.
        """
        values = dict(validated_data)
        field = create_custom_field(
            values.pop("record"),
            values.pop("key"),
            values.pop("label"),
            values.pop("type"),
            choices=values.pop("choices", None),
            help_text=values.pop("help", ""),
        )
        return super().update(field, values) if values else field

    def update(self, instance: CustomField, validated_data: dict[str, Any]) -> CustomField:
        """Change label, choices, help, place, and whether it is in use.

        Raises ValidationError for a choice that records still hold.
        """
        values = dict(validated_data)
        change_custom_field(instance, label=values.pop("label", None), choices=values.pop("choices", None))
        return super().update(instance, values) if values else instance


class CustomFieldViewSet(CatalogueViewSet[CustomField]):
    """Definitions of custom fields; one that is no longer wanted is made inactive."""

    visible = staticmethod(custom_fields_visible_to)
    serializer_class = CustomFieldSerializer
    filterset_class = CustomFieldFilter
