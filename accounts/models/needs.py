"""Needs of accounts and contacts."""

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from ..choices import INFERRED_EVIDENCE, NeedEvidence, NeedKind, SourceType
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

    def clean(self) -> None:
        """Hold the need against what is kept of it (1 query): services, API and admin all ask.

        Raises ValidationError where an inference would replace a stated need or revive a rejected one.
        """
        errors = {}
        if self.confirmed_on is not None and self.rejected_on is not None:
            errors["rejected_on"] = "A need is confirmed or rejected, not both: empty one of the two dates."
        is_inferred = self.evidence in INFERRED_EVIDENCE
        owner = {"account": self.account_id} if self.account_id else {"contact": self.contact_id}
        held = (
            type(self).objects.filter(pk=self.pk) if self.pk else type(self).objects.filter(need=self.need_id, **owner)
        )
        before = held.values("evidence", "rejected_on").first() if is_inferred else None
        if before is not None and before["rejected_on"] is not None and self.rejected_on is None:
            errors["evidence"] = "This inference was rejected and stays so; a person may state the need instead."
        elif before is not None and before["evidence"] and before["evidence"] not in INFERRED_EVIDENCE:
            errors["evidence"] = "Somebody stated this need; an inference does not replace that."
        if errors:
            raise ValidationError(errors)
