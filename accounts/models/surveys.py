"""Answers of surveys."""

from django.db import models
from django.db.models import Q

from segmentation_crm.common.folding import FoldedField

from ..choices import SourceType
from .accounts import Account
from .columns import ImportedModel, closed, token
from .contacts import Contact


class SurveyAnswer(ImportedModel):
    """One answer to one question, of a contact, an account or both."""

    account = models.ForeignKey(
        Account, null=True, blank=True, on_delete=models.CASCADE, related_name="survey_answers", db_index=False
    )
    contact = models.ForeignKey(
        Contact, null=True, blank=True, on_delete=models.CASCADE, related_name="survey_answers", db_index=False
    )
    survey = models.CharField(max_length=200, blank=True, default="")
    survey_folded = FoldedField("survey", max_length=400)
    question = models.CharField(max_length=500, blank=True, default="")
    question_folded = FoldedField("question", max_length=500)
    answer = models.CharField(max_length=2000, blank=True, default="")
    answer_folded = FoldedField("answer", max_length=2000)
    answered_at = models.DateTimeField(null=True, blank=True)
    source_type = token(SourceType)

    class Meta:
        ordering = ["-answered_at", "-id"]
        constraints = [
            *closed("surveyanswer", source_type=SourceType),
            models.CheckConstraint(
                condition=Q(account__isnull=False) | Q(contact__isnull=False),
                name="accounts_surveyanswer_owner",
                violation_error_message="An answer belongs to an account, a contact or both.",
            ),
        ]
        indexes = [
            models.Index(fields=["account", "answered_at"], name="accounts_surveyanswer_account"),
            models.Index(fields=["contact", "answered_at"], name="accounts_surveyanswer_contact"),
            models.Index(fields=["answered_at", "id"], name="accounts_surveyanswer_at"),
        ]

    def __str__(self) -> str:
        return f"{self.question}: {self.answer}"[:120]
