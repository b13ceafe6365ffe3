"""What the serializers and viewsets of records share: scoped references, multi and custom values, visibility."""

from typing import Any, Generic, TypeVar

from django.db.models import Model
from rest_framework.exceptions import ErrorDetail, ValidationError

from segmentation_crm.common.api.serializers import RecordSerializer
from segmentation_crm.common.api.viewsets import RecordViewSet

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


class CatalogueViewSet(RecordViewSet[M], Generic[M]):
    """Lists that the organisation keeps: everyone reads, managers write."""

    write_capability = "vocabularies.write"
    delete_capability = "vocabularies.write"
