"""Saved views of lists over the API."""

from typing import Any

from django.db.models import Q, QuerySet
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied

from ..access import AnyUser, can
from ..filters import SavedViewFilter
from ..models import SavedView, User
from .serializers import RecordSerializer
from .viewsets import RecordViewSet

RECORDS = ("account", "contact", "opportunity", "activity", "segment", "task")


def saved_views_visible_to(user: AnyUser) -> QuerySet[SavedView]:
    """Return the user's own views, those of the team and those for everyone."""
    if not isinstance(user, User) or not user.is_active:
        return SavedView.objects.none()
    seen = Q(owner=user) | Q(visibility=SavedView.Visibility.EVERYONE)
    if user.team_id:
        seen |= Q(visibility=SavedView.Visibility.TEAM, owner__team_id=user.team_id)
    return SavedView.objects.filter(seen)


class SavedViewSerializer(RecordSerializer):
    """A saved view; its owner is who makes it."""

    record = serializers.ChoiceField(choices=RECORDS)

    class Meta:
        model = SavedView
        fields = ["id", "record", "name", "owner", "visibility", "is_default", "query", "rules"]
        read_only_fields = ["id", "owner"]

    def validate_query(self, value: Any) -> Any:
        """Take an object.

        Raises ValidationError for anything else.
        """
        if not isinstance(value, dict):
            raise serializers.ValidationError("Give an object of filters, columns and sort.")
        return value

    def validate_rules(self, value: Any) -> Any:
        """Take an object or null; the rule itself is checked by whoever evaluates it.

        Raises ValidationError for anything else.
        """
        if value is not None and not isinstance(value, dict):
            raise serializers.ValidationError("Give a rule of the rule language, or null.")
        return value

    def create(self, validated_data: dict[str, Any]) -> SavedView:
        """Save a view of the caller's own."""
        return super().create({**validated_data, "owner": self.context["request"].user})


class SavedViewViewSet(RecordViewSet[SavedView]):
    """Saved views: everyone keeps private ones; sharing with everyone takes a manager."""

    serializer_class = SavedViewSerializer
    filterset_class = SavedViewFilter
    # A view is a bookmark, no record: also who never writes records keeps some.
    write_capability = ""
    delete_capability = ""

    def visible_to(self, user: AnyUser) -> QuerySet[SavedView]:
        """Return the views the user may open."""
        return saved_views_visible_to(user)

    def perform_create(self, serializer: Any) -> None:
        """Save; a view for everyone takes a manager."""
        self._check_sharing(serializer.validated_data)
        serializer.save()

    def perform_update(self, serializer: Any) -> None:
        """Save the owner's view.

        Raises PermissionDenied for somebody else's.
        """
        self._check_owner(serializer.instance)
        self._check_sharing(serializer.validated_data)
        serializer.save()

    def perform_destroy(self, instance: SavedView) -> None:
        """Delete the owner's view.

        Raises PermissionDenied for somebody else's.
        """
        self._check_owner(instance)
        instance.delete()

    def _check_owner(self, view: SavedView) -> None:
        if view.owner_id != self.request.user.pk and not can(self.request.user, "settings.write"):
            raise PermissionDenied("Only its owner changes a saved view.")

    def _check_sharing(self, values: dict[str, Any]) -> None:
        if values.get("visibility") == SavedView.Visibility.EVERYONE and not can(self.request.user, "segments.write"):
            raise PermissionDenied("Your role shares views with the team at most.")
