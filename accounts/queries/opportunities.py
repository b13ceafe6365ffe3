"""Which opportunities a user sees, with their lines and people."""

from django.db.models import Exists, OuterRef, Q, QuerySet

from segmentation_crm.common.access import AnyUser, Visibility, visibility

from ..models import Opportunity, OpportunityContact, OpportunityLine
from .accounts import account_is_seen
from .contacts import contacts_seen


def opportunities_visible_to(user: AnyUser) -> "QuerySet[Opportunity]":
    """Return the live opportunities the user sees: by their account or their own owner."""
    return opportunities_seen(visibility(user))


def opportunities_seen(seen: Visibility) -> "QuerySet[Opportunity]":
    """Return the live opportunities of a visibility; those without account and owner only with `unowned`."""
    if seen.nothing:
        return Opportunity.objects.none()
    live = Opportunity.objects.live()
    if seen.everything:
        return live
    if "opportunities" in seen.found:
        return seen.found["opportunities"].all()  # type: ignore[no-any-return]
    allowed = Q(owner_id__in=seen.owner_ids) | account_is_seen(seen)
    if seen.unowned:
        allowed |= Q(account_id__isnull=True, owner_id__isnull=True)
    seen.found["opportunities"] = live.filter(allowed)
    return seen.found["opportunities"].all()  # type: ignore[no-any-return]


def opportunity_lines_visible_to(user: AnyUser) -> "QuerySet[OpportunityLine]":
    """Return the lines of opportunities the user sees."""
    opportunities = opportunities_visible_to(user)
    return OpportunityLine.objects.filter(Exists(opportunities.filter(pk=OuterRef("opportunity_id"))))


def opportunity_contacts_visible_to(user: AnyUser) -> "QuerySet[OpportunityContact]":
    """Return the people of opportunities; the user sees both the opportunity and the person."""
    seen = visibility(user)
    return OpportunityContact.objects.filter(
        Exists(opportunities_seen(seen).filter(pk=OuterRef("opportunity_id"))),
        Exists(contacts_seen(seen).filter(pk=OuterRef("contact_id"))),
    )
