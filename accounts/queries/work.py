"""Which tasks and notes a user sees."""

from django.db.models import Q, QuerySet

from segmentation_crm.common.access import AnyUser, Visibility, visibility

from ..models import Note, Task
from .following import of_account, of_contact, of_opportunity


def _of_any_record(seen: Visibility) -> Q:
    return of_account(seen) | of_contact(seen) | of_opportunity(seen)


def tasks_visible_to(user: AnyUser) -> "QuerySet[Task]":
    """Return the tasks on records the user sees, and those of the user (and team, for a sales manager)."""
    seen = visibility(user)
    if seen.nothing:
        return Task.objects.none()
    allowed = _of_any_record(seen) | Q(owner_id__in=seen.owner_ids | {user.pk})
    if seen.everything:
        allowed |= Q(account_id__isnull=True, contact_id__isnull=True, opportunity_id__isnull=True)
    return Task.objects.filter(allowed)


def notes_visible_to(user: AnyUser) -> "QuerySet[Note]":
    """Return the notes on records the user sees, without those taken back."""
    seen = visibility(user)
    if seen.nothing:
        return Note.objects.none()
    return Note.objects.filter(_of_any_record(seen), deleted_at__isnull=True)


def notes_taken_back_by(user: AnyUser) -> "QuerySet[Note]":
    """Return the notes that the user wrote on records the user sees, and took back; latest first."""
    seen = visibility(user)
    if seen.nothing:
        return Note.objects.none()
    gone = Note.objects.filter(_of_any_record(seen), deleted_at__isnull=False, author_id=user.pk)
    return gone.order_by("-deleted_at", "-pk")
