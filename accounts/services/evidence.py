"""What was heard in calls, meetings and interviews, as counted evidence."""

import datetime as dt
from collections.abc import Iterable, Sequence

from django.core.exceptions import ValidationError
from django.db import transaction

from segmentation_crm.common.access import AnyUser
from segmentation_crm.common.effective_time import effective_now
from segmentation_crm.common.models import User

from ..choices import EvidenceKind, SourceKind, SourceType
from ..models import Account, Activity, Contact, Evidence, Note, Opportunity, OpportunityValue, Term
from .multi_values import set_multi_values
from .needs import state_need

# What is heard about a deal also stands among the deal's own values.
_FIELD_OF_DEAL = {EvidenceKind.OBJECTION: "objections", EvidenceKind.COMPETITOR: "competitors"}


@transaction.atomic
def record_evidence(
    kind: str,
    terms: Iterable[Term],
    *,
    account: Account | None = None,
    contact: Contact | None = None,
    opportunity: Opportunity | None = None,
    activity: Activity | None = None,
    note: Note | None = None,
    by: AnyUser | None = None,
    quote: str = "",
    said_at: dt.datetime | None = None,
    source_kind: str = SourceKind.INTERVIEW,
) -> list[Evidence]:
    """Keep what was heard: one row a term; the same term of the same call or note counts once.

    kind: need, trigger, objection or competitor, the vocabulary of the terms. account, contact, opportunity: whose
    words; missing ones are taken from the activity or note, the account from the contact or deal. Objections and
    competitors of a deal also become values of the deal; needs become stated needs of the account, else the contact.
    Returns the rows, those that were there already too (3 queries, 2 more for a deal, 2 a need). Raises
    ValidationError naming the wrong argument.
    """
    wanted = list({term.pk: term for term in terms}.values())
    if not wanted:
        return []
    where = activity or note
    account = account or (where.account if where is not None else None)
    contact = contact or (where.contact if where is not None else None)
    opportunity = opportunity or (where.opportunity if where is not None else None)
    if account is None and contact is not None:
        account = contact.account
    if account is None and opportunity is not None:
        account = opportunity.account
    _check(kind, wanted, quote, bool(account or contact), source_kind)
    if said_at is None:
        said_at = activity.occurred_at if activity else note.created_at if note else effective_now()
    rows = [
        Evidence(
            kind=kind,
            term=term,
            account=account,
            contact=contact,
            opportunity=opportunity,
            activity=activity,
            note=None if activity else note,
            quote=quote.strip(),
            source_type=SourceType.PRIMARY,
            source_kind=source_kind,
            said_at=said_at,
            recorded_by=by if isinstance(by, User) else None,
        )
        for term in wanted
    ]
    kept = _keep(rows, wanted, activity, note)
    if opportunity is not None and kind in _FIELD_OF_DEAL:
        add_to_deal(opportunity, _FIELD_OF_DEAL[EvidenceKind(kind)], wanted)
    if kind == EvidenceKind.NEED:
        _state_needs(account or contact, wanted, source_kind, by)
    return kept


def _check(kind: str, terms: Sequence[Term], quote: str, has_owner: bool, source_kind: str) -> None:
    errors: dict[str, str] = {}
    if kind not in EvidenceKind.values:
        errors["kind"] = f"kind must be one of: {', '.join(EvidenceKind.values)}."
    elif strange := [term.name for term in terms if term.vocabulary != kind]:
        errors["terms"] = f"“{strange[0]}” is no {EvidenceKind(kind).label.lower()}: choose from that vocabulary."
    if len(quote) > 500:
        errors["quote"] = f"At most 500 characters; this has {len(quote)}."
    if not has_owner:
        errors["account"] = "Say of which account or contact this was heard."
    if source_kind and source_kind not in SourceKind.values:
        errors["source_kind"] = f"source_kind must be one of: {', '.join(SourceKind.values)}."
    if errors:
        raise ValidationError(errors)


def _keep(rows: list[Evidence], terms: Sequence[Term], activity: Activity | None, note: Note | None) -> list[Evidence]:
    """Insert the rows; without call or note each is news."""
    if activity is None and note is None:
        return Evidence.objects.bulk_create(rows)
    Evidence.objects.bulk_create(rows, ignore_conflicts=True)
    source = {"activity": activity} if activity is not None else {"note": note}
    return list(Evidence.objects.filter(term__in=terms, **source).select_related("term"))


def add_to_deal(opportunity: Opportunity, field: str, terms: Iterable[Term]) -> None:
    """Add terms to a multi field of a deal; what it holds stays (3 queries)."""
    held = Term.objects.filter(
        pk__in=OpportunityValue.objects.filter(opportunity=opportunity, field=field).values("term_id")
    )
    set_multi_values(opportunity, field, [*held, *terms])


def _state_needs(owner: Account | Contact | None, terms: Sequence[Term], source_kind: str, by: AnyUser | None) -> None:
    """Let needs heard become stated needs of the account, else of the contact."""
    if owner is None:
        return
    for term in terms:
        state_need(owner, term, evidence="interview", source_kind=source_kind, by=by)
