"""Which activities a user sees."""

from django.db.models import Q, QuerySet

from segmentation_crm.common.access import AnyUser, visibility

from ..models import Activity
from .following import of_account_else_contact, of_opportunity, ownerless


def activities_visible_to(user: AnyUser) -> "QuerySet[Activity]":
    """Return the activities the user sees.

    They follow the account they happened at, else their contact, else their opportunity; what a user logged stays
    visible to that user. Those of nobody are seen with `unowned`.
    """
    seen = visibility(user)
    if seen.nothing:
        return Activity.objects.none()
    allowed = of_account_else_contact(seen) | ownerless(seen, "account_id", "contact_id", "opportunity_id")
    allowed |= Q(account_id__isnull=True, contact_id__isnull=True) & of_opportunity(seen)
    if not seen.everything:
        allowed |= Q(user_id__in=seen.owner_ids)
    return Activity.objects.filter(allowed)
