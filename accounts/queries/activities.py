"""Which activities a user sees."""

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.db.models.lookups import IsNull

from segmentation_crm.common.access import AnyUser, visibility

from ..models import Activity
from .following import of_account_else_contact, of_opportunity, ownerless
from .opportunities import opportunities_seen


def activities_visible_to(user: AnyUser) -> "QuerySet[Activity]":
    """Return the activities the user sees.

    They follow the account they happened at, else their contact, else their opportunity; what a user logged stays
    visible to that user. Those of nobody are seen with `unowned`.

    The opportunity is looked up for the few activities that have nothing else: from an EXISTS PostgreSQL makes a hash
    of all opportunities that are seen, 0.1 s at 300,000, on the first page that has one such activity.
    """
    seen = visibility(user)
    if seen.nothing:
        return Activity.objects.none()
    allowed = of_account_else_contact(seen) | ownerless(seen, "account_id", "contact_id", "opportunity_id")
    alone = Q(account_id__isnull=True, contact_id__isnull=True)
    if seen.everything:
        allowed |= alone & of_opportunity(seen)
    else:
        deal = opportunities_seen(seen).filter(pk=OuterRef("opportunity_id")).order_by()
        allowed |= alone & Q(IsNull(Subquery(deal.values("pk")[:1]), False))
        allowed |= Q(user_id__in=seen.owner_ids)
    return Activity.objects.filter(allowed)
