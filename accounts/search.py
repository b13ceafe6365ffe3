"""What search finds among accounts, contacts and opportunities, by text or by key."""

from collections.abc import Iterable

from django.urls import reverse

from segmentation_crm.common.access import AnyUser
from segmentation_crm.common.finding import Hit, RecordFinder, first_matches

from .models import Account, Contact, Opportunity
from .queries import accounts_visible_to, contacts_visible_to, opportunities_visible_to


def _joined(*parts: str) -> str:
    return " · ".join(part for part in parts if part)


def _account(row: Account) -> Hit:
    url = reverse("accounts:account_detail", args=[row.pk])
    sub = _joined(row.domain, row.city)
    return {"kind": "account", "label": row.name, "sub": sub, "url": url, "shape": "company"}


def _contact(row: Contact) -> Hit:
    url = reverse("accounts:contact_detail", args=[row.pk])
    sub = _joined(row.job_title, row.email)
    return {"kind": "contact", "label": row.name, "sub": sub, "url": url, "shape": "person"}


def _opportunity(row: Opportunity) -> Hit:
    url = reverse("accounts:opportunity_detail", args=[row.pk])
    sub = row.stage.name if row.stage else ""
    return {"kind": "opportunity", "label": row.name, "sub": sub, "url": url, "icon": "target-arrow"}


def find_accounts(user: AnyUser, text: str, limit: int) -> list[Hit]:
    """Return accounts by name or domain (up to 2 queries and those of visibility)."""
    rows = first_matches(accounts_visible_to(user), ("name_folded", "domain_folded"), text, limit)
    return [_account(row) for row in rows]


def find_contacts(user: AnyUser, text: str, limit: int) -> list[Hit]:
    """Return contacts by name or e-mail address (up to 2 queries and those of visibility)."""
    rows = first_matches(contacts_visible_to(user), ("full_name_folded", "email_folded"), text, limit)
    return [_contact(row) for row in rows]


def find_opportunities(user: AnyUser, text: str, limit: int) -> list[Hit]:
    """Return opportunities by name (up to 2 queries and those of visibility)."""
    rows = first_matches(opportunities_visible_to(user).select_related("stage"), ("name_folded",), text, limit)
    return [_opportunity(row) for row in rows]


def accounts_by_key(user: AnyUser, keys: Iterable[int]) -> dict[int, Hit]:
    """Return those of the accounts that the user sees (1 query and those of visibility)."""
    return {row.pk: _account(row) for row in accounts_visible_to(user).filter(pk__in=list(keys))}


def contacts_by_key(user: AnyUser, keys: Iterable[int]) -> dict[int, Hit]:
    """Return those of the contacts that the user sees (1 query and those of visibility)."""
    return {row.pk: _contact(row) for row in contacts_visible_to(user).filter(pk__in=list(keys))}


def opportunities_by_key(user: AnyUser, keys: Iterable[int]) -> dict[int, Hit]:
    """Return those of the opportunities that the user sees (1 query and those of visibility)."""
    rows = opportunities_visible_to(user).select_related("stage").filter(pk__in=list(keys))
    return {row.pk: _opportunity(row) for row in rows}


FINDERS = (
    RecordFinder("account", "Accounts", find_accounts, accounts_by_key),
    RecordFinder("contact", "Contacts", find_contacts, contacts_by_key),
    RecordFinder("opportunity", "Opportunities", find_opportunities, opportunities_by_key),
)
