"""Which files a user sees."""

from django.db.models import QuerySet

from segmentation_crm.common.access import AnyUser, visibility

from ..models import Attachment
from .following import of_account, of_contact, of_opportunity


def attachments_visible_to(user: AnyUser) -> "QuerySet[Attachment]":
    """Return the files on records the user sees, without those taken away."""
    return _all_visible_to(user).filter(deleted_at__isnull=True)


def taken_away_visible_to(user: AnyUser) -> "QuerySet[Attachment]":
    """Return the files taken away from records the user sees, which can be brought back, latest first."""
    return _all_visible_to(user).filter(deleted_at__isnull=False).order_by("-deleted_at", "-pk")


def _all_visible_to(user: AnyUser) -> "QuerySet[Attachment]":
    seen = visibility(user)
    if seen.nothing:
        return Attachment.objects.none()
    return Attachment.objects.filter(of_account(seen) | of_contact(seen) | of_opportunity(seen))
