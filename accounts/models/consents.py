"""What contacts agreed to."""

from django.db import models

from ..choices import Channel, ConsentStatus, LegalBasis, Vocabulary
from .columns import ImportedModel, closed, term, token
from .contacts import Contact


class Consent(ImportedModel):
    """What a contact said about one topic on one channel, at one moment; the latest row holds."""

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="consents", db_index=False)
    topic = term(Vocabulary.CONSENT_TOPIC, help_text="Empty: every topic")
    channel = token(Channel, help_text="Empty: every channel")
    status = token(ConsentStatus)
    legal_basis = token(LegalBasis)
    obtained_by = models.CharField(max_length=255, blank=True, default="", help_text="Form, call, contract …")
    proof = models.TextField(blank=True, default="")
    at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["contact", "-at", "-id"]
        constraints = [
            *closed("consent", channel=Channel, status=ConsentStatus, legal_basis=LegalBasis),
        ]
        indexes = [
            models.Index(fields=["contact", "topic", "channel", "at"], name="accounts_consent_contact"),
        ]

    def __str__(self) -> str:
        return f"{self.contact}: {self.get_status_display()}"
