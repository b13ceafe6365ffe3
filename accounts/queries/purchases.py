"""Which purchases, contracts and support cases a user sees."""

from django.db.models import QuerySet

from segmentation_crm.common.access import AnyUser, visibility

from ..models import Contract, Purchase, SupportCase
from .following import of_account, of_account_else_contact, ownerless


def purchases_visible_to(user: AnyUser) -> "QuerySet[Purchase]":
    """Return the purchases of accounts (else contacts) the user sees."""
    seen = visibility(user)
    if seen.nothing:
        return Purchase.objects.none()
    return Purchase.objects.filter(of_account_else_contact(seen) | ownerless(seen, "account_id", "contact_id"))


def contracts_visible_to(user: AnyUser) -> "QuerySet[Contract]":
    """Return the contracts of accounts the user sees."""
    seen = visibility(user)
    if seen.nothing:
        return Contract.objects.none()
    return Contract.objects.filter(of_account(seen) | ownerless(seen, "account_id"))


def support_cases_visible_to(user: AnyUser) -> "QuerySet[SupportCase]":
    """Return the support cases of accounts (else contacts) the user sees."""
    seen = visibility(user)
    if seen.nothing:
        return SupportCase.objects.none()
    return SupportCase.objects.filter(of_account_else_contact(seen) | ownerless(seen, "account_id", "contact_id"))
