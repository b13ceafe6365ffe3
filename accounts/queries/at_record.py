"""What hangs on one record that the user is known to see.

The page of a record asks for it first; whether its rows may be seen then mostly needs no condition: what follows an
account is seen wherever the account is. The rows are those of `<things>_visible_to(user)`, at a fraction of the work
for the database and for Django, which builds and compiles every condition anew. `tests/accounts/test_at_record.py`
compares both for every role.
"""

from collections.abc import Callable
from typing import Any

from django.db import models
from django.db.models import Q, QuerySet

from segmentation_crm.common.access import AnyUser, Visibility, visibility

from ..models import (
    Account,
    AccountTechnology,
    Activity,
    Attachment,
    Consent,
    Contact,
    ContactAccount,
    Contract,
    Evidence,
    Need,
    Note,
    Opportunity,
    OpportunityContact,
    OpportunityLine,
    Purchase,
    SupportCase,
    SurveyAnswer,
    Task,
)
from .following import of_account, of_account_else_contact, of_contact, of_opportunity, ownerless

Record = Account | Contact | Opportunity
Further = Callable[[Visibility], Q] | None


def _account_or_none(seen: Visibility) -> Q:
    return Q(account_id__isnull=True) | of_account(seen)


def _activity_of_contact(seen: Visibility) -> Q:
    return _account_or_none(seen) if seen.everything else _account_or_none(seen) | Q(user_id__in=seen.owner_ids)


def _activity_of_deal(seen: Visibility) -> Q:
    found = of_account_else_contact(seen) | Q(account_id__isnull=True, contact_id__isnull=True)
    return found if seen.everything else found | Q(user_id__in=seen.owner_ids)


def _purchase_of_deal(seen: Visibility) -> Q:
    return of_account_else_contact(seen) | ownerless(seen, "account_id", "contact_id")


# What must still be asked of a row at a record that is seen; None: nothing. What is not listed raises KeyError.
_FURTHER: dict[type[Any], dict[type[models.Model], Further]] = {
    Account: {
        Contact: None,
        Opportunity: None,
        Activity: None,
        Purchase: None,
        Contract: None,
        SupportCase: None,
        AccountTechnology: None,
        Need: None,
        SurveyAnswer: None,
        Evidence: None,
        Task: None,
        Note: None,
        Attachment: None,
        ContactAccount: of_contact,
    },
    Contact: {
        Activity: _activity_of_contact,
        Purchase: _account_or_none,
        SupportCase: _account_or_none,
        Need: _account_or_none,
        SurveyAnswer: _account_or_none,
        Evidence: _account_or_none,
        Task: None,
        Note: None,
        Attachment: None,
        Consent: None,
        ContactAccount: of_account,
        OpportunityContact: of_opportunity,
    },
    Opportunity: {
        Activity: _activity_of_deal,
        Purchase: _purchase_of_deal,
        Task: None,
        Note: None,
        Attachment: None,
        OpportunityLine: None,
        OpportunityContact: of_contact,
    },
}


def rows_at(user: AnyUser, record: Record, model: type[Any]) -> "QuerySet[Any]":
    """Return the rows of a model that hang on a record, of those only what the user sees (0 queries to build).

    The record itself must be one that the user sees: it comes from `<things>_visible_to(user)`. Raises KeyError for a
    model that does not hang on such a record.
    """
    further = _FURTHER[type(record)][model]
    seen = visibility(user)
    if seen.nothing:
        return model.objects.none()
    rows = standing(model).filter((str(record._meta.model_name), record.pk))
    return rows if further is None else rows.filter(further(seen))


def activities_of_seen_contacts(user: AnyUser) -> "QuerySet[Activity]":
    """Return the activities the user sees, for callers that keep to contacts whom the user sees (0 queries)."""
    seen = visibility(user)
    return Activity.objects.none() if seen.nothing else Activity.objects.filter(_activity_of_contact(seen))


def standing(model: type[Any]) -> "QuerySet[Any]":
    """Return the rows of a model without what was deleted, merged away, erased or taken back."""
    if model in (Contact, Opportunity):
        return model.objects.live()  # type: ignore[no-any-return]
    if model in (Note, Attachment):
        return model.objects.filter(deleted_at__isnull=True)  # type: ignore[no-any-return]
    if model is Evidence:
        return Evidence.objects.filter(Q(note__isnull=True) | Q(note__deleted_at__isnull=True))
    return model.objects.all()  # type: ignore[no-any-return]
