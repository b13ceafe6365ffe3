"""Opportunities over the API, their lines and the people in them."""

from typing import Any

from django.core.exceptions import ValidationError as ModelValidationError
from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

from ..choices import MemberRecord, Vocabulary
from ..filters import OpportunityContactFilter, OpportunityFilter, OpportunityLineFilter
from ..models import Opportunity, OpportunityContact, OpportunityLine
from ..queries import opportunities_visible_to, opportunity_contacts_visible_to, opportunity_lines_visible_to
from ..services.opportunities import check_lost_reason
from .base import AccountsSerializer, DetailViewSet
from .custom import CustomValuesField
from .fields import TermsField
from .members import MemberSerializer, MemberViewSet


class OpportunitySerializer(MemberSerializer):
    """An opportunity; its stage says whether it is open, won or lost."""

    objections = TermsField("objections", Vocabulary.OBJECTION)
    competitors = TermsField("competitors", Vocabulary.COMPETITOR)
    custom = CustomValuesField(MemberRecord.OPPORTUNITY)
    is_open = serializers.BooleanField(source="stage.is_open", read_only=True, default=None, allow_null=True)
    is_won = serializers.BooleanField(source="stage.is_won", read_only=True, default=None, allow_null=True)
    is_lost = serializers.BooleanField(source="stage.is_lost", read_only=True, default=None, allow_null=True)

    class Meta:
        model = Opportunity
        fields = [
            "id",
            "name",
            "account",
            "owner",
            "pipeline",
            "stage",
            "is_open",
            "is_won",
            "is_lost",
            "type",
            "amount",
            "amount_currency",
            "amount_reporting",
            "probability",
            "forecast_category",
            "next_step",
            "next_step_due",
            "opened_on",
            "expected_close",
            "closed_at",
            "stage_entered_at",
            "champion_left_on",
            "lost_reason",
            "objections",
            "competitors",
            "primary_need",
            "lead_source",
            "campaign_first",
            "campaign_last",
            "product",
            "product_text",
            "custom",
            "source",
            "version",
            "created_at",
            "updated_at",
        ]
        read_only_fields = [
            "amount_reporting",
            "stage_entered_at",
            "champion_left_on",
            "source",
            "version",
            "created_at",
            "updated_at",
        ]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse to lose a deal without a reason; one that is created lost is history and may have none.

        Raises ValidationError naming lost_reason.
        """
        attrs = super().validate(attrs)
        deal = self.instance
        if deal is not None and not {"stage", "lost_reason"}.isdisjoint(attrs):
            stage, reason = attrs.get("stage", deal.stage), attrs.get("lost_reason", deal.lost_reason)
            if stage != deal.stage or deal.lost_reason is not None:
                try:
                    check_lost_reason(stage, reason)
                except ModelValidationError as error:
                    raise ValidationError({"lost_reason": [ErrorDetail(error.messages[0], "required")]}) from None
        return attrs


class OpportunityViewSet(MemberViewSet[Opportunity]):
    """Opportunities: deals on their way."""

    visible = staticmethod(opportunities_visible_to)
    serializer_class = OpportunitySerializer
    filterset_class = OpportunityFilter

    def get_queryset(self) -> QuerySet[Opportunity]:
        """Return the rows with their stage."""
        return super().get_queryset().select_related("stage")


class OpportunityLineSerializer(AccountsSerializer):
    """A line of an opportunity; the amount follows from quantity, price and discount where it is not given."""

    class Meta:
        model = OpportunityLine
        fields = [
            "id",
            "opportunity",
            "product",
            "product_text",
            "quantity",
            "unit_price",
            "unit_price_currency",
            "unit_price_reporting",
            "discount",
            "amount",
            "amount_currency",
            "amount_reporting",
            "source",
            "created_at",
            "updated_at",
        ]
        read_only_fields = ["unit_price_reporting", "amount_reporting", "source", "created_at", "updated_at"]


class OpportunityLineViewSet(DetailViewSet[OpportunityLine]):
    """Line items of opportunities."""

    visible = staticmethod(opportunity_lines_visible_to)
    serializer_class = OpportunityLineSerializer
    filterset_class = OpportunityLineFilter
    parents = "an opportunity"


class OpportunityContactSerializer(AccountsSerializer):
    """The part of a contact in one opportunity."""

    class Meta:
        model = OpportunityContact
        fields = [
            "id",
            "opportunity",
            "contact",
            "role",
            "stance",
            "influence",
            "source",
            "created_at",
            "updated_at",
        ]
        read_only_fields = ["source", "created_at", "updated_at"]


class OpportunityContactViewSet(DetailViewSet[OpportunityContact]):
    """Contact roles: who takes which part in an opportunity."""

    visible = staticmethod(opportunity_contacts_visible_to)
    serializer_class = OpportunityContactSerializer
    filterset_class = OpportunityContactFilter
    parents = "an opportunity"
