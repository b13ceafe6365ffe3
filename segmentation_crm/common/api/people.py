"""Users and teams, as everyone who works here may know them: for owners of records, not for managing."""

from typing import cast

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from ..access import CAPABILITIES, AnyUser, can
from ..filters import TeamFilter, UserFilter
from ..models import ApiToken, Team, User
from .viewsets import ReadViewSet


class TeamSerializer(serializers.ModelSerializer):
    """A team."""

    class Meta:
        model = Team
        fields = ["id", "name"]
        read_only_fields = fields


class UserSerializer(serializers.ModelSerializer):
    """A user: the name and the role, nothing that is personal or secret."""

    name = serializers.CharField(source="display_name", read_only=True)

    class Meta:
        model = User
        fields = ["id", "username", "name", "role", "team", "is_active"]
        read_only_fields = fields


class MeSerializer(serializers.Serializer):
    """Who is calling, and what the caller may do."""

    id = serializers.IntegerField()
    username = serializers.CharField()
    name = serializers.CharField()
    role = serializers.CharField()
    capabilities = serializers.ListField(child=serializers.CharField())
    scopes = serializers.ListField(
        child=serializers.CharField(), allow_null=True, help_text="Of the token in use; null in a session."
    )


class TeamViewSet(ReadViewSet[Team]):
    """Teams."""

    serializer_class = TeamSerializer
    filterset_class = TeamFilter

    def visible_to(self, user: AnyUser) -> QuerySet[Team]:
        """Return all teams."""
        return Team.objects.all()


class UserViewSet(ReadViewSet[User]):
    """Users, the inactive too, so that old records keep their owner's name."""

    serializer_class = UserSerializer
    filterset_class = UserFilter

    def visible_to(self, user: AnyUser) -> QuerySet[User]:
        """Return all users."""
        return User.objects.all()

    @extend_schema(responses=MeSerializer)
    @action(detail=False, filterset_class=None, pagination_class=None)
    def me(self, request: Request) -> Response:
        """Tell who is calling: role, capabilities, and the scopes of the token."""
        user = cast(User, request.user)
        token = request.auth
        return Response(
            {
                "id": user.pk,
                "username": user.username,
                "name": user.display_name,
                "role": user.role,
                "capabilities": sorted(name for name in CAPABILITIES if can(user, name)),
                "scopes": token.scopes if isinstance(token, ApiToken) else None,
            }
        )
