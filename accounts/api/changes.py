"""The log of changes over the API: reading it by record, and taking a change back."""

from typing import Any

from django.core.exceptions import PermissionDenied as NotAllowed
from django.core.exceptions import ValidationError as NotPossible
from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from segmentation_crm.common.access import AnyUser
from segmentation_crm.common.api.viewsets import ReadViewSet
from segmentation_crm.common.keys import key_of

from ..choices import ChangeAction, ChangeVia
from ..filters.making import Ordering
from ..models import RecordChange
from ..queries.changes import changes_visible_to
from ..services.changes import MODELS
from ..services.undoing import undo_change
from .base import AccountsSerializer


class RecordChangeSerializer(AccountsSerializer):
    """One act on one record. `changes`: field, old and new; references by id, figures and moments as text."""

    class Meta:
        model = RecordChange
        fields = [
            "id", "record_type", "record_id", "at", "actor", "actor_name", "action", "via", "changes", "batch",
            "undone_by",
        ]  # fmt: skip
        read_only_fields = fields


class UndoneSerializer(serializers.Serializer):
    """What an undo restored, and what it left with the reason."""

    change = RecordChangeSerializer(allow_null=True, help_text="The undo's own row in the log")
    restored = serializers.ListField(child=serializers.CharField())
    left = serializers.ListField(child=serializers.DictField())


class RecordChangeFilter(filters.FilterSet):
    """By record, person, action and way."""

    record = filters.CharFilter(method="of_record", label="Record, such as account:12")
    action = filters.ChoiceFilter(choices=ChangeAction.choices)
    via = filters.ChoiceFilter(choices=ChangeVia.choices)
    batch = filters.UUIDFilter()
    ordering = Ordering(id="pk", at="at")

    class Meta:
        model = RecordChange
        fields = ["record", "actor", "action", "via", "batch"]

    def of_record(self, rows: "QuerySet[RecordChange]", name: str, value: str) -> "QuerySet[RecordChange]":
        """Leave the changes of one record."""
        kind, _, number = value.partition(":")
        pk = key_of(number)
        if kind not in MODELS or pk is None:
            raise ValidationError({"record": [f"Give {', '.join(MODELS)} and a number, such as account:12."]})
        return rows.filter(record_type=kind, record_id=pk)


class RecordChangeViewSet(ReadViewSet[RecordChange]):
    """Who changed what on accounts, contacts and opportunities, newest first."""

    serializer_class = RecordChangeSerializer
    filterset_class = RecordChangeFilter
    queryset = RecordChange.objects.none()

    @staticmethod
    def visible(user: AnyUser) -> "QuerySet[RecordChange]":
        """Return the changes of records the user sees."""
        return changes_visible_to(user).order_by("-at", "-id")

    @extend_schema(
        request=None,
        responses=UndoneSerializer,
        parameters=[OpenApiParameter("id", int, OpenApiParameter.PATH)],
    )
    @action(detail=True, methods=["post"])
    def undo(self, request: Request, pk: str | None = None) -> Response:
        """Restore the old values of the fields that nobody changed since; the others are named in `left`."""
        change: Any = self.get_object()
        try:
            done = undo_change(change, request.user)
        except NotAllowed as refused:
            raise PermissionDenied(str(refused)) from None
        except NotPossible as error:
            raise ValidationError({"non_field_errors": error.messages}) from None
        return Response(
            {
                "change": RecordChangeSerializer(done.row).data if done.row else None,
                "restored": [one["field"] for one in done.restored],
                "left": done.left,
            }
        )
