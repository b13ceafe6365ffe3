"""Accounts, contacts and opportunities: soft deletion, owners, multi fields and custom fields."""

from typing import Any, Generic, TypeVar

from django.db.models import Model
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from segmentation_crm.common.access import can, visibility
from segmentation_crm.common.api.idempotency import idempotent
from segmentation_crm.common.api.viewsets import IDEMPOTENCY_KEY, RecordViewSet

from ..services.custom_fields import set_custom_values
from ..services.deletion import delete_record
from ..services.multi_values import set_multi_values
from .base import AccountsSerializer, VisibleAfterwardsMixin
from .bulk import BulkEditSerializer, BulkResultSerializer, edit_many
from .custom import CUSTOM
from .fields import MULTI_PREFIX

M = TypeVar("M", bound=Model)


class MemberSerializer(AccountsSerializer):
    """A record with values in rows of their own; they are written in the transaction of the record."""

    def validate_owner(self, owner: Any) -> Any:
        """Let only those hand records to others who may.

        Raises ValidationError for a rep who names somebody else.
        """
        user = self.context["request"].user
        wanted = owner.pk if owner is not None else None
        held = self.instance.owner_id if self.instance is not None else None
        takes_over = wanted == user.pk and held is None
        if wanted == held or takes_over or can(user, "records.assign"):
            return owner
        raise ValidationError("Your role does not hand records to others.", "not_allowed")

    def create(self, validated_data: dict[str, Any]) -> Any:
        """Insert the record with its values.

        Raises ValidationError naming the field that breaks a rule.
        """
        plain, multi, custom = split(validated_data)
        instance = super().create(plain)
        self.write_values(instance, multi, custom)
        return instance

    def update(self, instance: Any, validated_data: dict[str, Any]) -> Any:
        """Write what was sent.

        Raises ValidationError naming the field that breaks a rule.
        """
        plain, multi, custom = split(validated_data)
        super().update(instance, plain)
        self.write_values(instance, multi, custom)
        return instance

    def write_values(self, instance: Any, multi: dict[str, list[Any]], custom: dict[Any, Any]) -> None:
        """Write the multi fields and custom fields that were sent."""
        for field, items in multi.items():
            set_multi_values(instance, field, items)
        if custom:
            set_custom_values(instance, {definition.key: value for definition, value in custom.items()})


class MemberViewSet(VisibleAfterwardsMixin, RecordViewSet[M], Generic[M]):
    """Records that are deleted softly."""

    parents = "an owner or an account"
    prefetch = ("values_multi__term", "values_multi__code", "custom_values__definition")

    def perform_create(self, serializer: Any) -> None:
        """Save; who sees only a part of the records becomes owner where nobody else is named.

        Raises ValidationError where the caller would not see the record.
        """
        user = self.request.user
        if serializer.validated_data.get("owner") is None and not visibility(user).everything:
            serializer.validated_data["owner"] = user
        super().perform_create(serializer)

    @extend_schema(
        request=BulkEditSerializer, responses=BulkResultSerializer, parameters=[IDEMPOTENCY_KEY], filters=False
    )
    @action(detail=False, methods=["post"], filter_backends=[])
    @idempotent
    def bulk(self, request: Request) -> Response:
        """Give one field of up to 1,000 records a value; each is changed, unchanged or refused with its reason."""
        body = BulkEditSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        record = str(self.model_of_schema()._meta.model_name)
        return Response(BulkResultSerializer(edit_many(request.user, record, **body.validated_data)).data)

    def perform_destroy(self, instance: M) -> None:
        """Delete the record softly; audited."""
        delete_record(instance, self.request.user)  # type: ignore[type-var]


def split(values: dict[str, Any]) -> tuple[dict[str, Any], dict[str, list[Any]], dict[Any, Any]]:
    """Return the columns, the multi fields and the custom fields of validated data."""
    columns_sent = {name: v for name, v in values.items() if not name.startswith(MULTI_PREFIX) and name != CUSTOM}
    multi = {name.removeprefix(MULTI_PREFIX): v for name, v in values.items() if name.startswith(MULTI_PREFIX)}
    return columns_sent, multi, values.get(CUSTOM, {})
