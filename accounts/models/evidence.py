"""What people said in calls, meetings and interviews, as counted evidence: needs, triggers, objections, competitors."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from ..choices import EvidenceKind, SourceKind, SourceType
from .accounts import Account
from .activities import Activity
from .columns import ImportedModel, closed, token
from .contacts import Contact
from .opportunities import Opportunity
from .vocabularies import Term
from .work import Note


class Evidence(ImportedModel):
    """One thing heard once: a term of the kind's vocabulary, from whom, when, and the call or note it was said in."""

    kind = models.CharField(max_length=16, choices=EvidenceKind.choices)
    term = models.ForeignKey(Term, on_delete=models.PROTECT, related_name="+")
    account = models.ForeignKey(
        Account, null=True, blank=True, on_delete=models.CASCADE, related_name="evidence", db_index=False
    )
    contact = models.ForeignKey(Contact, null=True, blank=True, on_delete=models.CASCADE, related_name="evidence")
    opportunity = models.ForeignKey(
        Opportunity, null=True, blank=True, on_delete=models.SET_NULL, related_name="evidence"
    )
    activity = models.ForeignKey(Activity, null=True, blank=True, on_delete=models.CASCADE, related_name="evidence")
    note = models.ForeignKey(Note, null=True, blank=True, on_delete=models.CASCADE, related_name="evidence")
    quote = models.CharField(max_length=500, blank=True, default="")
    source_type = token(SourceType)
    source_kind = token(SourceKind)
    said_at = models.DateTimeField()
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        ordering = ["-said_at", "-id"]
        verbose_name_plural = "evidence"
        constraints = [
            *closed("evidence", source_type=SourceType, source_kind=SourceKind),
            models.CheckConstraint(
                condition=Q(kind__in=EvidenceKind.values),
                name="accounts_evidence_kind_known",
                violation_error_message="kind must be one of: need, trigger, objection, competitor.",
            ),
            models.CheckConstraint(
                condition=Q(account__isnull=False) | Q(contact__isnull=False),
                name="accounts_evidence_owner",
                violation_error_message="Evidence belongs to an account, a contact or both.",
            ),
            models.UniqueConstraint(
                fields=["activity", "term"],
                condition=Q(activity__isnull=False),
                name="accounts_evidence_activity_once",
            ),
            models.UniqueConstraint(
                fields=["note", "term"], condition=Q(note__isnull=False), name="accounts_evidence_note_once"
            ),
        ]
        indexes = [
            models.Index(fields=["account", "kind", "term"], name="accounts_evidence_account"),
            models.Index(fields=["kind", "term", "said_at"], name="accounts_evidence_term"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.term}"
