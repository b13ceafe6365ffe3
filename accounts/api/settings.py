"""Role templates and territories over the API; what the pages of settings write, in the same services."""

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from rest_framework import serializers

from segmentation_crm.common.access import AnyUser, can
from segmentation_crm.common.api.viewsets import RecordViewSet
from segmentation_crm.common.filters import TerritoryFilter
from segmentation_crm.common.models import Territory

from ..choices import Vocabulary
from ..models import RoleTemplate, RoleTemplateRole, Term
from ..queries import role_templates_visible_to
from ..services.role_templates import delete_template, save_template
from .base import AccountsSerializer
from .fields import check_country


class RoleTemplateRoleSerializer(AccountsSerializer):
    """One line of a role template: a role or a whole group, how many of it, and how much it weighs."""

    class Meta:
        model = RoleTemplateRole
        fields = ["role", "role_group", "minimum", "weight"]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Ask for a role or a group, one of them.

        Raises ValidationError otherwise.
        """
        line = {"role": "", "role_group": "", "minimum": 1, "weight": 1, **attrs}
        if bool(line["role"]) is bool(line["role_group"]):
            raise serializers.ValidationError({"role": "Name a role or a role group, one of them."})
        return line


class RoleTemplateSerializer(AccountsSerializer):
    """Which buying roles a committee needs. `roles` are replaced as a whole where they are sent."""

    roles = RoleTemplateRoleSerializer(many=True)
    # The service takes the mark from the other template; there is nothing to be unique before.
    is_default = serializers.BooleanField(required=False)

    class Meta:
        model = RoleTemplate
        fields = ["id", "name", "pipeline", "is_default", "roles"]

    def validate_roles(self, value: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Refuse none, too many, and a role that stands there twice.

        Raises ValidationError saying which.
        """
        if not 1 <= len(value) <= 100:
            raise serializers.ValidationError("Name 1 to 100 roles or groups.")
        keys = [(line["role"], line["role_group"]) for line in value]
        if twice := next((key for key in keys if keys.count(key) > 1), None):
            raise serializers.ValidationError(f"{twice[0] or twice[1]} stands there twice.")
        return value

    def validate_is_default(self, value: bool) -> bool:
        """Refuse to leave the organisation without a default.

        Raises ValidationError where the default template would be none any more.
        """
        if not value and self.instance is not None and self.instance.is_default:
            raise serializers.ValidationError("Make another template the default; it takes the mark from this one.")
        return value

    def create(self, validated_data: dict[str, Any]) -> RoleTemplate:
        """Add the template with its lines."""
        return self._save(RoleTemplate(), validated_data)

    def update(self, instance: RoleTemplate, validated_data: dict[str, Any]) -> RoleTemplate:
        """Change the template; lines that are not sent stay."""
        return self._save(instance, validated_data)

    def _save(self, template: RoleTemplate, values: dict[str, Any]) -> RoleTemplate:
        lines = values.pop("roles", None)
        if lines is None:
            lines = list(template.roles.values("role", "role_group", "minimum", "weight"))
        is_default = values.pop("is_default", template.is_default)
        for name, value in values.items():
            setattr(template, name, value)
        return save_template(template, lines, is_default)


class RoleTemplateViewSet(RecordViewSet[RoleTemplate]):
    """Role templates with their roles: everyone reads, managers write; the default one cannot be deleted."""

    visible = staticmethod(role_templates_visible_to)
    serializer_class = RoleTemplateSerializer
    prefetch = ("roles",)
    write_capability = "vocabularies.write"
    delete_capability = "vocabularies.write"

    def perform_destroy(self, instance: RoleTemplate) -> None:
        """Delete the template with its lines."""
        delete_template(instance)


class TerritorySerializer(AccountsSerializer):
    """A named set of sales regions (slugs of terms; each stands for all below it) and countries, and whose it is."""

    countries = serializers.ListField(
        child=serializers.CharField(max_length=2, validators=[check_country]), required=False, max_length=300
    )
    region_slugs = serializers.ListField(child=serializers.CharField(max_length=200), required=False, max_length=1000)

    class Meta:
        model = Territory
        fields = ["id", "name", "countries", "region_slugs", "users", "teams"]

    def validate_countries(self, value: list[str]) -> list[str]:
        """Return the codes sorted, each once."""
        return sorted(set(value))

    def validate_region_slugs(self, value: list[str]) -> list[str]:
        """Return the slugs sorted, each once.

        Raises ValidationError naming one that is no sales region.
        """
        known = set(
            Term.objects.filter(vocabulary=Vocabulary.SALES_REGION, slug__in=value).values_list("slug", flat=True)
        )
        if unknown := sorted(set(value) - known):
            raise serializers.ValidationError(f"There is no sales region {unknown[0]!r}.")
        return sorted(known)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse a territory that lies nowhere.

        Raises ValidationError naming the countries.
        """
        held = self.instance
        places = [
            attrs.get(name, getattr(held, name) if held is not None else []) for name in ("countries", "region_slugs")
        ]
        if not any(places):
            raise serializers.ValidationError({"countries": "Name at least one sales region or country."})
        return attrs


class TerritoryViewSet(RecordViewSet[Territory]):
    """Territories, for admins: whoever has one sees the accounts in it."""

    serializer_class = TerritorySerializer
    filterset_class = TerritoryFilter
    prefetch = ("users", "teams")
    read_capability = "users.write"
    write_capability = "users.write"
    delete_capability = "users.write"

    def visible_to(self, user: AnyUser) -> QuerySet[Territory]:
        """Return all territories to who keeps them."""
        return Territory.objects.order_by("name") if can(user, "users.write") else Territory.objects.none()

    def perform_update(self, serializer: Any) -> None:
        """Change the territory in one piece."""
        with transaction.atomic():
            serializer.save()
