"""Rows that follow a record: they are seen where their account, else their contact or opportunity, is seen.

Every condition is a correlated EXISTS on a primary key: no row is doubled, and PostgreSQL never falls back to an
unhashed subplan, which `id IN (SELECT …)` under an OR becomes once the set outgrows work_mem. Who sees everything is
asked the other way round, for what is gone: those are few and have an index, while PostgreSQL would first hash all
live records to show one page.
"""

from collections.abc import Callable
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from segmentation_crm.common.access import Visibility

from ..models import Account, Contact, Opportunity
from .accounts import account_is_seen, accounts_seen
from .contacts import contacts_seen
from .opportunities import opportunities_seen


def of_account(seen: Visibility) -> Q:
    """Return the condition for rows whose account is seen (owner and SDR asked apart, see `account_is_seen`)."""
    if "of_account" not in seen.found:
        in_part = not (seen.everything or seen.nothing)
        seen.found["of_account"] = account_is_seen(seen) if in_part else _of(seen, Account, accounts_seen, "account_id")
    found: Q = seen.found["of_account"]
    return found


def of_contact(seen: Visibility) -> Q:
    """Return the condition for rows whose contact is seen."""
    if "of_contact" not in seen.found:
        seen.found["of_contact"] = _of(seen, Contact, contacts_seen, "contact_id")
    found: Q = seen.found["of_contact"]
    return found


def of_opportunity(seen: Visibility) -> Q:
    """Return the condition for rows whose opportunity is seen."""
    if "of_opportunity" not in seen.found:
        seen.found["of_opportunity"] = _of(seen, Opportunity, opportunities_seen, "opportunity_id")
    found: Q = seen.found["of_opportunity"]
    return found


def _of(seen: Visibility, model: Any, records_seen: Callable[[Visibility], "QuerySet[Any]"], column: str) -> Q:
    """Return the condition that a column points to a record that is seen; built once for each visibility."""
    if seen.everything:
        gone = model.objects.gone().filter(pk=OuterRef(column))
        return Q((f"{column}__isnull", False)) & ~Q(Exists(gone))
    return Q(Exists(records_seen(seen).filter(pk=OuterRef(column))))


def of_account_else_contact(seen: Visibility) -> Q:
    """Return the condition for rows that follow their account, or their contact where no account is known."""
    return of_account(seen) | (Q(account_id__isnull=True) & of_contact(seen))


def ownerless(seen: Visibility, *columns: str) -> Q:
    """Return the condition for rows that belong to no record at all, or one that nothing meets."""
    if not seen.unowned:
        return Q(pk__in=[])
    return Q(**{f"{column}__isnull": True for column in columns})
