"""What the log dialog offers: records by name, the people and open deals around a record."""

from typing import Any

from django.db.models import Q, QuerySet

from segmentation_crm.common.access import AnyUser
from segmentation_crm.common.folding import fold
from segmentation_crm.common.keys import key_of

from ..models import Account, Contact, Opportunity, OpportunityContact
from .accounts import accounts_visible_to
from .contacts import contacts_visible_to
from .opportunities import opportunities_visible_to

_VISIBLE: dict[str, Any] = {
    "account": accounts_visible_to,
    "contact": contacts_visible_to,
    "opportunity": opportunities_visible_to,
}
MOST_PEOPLE = 12
MOST_DEALS = 20


def named_record(user: AnyUser, name: str) -> Account | Contact | Opportunity | None:
    """Return the record that "account:12" names, None where there is none that the user may see (1–4 queries)."""
    kind, _, number = name.partition(":")
    key = key_of(number)
    if kind not in _VISIBLE or key is None:
        return None
    related = ("account",) if kind != "account" else ()
    return _VISIBLE[kind](user).filter(pk=key).select_related(*related).first()


def records_named_like(user: AnyUser, text: str, limit: int = 6) -> list[Account | Contact | Opportunity]:
    """Return records whose name, domain or address contains a text, up to `limit` of each kind (3 queries)."""
    folded = fold(text)
    if len(folded) < 2:
        return []
    accounts = accounts_visible_to(user).filter(Q(name_folded__contains=folded) | Q(domain_folded__startswith=folded))
    contacts = contacts_visible_to(user).filter(
        Q(full_name_folded__contains=folded) | Q(email_folded__startswith=folded)
    )
    deals = opportunities_visible_to(user).filter(name_folded__contains=folded)
    return [
        *accounts.order_by("name_folded", "pk")[:limit],
        *contacts.order_by("full_name_folded", "pk")[:limit],
        *deals.order_by("-stage__is_open", "name_folded", "pk")[:limit],
    ]


def account_id_of(record: Account | Contact | Opportunity) -> int | None:
    """Return the account a record is or belongs to."""
    return record.pk if isinstance(record, Account) else record.account_id


def people_around(user: AnyUser, record: Account | Contact | Opportunity) -> "QuerySet[Contact]":
    """Return the people who may have been there: of a deal its committee, else of the account; the contact itself."""
    account_id = account_id_of(record)
    # Two lists of keys, each from its index: an OR over a join would read all contacts.
    own = [record.pk] if isinstance(record, Contact) else []
    keys: QuerySet[Any, Any] = Contact.objects.filter(pk__in=own).order_by().values("pk")
    parts: list[QuerySet[Any, Any]] = []
    if isinstance(record, Opportunity):
        parts.append(OpportunityContact.objects.filter(opportunity=record).order_by().values("contact_id"))
    if account_id is not None:
        parts.append(Contact.objects.filter(account_id=account_id).order_by().values("pk"))
    people = contacts_visible_to(user).filter(pk__in=keys.union(*parts) if parts else keys)
    return people.order_by("full_name_folded", "pk")


def open_deals_around(user: AnyUser, record: Account | Contact | Opportunity) -> "QuerySet[Opportunity]":
    """Return the open opportunities that a next step may belong to."""
    deals = opportunities_visible_to(user).filter(stage__is_open=True)
    if isinstance(record, Opportunity):
        return deals.filter(pk=record.pk)
    account_id = account_id_of(record)
    parts: list[QuerySet[Any, Any]] = []
    if isinstance(record, Contact):
        parts.append(OpportunityContact.objects.filter(contact=record).order_by().values("opportunity_id"))
    if account_id is not None:
        parts.append(Opportunity.objects.filter(account_id=account_id).order_by().values("pk"))
    if not parts:
        return deals.none()
    keys = parts[0].union(*parts[1:]) if len(parts) > 1 else parts[0]
    return deals.filter(pk__in=keys).order_by("-updated_at", "-pk")
