"""Technologies that accounts use."""

from django.db import models

from ..choices import SourceType, TechnologyStatus
from .accounts import Account
from .catalogue import TechnologyProduct
from .columns import ImportedModel, closed, fraction, token, within


class AccountTechnology(ImportedModel):
    """One technology of one account; vendor, category and flags stand on the technology itself."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="technologies")
    product = models.ForeignKey(TechnologyProduct, on_delete=models.PROTECT, related_name="uses")
    status = token(TechnologyStatus, default=TechnologyStatus.IN_USE)
    first_seen = models.DateField(null=True, blank=True)
    last_verified = models.DateField(null=True, blank=True)
    confidence = fraction()
    contract_ends = models.DateField(null=True, blank=True)
    source_type = token(SourceType)

    class Meta:
        ordering = ["account", "id"]
        verbose_name_plural = "account technologies"
        constraints = [
            *closed("accounttechnology", status=TechnologyStatus, source_type=SourceType),
            *within("accounttechnology", 0, 1, "confidence"),
            models.UniqueConstraint(fields=["account", "product"], name="accounts_accounttechnology_unique"),
        ]
        indexes = [
            models.Index(fields=["product", "status", "account"], name="accounts_technology_product"),
            models.Index(fields=["contract_ends"], name="accounts_technology_ends"),
        ]

    def __str__(self) -> str:
        return f"{self.product} ({self.get_status_display()})"
