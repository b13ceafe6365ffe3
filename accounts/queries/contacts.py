"""Which contacts a user sees."""

from django.db.models import Exists, OuterRef, Q, QuerySet

from segmentation_crm.common.access import AnyUser, Visibility, visibility

from ..models import Contact, ContactAccount
from .accounts import account_is_seen, accounts_seen


def contacts_visible_to(user: AnyUser) -> "QuerySet[Contact]":
    """Return the live contacts the user sees: by their primary account or their own owner."""
    return contacts_seen(visibility(user))


def contacts_seen(seen: Visibility) -> "QuerySet[Contact]":
    """Return the live contacts of a visibility; those without account and owner only with `unowned`."""
    if seen.nothing:
        return Contact.objects.none()
    live = Contact.objects.live()
    if seen.everything:
        return live
    if "contacts" in seen.found:
        return seen.found["contacts"].all()  # type: ignore[no-any-return]
    allowed = Q(owner_id__in=seen.owner_ids) | account_is_seen(seen)
    if seen.unowned:
        allowed |= Q(account_id__isnull=True, owner_id__isnull=True)
    seen.found["contacts"] = live.filter(allowed)
    return seen.found["contacts"].all()  # type: ignore[no-any-return]


def unmatched_contacts(user: AnyUser) -> "QuerySet[Contact]":
    """Return the live contacts without account that the user sees, for the page that matches them by hand."""
    return contacts_visible_to(user).filter(account_id__isnull=True)


def contact_accounts_visible_to(user: AnyUser) -> "QuerySet[ContactAccount]":
    """Return the ties between contacts and accounts of which the user sees both ends."""
    seen = visibility(user)
    return ContactAccount.objects.filter(
        Exists(accounts_seen(seen).filter(pk=OuterRef("account_id"))),
        Exists(contacts_seen(seen).filter(pk=OuterRef("contact_id"))),
    )
