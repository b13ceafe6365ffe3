"""Which technologies of accounts a user sees."""

from django.db.models import QuerySet

from segmentation_crm.common.access import AnyUser, visibility

from ..models import AccountTechnology
from .following import of_account


def technologies_visible_to(user: AnyUser) -> "QuerySet[AccountTechnology]":
    """Return the technologies of accounts the user sees."""
    seen = visibility(user)
    if seen.nothing:
        return AccountTechnology.objects.none()
    return AccountTechnology.objects.filter(of_account(seen))
