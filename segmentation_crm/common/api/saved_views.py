"""Saved views of lists over the API."""

from typing import Any

from django.core.exceptions import PermissionDenied as Refused
from django.core.exceptions import ValidationError as Invalid
from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied

from ..access import AnyUser
from ..filters import SavedViewFilter
from ..lists import saved_views_visible_to
from ..models import SavedView
from ..services import saved_views
from .serializers import RecordSerializer
from .viewsets import RecordViewSet

RECORDS = ("account", "contact", "opportunity", "activity", "segment", "task")


class SavedViewSerializer(RecordSerializer):
    """A saved view of a list; its owner is who makes it.

    `query`: parameters of the list's page by name, e.g. {"country": "DE", "tier": ["1", "2"], "ordering": "-name",
    "columns": ["name", "tier"]}. `rules`: a rule of the rule language over these records, or null. `is_default`: the
    list opens with it, for whoever sees it; of private views for the owner.
    """

    record = serializers.ChoiceField(choices=RECORDS)

    class Meta:
        model = SavedView
        fields = ["id", "record", "name", "owner", "visibility", "is_default", "query", "rules"]
        read_only_fields = ["id", "owner"]

    def validate_record(self, value: str) -> str:
        """Keep the list a view was made for.

        Raises ValidationError for another one.
        """
        if self.instance is not None and self.instance.record != value:
            raise serializers.ValidationError("A view stays with its list; make a new one.")
        return value

    def create(self, validated_data: dict[str, Any]) -> SavedView:
        """Save a view of the caller's own."""
        return self._save(SavedView(record=validated_data.pop("record")), validated_data)

    def update(self, instance: SavedView, validated_data: dict[str, Any]) -> SavedView:
        """Save changes to a view."""
        validated_data.pop("record", None)
        return self._save(instance, validated_data)

    def _save(self, view: SavedView, values: dict[str, Any]) -> SavedView:
        user = self.context["request"].user
        try:
            return saved_views.save_view(user, view, values)
        except Invalid as problem:
            raise serializers.ValidationError(problem.message_dict) from problem
        except Refused as refused:
            raise PermissionDenied(str(refused)) from refused


class SavedViewViewSet(RecordViewSet[SavedView]):
    """Saved views: one's own, those of the team and those for everyone. Sharing with everyone takes a manager."""

    serializer_class = SavedViewSerializer
    filterset_class = SavedViewFilter
    # A view is a bookmark, no record: also who never writes records keeps some.
    write_capability = ""
    delete_capability = ""

    def visible_to(self, user: AnyUser) -> QuerySet[SavedView]:
        """Return the views the user may open."""
        return saved_views_visible_to(user).select_related("owner")

    def perform_destroy(self, instance: SavedView) -> None:
        """Delete the owner's view.

        Raises PermissionDenied for somebody else's.
        """
        user: Any = self.request.user
        try:
            saved_views.delete_view(user, instance)
        except Refused as refused:
            raise PermissionDenied(str(refused)) from refused
