"""Opportunities: deals on their way through a pipeline, with lines and the people involved."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from segmentation_crm.common.folding import FoldedField

from ..choices import BuyingRole, ForecastCategory, OpportunityType, Stance, Vocabulary
from .accounts import Account
from .activities import CampaignRef
from .catalogue import Pipeline, Product, Stage
from .columns import (
    GONE,
    ImportedModel,
    RecordModel,
    closed,
    fraction,
    money_amount,
    money_currency,
    money_reporting,
    one_value,
    term,
    token,
    within,
)
from .contacts import Contact
from .vocabularies import IndustryCode, Term


class Opportunity(RecordModel):
    """A possible or closed deal; whether it is open, won or lost stands on its stage.

    `account` may be unknown yet. `product_text` keeps the product as imported. Multi fields (objections,
    competitors) are rows of `OpportunityValue`.
    """

    name = models.CharField(max_length=255)
    name_folded = FoldedField("name", max_length=500)
    account = models.ForeignKey(
        Account, null=True, blank=True, on_delete=models.SET_NULL, related_name="opportunities", db_index=False
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="opportunities"
    )
    pipeline = models.ForeignKey(
        Pipeline, null=True, blank=True, on_delete=models.PROTECT, related_name="opportunities"
    )
    stage = models.ForeignKey(
        Stage,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="opportunities",
        db_index=False,
    )
    type = token(OpportunityType)
    amount = money_amount()
    amount_currency = money_currency()
    amount_reporting = money_reporting()
    probability = fraction()
    forecast_category = token(ForecastCategory)
    next_step = models.CharField(max_length=500, blank=True, default="")
    next_step_folded = FoldedField("next_step", max_length=500)
    next_step_due = models.DateField(null=True, blank=True)
    next_step_set_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When a person last changed the next step or its date"
    )
    opened_on = models.DateField(null=True, blank=True)
    expected_close = models.DateField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    stage_entered_at = models.DateTimeField(null=True, blank=True)
    lost_reason = term(Vocabulary.LOST_REASON)
    primary_need = term(Vocabulary.NEED)
    lead_source = term(Vocabulary.LEAD_SOURCE)
    campaign_first = models.ForeignKey(
        CampaignRef, null=True, blank=True, on_delete=models.PROTECT, related_name="first_touch_opportunities"
    )
    campaign_last = models.ForeignKey(
        CampaignRef, null=True, blank=True, on_delete=models.PROTECT, related_name="last_touch_opportunities"
    )
    product = models.ForeignKey(Product, null=True, blank=True, on_delete=models.PROTECT, related_name="opportunities")
    product_text = models.CharField(max_length=255, blank=True, default="")
    product_text_folded = FoldedField("product_text", max_length=500)
    champion_left = models.ForeignKey(
        Contact,
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="The champion who left the account while this deal was open",
    )
    champion_left_on = models.DateField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["-opened_on", "-id"]
        verbose_name_plural = "opportunities"
        constraints = [
            *closed("opportunity", type=OpportunityType, forecast_category=ForecastCategory),
            *within("opportunity", 0, 1, "probability"),
        ]
        indexes = [
            models.Index(fields=["id"], name="accounts_opp_gone", condition=GONE),
            models.Index(fields=["account", "stage"], name="accounts_opp_account_stage"),
            models.Index(fields=["account", "opened_on"], name="accounts_opp_account_opened"),
            models.Index(fields=["stage", "id"], name="accounts_opp_stage"),
            models.Index(fields=["name_folded", "id"], name="accounts_opp_name"),
            models.Index(fields=["amount_reporting"], name="accounts_opp_amount"),
            models.Index(fields=["opened_on", "id"], name="accounts_opp_opened"),
            models.Index(fields=["closed_at"], name="accounts_opp_closed"),
            models.Index(fields=["expected_close"], name="accounts_opp_expected"),
            models.Index(fields=["updated_at", "id"], name="accounts_opp_updated"),
            models.Index(fields=["owner", "next_step_due"], name="accounts_opp_next_step"),
            models.Index(fields=["stage_entered_at", "id"], name="accounts_opp_entered"),
            # The stalest deals of one person first.
            models.Index(fields=["owner", "stage_entered_at", "id"], name="accounts_opp_owner_entered"),
            models.Index(
                fields=["champion_left_on"],
                name="accounts_opp_champion_left",
                condition=Q(champion_left_on__isnull=False),
            ),
            # A column of the board, what closes next first.
            models.Index(
                fields=["stage", "expected_close", "id"],
                name="accounts_opp_stage_close",
                condition=Q(deleted_at__isnull=True, merged_into__isnull=True),
            ),
            # Board and forecast add up deals from these indexes alone, without reading the table.
            models.Index(
                fields=[
                    "stage", "forecast_category", "expected_close", "owner", "account", "amount_reporting",
                    "probability",
                ],
                name="accounts_opp_open_sums",
                condition=Q(deleted_at__isnull=True, merged_into__isnull=True),
            ),
            models.Index(
                fields=["stage", "closed_at", "owner", "account", "amount_reporting"],
                name="accounts_opp_closed_sums",
                condition=Q(deleted_at__isnull=True, merged_into__isnull=True, closed_at__isnull=False),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.name


class OpportunityValue(models.Model):
    """One value of a multi field of an opportunity: objections, competitors (term)."""

    opportunity = models.ForeignKey(Opportunity, on_delete=models.CASCADE, related_name="values_multi", db_index=False)
    field = models.CharField(max_length=40)
    token = models.CharField(max_length=253, blank=True, default="")
    term = models.ForeignKey(Term, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    code = models.ForeignKey(
        IndustryCode, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )

    class Meta:
        constraints = [
            one_value("opportunityvalue"),
            models.UniqueConstraint(
                fields=["opportunity", "field", "token"],
                condition=~Q(token=""),
                name="accounts_opportunityvalue_token_unique",
            ),
            models.UniqueConstraint(
                fields=["opportunity", "field", "term"],
                condition=Q(term__isnull=False),
                name="accounts_opportunityvalue_term_unique",
            ),
            models.UniqueConstraint(
                fields=["opportunity", "field", "code"],
                condition=Q(code__isnull=False),
                name="accounts_opportunityvalue_code_unique",
            ),
        ]
        indexes = [
            models.Index(fields=["opportunity", "field"], name="accounts_oppvalue_owner"),
            models.Index(fields=["field", "token", "opportunity"], name="accounts_oppvalue_token"),
            models.Index(fields=["field", "term", "opportunity"], name="accounts_oppvalue_term"),
            models.Index(fields=["field", "code", "opportunity"], name="accounts_oppvalue_code"),
            models.Index(fields=["term"], name="accounts_oppvalue_by_term"),
        ]

    def __str__(self) -> str:
        return f"{self.field}: {self.token or self.term or self.code}"


class OpportunityLine(ImportedModel):
    """A line of an opportunity: product, quantity, price and discount."""

    opportunity = models.ForeignKey(Opportunity, on_delete=models.CASCADE, related_name="line_items")
    product = models.ForeignKey(
        Product, null=True, blank=True, on_delete=models.PROTECT, related_name="opportunity_lines"
    )
    product_text = models.CharField(max_length=255, blank=True, default="")
    product_text_folded = FoldedField("product_text", max_length=500)
    quantity = models.DecimalField(max_digits=20, decimal_places=4, null=True, blank=True)
    unit_price = money_amount()
    unit_price_currency = money_currency()
    unit_price_reporting = money_reporting()
    discount = fraction()
    amount = money_amount()
    amount_currency = money_currency()
    amount_reporting = money_reporting()

    class Meta:
        ordering = ["opportunity", "id"]
        constraints = [*within("opportunityline", 0, 1, "discount")]

    def __str__(self) -> str:
        return f"{self.quantity or ''} {self.product or self.product_text}".strip()


class OpportunityContact(ImportedModel):
    """The part of a person in one opportunity: role, stance, influence."""

    opportunity = models.ForeignKey(Opportunity, on_delete=models.CASCADE, related_name="contact_roles")
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="opportunity_roles")
    role = token(BuyingRole)
    stance = token(Stance)
    influence = models.PositiveSmallIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["opportunity", "id"]
        constraints = [
            *closed("opportunitycontact", role=BuyingRole, stance=Stance),
            *within("opportunitycontact", 1, 5, "influence"),
            models.UniqueConstraint(
                fields=["opportunity", "contact", "role"], name="accounts_opportunitycontact_unique"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.contact}: {self.get_role_display()}"
