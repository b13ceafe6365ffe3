"""A short survey recorded by hand: its answers and one activity, or nothing."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction

from segmentation_crm.common.access import AnyUser
from segmentation_crm.common.effective_time import effective_now
from segmentation_crm.common.folding import fold
from segmentation_crm.common.models import User

from ..choices import ActivityType, Direction, RecordType, SourceKind, SourceType
from ..models import Account, Activity, Contact, Provenance, SurveyAnswer
from .activities import record_activity

MOST_ANSWERS = 50
_SECONDARY = frozenset(
    {
        SourceKind.REPORT,
        SourceKind.RESEARCH,
        SourceKind.TRADE_PRESS,
        SourceKind.DATABASE,
        SourceKind.WEBSITE,
        SourceKind.SOCIAL,
    }
)


@dataclass(frozen=True)
class Answered:
    """A question and what was answered."""

    question: str
    answer: str


@transaction.atomic
def record_survey(
    survey: str,
    answers: Sequence[Answered],
    *,
    account: Account | None = None,
    contact: Contact | None = None,
    answered_at: dt.datetime | None = None,
    source_kind: str = SourceKind.SURVEY,
    nps: int | None = None,
    by: AnyUser | None = None,
) -> tuple[list[SurveyAnswer], Activity]:
    """Keep the answers of one person or account, with one activity of type survey_response (4 queries).

    Of a contact the account is the contact's, unless given. Raises ValidationError naming the wrong field.
    """
    survey = survey.strip()
    kept = [Answered(one.question.strip(), one.answer.strip()) for one in answers]
    moment = answered_at or effective_now()
    _check(survey, kept, account, contact, moment, source_kind, nps)
    kept = [one for one in kept if one.question]
    if account is None and contact is not None:
        account = contact.account
    source_type = SourceType.SECONDARY if source_kind in _SECONDARY else SourceType.PRIMARY
    rows = SurveyAnswer.objects.bulk_create(
        SurveyAnswer(
            account=account,
            contact=contact,
            survey=survey,
            survey_folded=fold(survey),
            question=one.question,
            question_folded=fold(one.question)[:500],
            answer=one.answer,
            answer_folded=fold(one.answer)[:2000],
            answered_at=moment,
            source_type=source_type,
        )
        for one in kept
    )
    Provenance.objects.bulk_create(
        Provenance(
            record_type=RecordType.SURVEY_ANSWER,
            record_id=row.pk,
            field="answer",
            source_type=source_type,
            kind=source_kind,
            observed_on=moment.date(),
        )
        for row in rows
    )
    activity = record_activity(
        ActivityType.SURVEY_RESPONSE,
        occurred_at=moment,
        contact=contact,
        account=account,
        user=by if isinstance(by, User) else None,
        direction=Direction.INBOUND,
        subject=survey,
        text="\n".join(f"{one.question}: {one.answer}" for one in kept),
        nps=nps,
    )
    return rows, activity


def _check(
    survey: str,
    answers: Sequence[Answered],
    account: Account | None,
    contact: Contact | None,
    moment: dt.datetime,
    source_kind: str,
    nps: int | None,
) -> None:
    errors: dict[str, str] = {}
    if account is None and contact is None:
        errors["contact"] = "A survey belongs to an account, a contact or both."
    if not survey or len(survey) > 200:
        errors["survey"] = "Name the survey, in at most 200 characters."
    if not any(one.question or one.answer for one in answers) and nps is None:
        errors["answers"] = "Write at least one question with its answer."
    if len(answers) > MOST_ANSWERS:
        errors["answers"] = f"At most {MOST_ANSWERS} answers at once; record the rest as a second survey."
    for number, one in enumerate(answers, start=1):
        if bool(one.question) != bool(one.answer):
            errors.setdefault("answers", f"Row {number} needs both a question and an answer.")
        elif len(one.question) > 500 or len(one.answer) > 2000:
            words = f"Row {number} is too long: 500 characters for a question, 2,000 for an answer."
            errors.setdefault("answers", words)
    if moment > effective_now() + dt.timedelta(days=1):
        errors["answered_at"] = "That day lies ahead: a survey is recorded once it was answered."
    if source_kind not in SourceKind.values:
        errors["source_kind"] = f"source_kind must be one of: {', '.join(SourceKind.values)}."
    if nps is not None and not 0 <= nps <= 10:
        errors["nps"] = "The score lies between 0 and 10."
    if errors:
        raise ValidationError(errors)
