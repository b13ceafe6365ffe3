"""One's own notifications over the API."""

from typing import Any

import django_filters
from django.db.models import QuerySet
from rest_framework import serializers

from ..access import AnyUser
from ..models import Notification, User
from ..services.notifications import mark_read, mark_unread
from .serializers import RecordSerializer
from .viewsets import RecordViewSet


def notifications_visible_to(user: AnyUser) -> QuerySet[Notification]:
    """Return the user's own notifications: nobody sees another's."""
    if not isinstance(user, User) or not user.is_active:
        return Notification.objects.none()
    return Notification.objects.filter(user=user)


class NotificationFilter(django_filters.FilterSet):
    """Notifications by kind, and whether they were read."""

    kind = django_filters.CharFilter(max_length=30)
    unread = django_filters.BooleanFilter(field_name="read_at", lookup_expr="isnull")

    class Meta:
        model = Notification
        fields: list[str] = []


class NotificationSerializer(RecordSerializer):
    """Something the caller should know. `read` is all that can be changed."""

    read = serializers.BooleanField(required=False)

    class Meta:
        model = Notification
        fields = ["id", "kind", "title", "text", "url", "created_at", "read", "read_at", "email_state"]
        read_only_fields = ["id", "kind", "title", "text", "url", "created_at", "read_at", "email_state"]

    def to_representation(self, instance: Notification) -> dict[str, Any]:
        """Return the notification as JSON."""
        instance.read = instance.read_at is not None  # type: ignore[attr-defined]
        return super().to_representation(instance)

    def update(self, instance: Notification, validated_data: dict[str, Any]) -> Notification:
        """Mark as read or as new again."""
        if validated_data.get("read") is True:
            mark_read(instance.user, [instance.pk])
        elif validated_data.get("read") is False:
            mark_unread(instance.user, instance.pk)
        instance.refresh_from_db()
        return instance


class NotificationViewSet(RecordViewSet[Notification]):
    """One's own notifications; PATCH `{"read": true}` marks one as read."""

    serializer_class = NotificationSerializer
    filterset_class = NotificationFilter
    http_method_names = ["get", "patch", "head", "options"]
    # One's own letters are no records: everybody reads them.
    write_capability = ""

    def visible_to(self, user: AnyUser) -> QuerySet[Notification]:
        """Return the caller's own notifications."""
        return notifications_visible_to(user)
