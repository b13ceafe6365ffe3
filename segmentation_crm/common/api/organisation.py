"""The organisation's settings over the API: everyone reads, an admin changes."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from ..access import AnyUser
from ..models import Organisation
from ..models.organisation import SIZES, size_limits_problem
from ..services.organisation import change_organisation
from .serializers import StrictFieldsMixin
from .viewsets import RecordViewSet


class SizeLimitsSerializer(serializers.Serializer):
    """The highest number of employees of each size class; above the last a company is an enterprise."""

    micro = serializers.IntegerField(min_value=1)
    small = serializers.IntegerField(min_value=1)
    mid_market = serializers.IntegerField(min_value=1)


class OrganisationSerializer(StrictFieldsMixin, serializers.ModelSerializer):
    """Name, time zone, currency, fiscal year, size limits, free-mail list (empty: the delivered one)."""

    size_limits = SizeLimitsSerializer(required=False)
    free_mail_domains = serializers.ListField(
        child=serializers.RegexField(r"^[a-z0-9-]+(\.[a-z0-9-]+)+$", max_length=253), max_length=20_000, required=False
    )

    class Meta:
        model = Organisation
        fields = [
            "name",
            "time_zone",
            "currency",
            "fiscal_year_start_month",
            "size_limits",
            "purchase_active_days",
            "free_mail_domains",
            "version",
        ]
        read_only_fields = ["version"]
        extra_kwargs = {
            "fiscal_year_start_month": {"min_value": 1, "max_value": 12},
            "purchase_active_days": {"min_value": 1, "max_value": 36_500},
        }

    def validate_size_limits(self, value: dict[str, int]) -> dict[str, int]:
        """Return the limits as they are kept.

        Raises ValidationError where they do not rise.
        """
        current: dict[str, int] = self.instance.size_limits if self.instance is not None else {}
        limits = {size: value[size] if size in value else current[size] for size in SIZES}
        if problem := size_limits_problem(limits):
            raise serializers.ValidationError(problem)
        return limits

    def validate_free_mail_domains(self, value: list[str]) -> list[str]:
        """Return the domains sorted, each once."""
        return sorted(set(value))


class OrganisationViewSet(RecordViewSet[Organisation]):
    """The one row of settings. A change of currency or size limits starts a job that computes records anew."""

    serializer_class = OrganisationSerializer
    write_capability = "settings.write"
    http_method_names = ["get", "patch", "head", "options"]
    pagination_class = None

    def visible_to(self, user: AnyUser) -> QuerySet[Organisation]:
        """Return the row."""
        return Organisation.objects.filter(pk=1)

    def get_object(self) -> Organisation:
        """Return the settings, made with defaults where there are none yet."""
        return Organisation.current()

    def perform_update(self, serializer: Any) -> None:
        """Change the settings and start what follows from it.

        Raises ValidationError naming the field.
        """
        serializer.instance, _ = change_organisation(serializer.validated_data, actor=self.request.user)
