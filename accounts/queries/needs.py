"""Which needs, survey answers and consents a user sees."""

from django.db.models import QuerySet

from segmentation_crm.common.access import AnyUser, visibility

from ..models import Consent, Need, SurveyAnswer
from .following import of_account_else_contact, of_contact


def needs_visible_to(user: AnyUser) -> "QuerySet[Need]":
    """Return the needs of accounts and contacts the user sees."""
    seen = visibility(user)
    if seen.nothing:
        return Need.objects.none()
    return Need.objects.filter(of_account_else_contact(seen))


def survey_answers_visible_to(user: AnyUser) -> "QuerySet[SurveyAnswer]":
    """Return the survey answers of accounts (else contacts) the user sees."""
    seen = visibility(user)
    if seen.nothing:
        return SurveyAnswer.objects.none()
    return SurveyAnswer.objects.filter(of_account_else_contact(seen))


def consents_visible_to(user: AnyUser) -> "QuerySet[Consent]":
    """Return the consents of contacts the user sees."""
    seen = visibility(user)
    if seen.nothing:
        return Consent.objects.none()
    return Consent.objects.filter(of_contact(seen))
