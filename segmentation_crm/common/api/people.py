"""Users and teams, as everyone who works here may know them: for owners of records, not for managing."""

from typing import Any, cast

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from ..access import CAPABILITIES, AnyUser, can
from ..filters import TeamFilter, UserFilter
from ..models import ApiToken, Team, User
from ..services.teams import delete_team, set_members
from .serializers import StrictFieldsMixin
from .viewsets import ReadViewSet, RecordViewSet


class TeamSerializer(StrictFieldsMixin, serializers.ModelSerializer):
    """A team with its members; somebody is in one team at a time, and moves here from another."""

    members = serializers.PrimaryKeyRelatedField(
        many=True, queryset=User.objects.filter(is_active=True), required=False
    )

    class Meta:
        model = Team
        fields = ["id", "name", "members"]

    def create(self, validated_data: dict[str, Any]) -> Team:
        """Add the team and let its members move into it."""
        return self._save(Team(), validated_data)

    def update(self, instance: Team, validated_data: dict[str, Any]) -> Team:
        """Change the name; members are replaced as a whole where they are sent."""
        return self._save(instance, validated_data)

    @staticmethod
    def _save(team: Team, values: dict[str, Any]) -> Team:
        members = values.pop("members", None)
        for name, value in values.items():
            setattr(team, name, value)
        team.save()
        if members is not None:
            set_members(team, members)
        return team


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


class TeamViewSet(RecordViewSet[Team]):
    """Teams: everyone reads, admins write. One that has members or territories is not deleted."""

    serializer_class = TeamSerializer
    prefetch = ("members",)
    write_capability = "users.write"
    delete_capability = "users.write"
    filterset_class = TeamFilter

    def visible_to(self, user: AnyUser) -> QuerySet[Team]:
        """Return all teams."""
        return Team.objects.order_by("name")

    def perform_destroy(self, instance: Team) -> None:
        """Delete an empty team."""
        delete_team(instance)


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
