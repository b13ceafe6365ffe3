"""Which records may be the same as one: by address, domain, phone or name, each by an index."""

from typing import Any, NamedTuple

from django.db.models import QuerySet

from segmentation_crm.common.access import AnyUser

from ..models import Account, Contact
from .accounts import accounts_visible_to
from .contacts import contacts_visible_to
from .opportunities import opportunities_visible_to

MOST = 5


class Duplicate(NamedTuple):
    """A record that may be the same, and what both have in common."""

    record: Any
    reasons: list[str]


def possible_duplicates(user: AnyUser, record: Any) -> list[Duplicate]:
    """Return up to five records the user sees that may be the same one (1 query for each thing in common).

    Each is asked apart: its own index gives the few rows in order. For all at once, where a name is common, PostgreSQL
    walks through the whole table in the order of its keys.
    """
    rows: QuerySet[Any]
    if isinstance(record, Account):
        rows, keys = accounts_visible_to(user), _account_keys(record)
    elif isinstance(record, Contact):
        rows, keys = contacts_visible_to(user), _contact_keys(record)
    else:
        rows, keys = opportunities_visible_to(user), _opportunity_keys(record)
    found: dict[int, Any] = {}
    for condition, _ in keys.values():
        same = rows.filter(**condition).exclude(pk=record.pk).order_by(*condition, "pk")
        found |= {one.pk: one for one in same.only(*_SHOWN[str(record._meta.model_name)])[:MOST]}
    return [Duplicate(found[pk], _reasons(found[pk], keys)) for pk in sorted(found)[:MOST]]


# What is compared and named of a record.
_SHOWN = {
    "account": ("name", "name_folded", "domain_folded"),
    "contact": ("first_name", "last_name", "email", "email_folded", "full_name_folded"),
    "opportunity": ("name", "name_folded", "account_id"),
}
Keys = dict[str, tuple[dict[str, Any], dict[str, Any]]]


def _reasons(one: Any, keys: Keys) -> list[str]:
    return [words for words, (_, wanted) in keys.items() if all(getattr(one, n) == v for n, v in wanted.items())]


def _key(**wanted: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    return wanted, wanted


def _account_keys(account: Account) -> Keys:
    keys: Keys = {}
    if account.name_folded:
        keys["same name"] = _key(name_folded=account.name_folded)
    if account.domain_folded:
        keys["same domain"] = _key(domain_folded=account.domain_folded)
    return keys


def _contact_keys(contact: Contact) -> Keys:
    keys: Keys = {}
    if contact.email_folded:
        keys["same e-mail address"] = _key(email_folded=contact.email_folded)
    if contact.full_name_folded and contact.first_name and contact.last_name:
        keys["same name"] = _key(full_name_folded=contact.full_name_folded)
    return keys


def _opportunity_keys(deal: Any) -> Keys:
    if deal.account_id is None:
        return {}
    return {"same name at the same account": _key(account_id=deal.account_id, name_folded=deal.name_folded)}
