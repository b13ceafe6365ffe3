"""Which imports a user sees: their own; admins see all."""

from django.db.models import QuerySet

from segmentation_crm.common.access import AnyUser
from segmentation_crm.common.models import Role, User

from ..models import Import


def imports_visible_to(user: AnyUser) -> "QuerySet[Import]":
    """Return the imports the user started, all for an admin (0 queries to build)."""
    if not isinstance(user, User) or not user.is_active:
        return Import.objects.none()
    if user.role == Role.ADMIN:
        return Import.objects.all()
    return Import.objects.filter(created_by=user)
