"""What the serializers and viewsets of records share: scoped references, multi and custom values, visibility."""

from typing import Any, Generic, TypeVar

from django.db import transaction
from django.db.models import Model
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from segmentation_crm.common.api.serializers import RecordSerializer, StrictSerializer
from segmentation_crm.common.api.viewsets import RecordViewSet

from ..choices import CatalogueKind
from ..services.catalogue import add_entry, merge_entries, rename_entry
from .fields import ReferenceField, check_country, check_currency, check_language, check_subdivision

M = TypeVar("M", bound=Model)

# Columns whose texts are codes, wherever they occur.
CODES = {
    "country": check_country,
    "nationality": check_country,
    "subdivision": check_subdivision,
    "language": check_language,
}


class AccountsSerializer(RecordSerializer):
    """A serializer of the app's models: references are scoped, codes are checked, reporting money is read-only."""

    serializer_related_field = ReferenceField
    writes_sent_columns_only = False

    def build_relational_field(self, field_name: str, relation_info: Any) -> tuple[type, dict[str, Any]]:
        """Return a scoped reference for every foreign key, read-only ones too."""
        field_class, kwargs = super().build_relational_field(field_name, relation_info)
        kwargs.pop("view_name", None)
        # Uniqueness is the model's to say, with its own words.
        kwargs.pop("validators", None)
        return field_class, kwargs

    def build_standard_field(self, field_name: str, model_field: Any) -> tuple[type, dict[str, Any]]:
        """Return the field of a column; codes get their check."""
        field_class, kwargs = super().build_standard_field(field_name, model_field)
        check = check_currency if field_name.endswith("_currency") else CODES.get(field_name)
        if check is not None and not kwargs.get("read_only"):
            kwargs["validators"] = [*kwargs.get("validators", []), check]
        return field_class, kwargs


class VisibleAfterwardsMixin:
    """Refuse to create what its maker could not see: the creation is undone and says what is missing."""

    request: Any
    parents = "an account"

    def perform_create(self, serializer: Any) -> None:
        """Save, then look whether the caller sees it (1 query).

        Raises ValidationError where not.
        """
        super().perform_create(serializer)  # type: ignore[misc]
        if not self.get_queryset().filter(pk=serializer.instance.pk).exists():  # type: ignore[attr-defined]
            message = f"You would not see this record: name {self.parents} that you may see."
            raise ValidationError({"non_field_errors": [ErrorDetail(message, "not_visible")]})


class DetailViewSet(VisibleAfterwardsMixin, RecordViewSet[M], Generic[M]):
    """Rows that hang on accounts, contacts or opportunities and are seen with them."""

    # Whoever writes a record also removes what hangs on it.
    delete_capability = "records.write"
    parents = "an account, contact or opportunity"


class EntrySerializer(AccountsSerializer):
    """An entry of a catalogue: the slug is made from the name and stays; an earlier name remains as an alias."""

    kind: CatalogueKind

    def create(self, validated_data: dict[str, Any]) -> Any:
        """Add the entry.

        Raises ValidationError for a name that is taken.
        """
        return add_entry(self.kind, **validated_data)

    def update(self, instance: Any, validated_data: dict[str, Any]) -> Any:
        """Change the entry; a new name goes through the service that keeps the old one.

        Raises ValidationError naming the field that breaks a rule.
        """
        name = validated_data.pop("name", None)
        if validated_data:
            super().update(instance, validated_data)
        return rename_entry(self.kind, instance, name) if name is not None else instance


class MergeSerializer(StrictSerializer):
    """Into which entry of the same list this one goes."""

    into = serializers.IntegerField(min_value=1)


class CatalogueViewSet(RecordViewSet[M], Generic[M]):
    """Lists that the organisation keeps: everyone reads, managers write. Rules name entries, so none is deleted."""

    write_capability = "vocabularies.write"
    delete_capability = "vocabularies.write"
    http_method_names = ["get", "post", "patch", "head", "options"]


class MergingMixin:
    """For catalogues whose entries can be merged."""

    get_object: Any
    get_queryset: Any
    get_serializer: Any
    request: Any

    def merge_into(self, gone: Any, into: Any) -> None:
        """Merge two entries."""
        merge_entries(self.get_serializer().kind, gone, into, self.request.user)

    @extend_schema(request=MergeSerializer)
    @action(detail=True, methods=["post"])
    def merge(self, request: Request, pk: str) -> Response:
        """Merge this entry into another: all references move, its name stays as an alias. Answers the other."""
        body = MergeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        gone = self.get_object()
        into = self.get_queryset().filter(pk=body.validated_data["into"]).first()
        if into is None:
            raise ValidationError({"into": [ErrorDetail("There is no such entry in this list.", "does_not_exist")]})
        with transaction.atomic():
            self.merge_into(gone, into)
        return Response(self.get_serializer(self.get_queryset().get(pk=into.pk)).data)
