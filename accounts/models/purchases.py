"""What accounts bought, hold under contract and asked support for."""

from django.db import models
from django.db.models import Q

from segmentation_crm.common.folding import FoldedField

from ..choices import ContractStatus, Severity, Vocabulary
from .accounts import Account
from .catalogue import Product
from .columns import ImportedModel, closed, fraction, money_amount, money_currency, money_reporting, term, token, within
from .contacts import Contact
from .opportunities import Opportunity


class Purchase(ImportedModel):
    """A purchase line; `amount` is computed when only quantity, price and discount are given."""

    account = models.ForeignKey(
        Account, null=True, blank=True, on_delete=models.CASCADE, related_name="purchases", db_index=False
    )
    contact = models.ForeignKey(Contact, null=True, blank=True, on_delete=models.SET_NULL, related_name="purchases")
    opportunity = models.ForeignKey(
        Opportunity, null=True, blank=True, on_delete=models.SET_NULL, related_name="purchases"
    )
    order_number = models.CharField(max_length=80, blank=True, default="")
    order_number_folded = FoldedField("order_number", max_length=160)
    product = models.ForeignKey(
        Product, null=True, blank=True, on_delete=models.PROTECT, related_name="purchases", db_index=False
    )
    product_text = models.CharField(max_length=255, blank=True, default="")
    product_text_folded = FoldedField("product_text", max_length=500)
    category = term(Vocabulary.PRODUCT_CATEGORY)
    quantity = models.DecimalField(max_digits=20, decimal_places=4, null=True, blank=True)
    unit_price = money_amount()
    unit_price_currency = money_currency()
    unit_price_reporting = money_reporting()
    discount = fraction()
    amount = money_amount()
    amount_currency = money_currency()
    amount_reporting = money_reporting()
    cost = money_amount()
    cost_currency = money_currency()
    cost_reporting = money_reporting()
    ordered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-ordered_at", "-id"]
        constraints = [*within("purchase", 0, 1, "discount")]
        indexes = [
            models.Index(fields=["account", "ordered_at"], name="accounts_purchase_account_at"),
            models.Index(fields=["product", "account"], name="accounts_purchase_product"),
            models.Index(fields=["ordered_at", "id"], name="accounts_purchase_at"),
            models.Index(fields=["amount_reporting"], name="accounts_purchase_amount"),
            models.Index(fields=["order_number_folded"], name="accounts_purchase_order"),
        ]

    def __str__(self) -> str:
        return f"{self.order_number} {self.product or self.product_text}".strip() or f"Purchase {self.pk}"


class Contract(ImportedModel):
    """A running or past contract with its monthly recurring revenue."""

    account = models.ForeignKey(
        Account, null=True, blank=True, on_delete=models.CASCADE, related_name="contracts", db_index=False
    )
    number = models.CharField(max_length=80, blank=True, default="")
    number_folded = FoldedField("number", max_length=160)
    product = models.ForeignKey(Product, null=True, blank=True, on_delete=models.PROTECT, related_name="contracts")
    product_text = models.CharField(max_length=255, blank=True, default="")
    product_text_folded = FoldedField("product_text", max_length=500)
    starts_on = models.DateField(null=True, blank=True)
    ends_on = models.DateField(null=True, blank=True)
    mrr = money_amount()
    mrr_currency = money_currency()
    mrr_reporting = money_reporting()
    status = token(ContractStatus)
    renewed_from = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="renewals")

    class Meta:
        ordering = ["-starts_on", "-id"]
        constraints = [
            *closed("contract", status=ContractStatus),
            models.CheckConstraint(
                condition=Q(starts_on__isnull=True) | Q(ends_on__isnull=True) | Q(ends_on__gte=models.F("starts_on")),
                name="accounts_contract_dates",
                violation_error_message="ends_on must not lie before starts_on.",
            ),
        ]
        indexes = [
            models.Index(fields=["account", "starts_on"], name="accounts_contract_account"),
            models.Index(fields=["ends_on"], name="accounts_contract_ends"),
            models.Index(fields=["status"], name="accounts_contract_status"),
            models.Index(fields=["mrr_reporting"], name="accounts_contract_mrr"),
        ]

    def __str__(self) -> str:
        return self.number or f"Contract {self.pk}"


class SupportCase(ImportedModel):
    """A request for support, with what it took."""

    account = models.ForeignKey(
        Account, null=True, blank=True, on_delete=models.CASCADE, related_name="support_cases", db_index=False
    )
    contact = models.ForeignKey(Contact, null=True, blank=True, on_delete=models.SET_NULL, related_name="support_cases")
    product = models.ForeignKey(Product, null=True, blank=True, on_delete=models.PROTECT, related_name="support_cases")
    subject = models.CharField(max_length=255, blank=True, default="")
    subject_folded = FoldedField("subject", max_length=500)
    opened_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    hours = models.DecimalField(max_digits=12, decimal_places=4, null=True, blank=True)
    cost = money_amount()
    cost_currency = money_currency()
    cost_reporting = money_reporting()
    severity = token(Severity)
    satisfaction = models.DecimalField(
        max_digits=5, decimal_places=2, null=True, blank=True, help_text="From 0, bad, to 10, good"
    )

    class Meta:
        ordering = ["-opened_at", "-id"]
        constraints = [
            *closed("supportcase", severity=Severity),
            *within("supportcase", 0, 10, "satisfaction"),
        ]
        indexes = [
            models.Index(fields=["account", "opened_at"], name="accounts_supportcase_account"),
            models.Index(fields=["opened_at", "id"], name="accounts_supportcase_at"),
        ]

    def __str__(self) -> str:
        return self.subject or f"Support case {self.pk}"
