"""Needs of accounts and contacts."""

from django.db import models
from django.db.models import Q

from ..choices import NeedEvidence, NeedKind, SourceType
from .accounts import Account
from .columns import ImportedModel, closed, exactly_one, fraction, token, within
from .contacts import Contact
from .vocabularies import Term


class Need(ImportedModel):
    """One need of an account or of a contact; a rejected inference stays rejected, stated beats inferred."""

    account = models.ForeignKey(Account, null=True, blank=True, on_delete=models.CASCADE, related_name="needs")
    contact = models.ForeignKey(Contact, null=True, blank=True, on_delete=models.CASCADE, related_name="needs")
    need = models.ForeignKey(Term, on_delete=models.PROTECT, related_name="+", limit_choices_to={"vocabulary": "need"})
    kind = token(NeedKind)
    priority = models.PositiveSmallIntegerField(null=True, blank=True)
    evidence = token(NeedEvidence)
    source_type = token(SourceType)
    confidence = fraction()
    confirmed_on = models.DateField(null=True, blank=True)
    rejected_on = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["priority", "id"]
        constraints = [
            *closed("need", kind=NeedKind, evidence=NeedEvidence, source_type=SourceType),
            *within("need", 1, 5, "priority"),
            *within("need", 0, 1, "confidence"),
            exactly_one("need", "one_owner", "account", "contact"),
            models.UniqueConstraint(
                fields=["account", "need"],
                condition=Q(account__isnull=False),
                name="accounts_need_account_unique",
            ),
            models.UniqueConstraint(
                fields=["contact", "need"],
                condition=Q(contact__isnull=False),
                name="accounts_need_contact_unique",
            ),
        ]

    def __str__(self) -> str:
        return str(self.need)
