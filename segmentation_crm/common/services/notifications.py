"""Telling a user something once: in the bell, and by e-mail where that is wanted."""

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.utils import timezone

from .. import jobs
from ..models import EmailState, Notification, User

MOST_SHOWN = 99


def notify(
    user: User, kind: str, key: str, title: str, text: str = "", url: str = "", *, email: bool = False
) -> Notification:
    """Tell a user something (1–4 queries); the same key never tells twice: the first notification is returned.

    kind: a short token (task, mention, export, digest …); url: an address of this site. With `email` a job sends it
    after the commit. Raises ValueError for an address of another site.
    """
    if url and (not url.startswith("/") or url.startswith("//")):
        raise ValueError("The address of a notification begins with one slash: it leads into this site.")
    values: dict[str, Any] = {
        "kind": kind,
        "title": _line(title)[:255],
        "text": text[:500],
        "url": url[:500],
        "created_at": timezone.now(),
        "email_state": EmailState.WANTED if email and user.email and user.is_active else "",
    }
    notification, is_new = Notification.objects.get_or_create(user=user, key=key[:120], defaults=values)
    if is_new and notification.email_state == EmailState.WANTED:
        jobs.enqueue("notifications.email", key="mail")
    return notification


def _line(text: str) -> str:
    """Return the text in one line."""
    return " ".join(text.split())


def unread_count(user: User) -> int:
    """Return how many notifications the user has not read, at most 100 (1 query)."""
    unread = Notification.objects.filter(user=user, read_at__isnull=True).order_by()
    return len(unread.values_list("pk", flat=True)[: MOST_SHOWN + 1])


def mark_read(user: User, ids: Iterable[int] | None = None) -> int:
    """Mark the user's own notifications as read, all without ids (1 query); return how many were not."""
    rows = Notification.objects.filter(user=user, read_at__isnull=True)
    if ids is not None:
        rows = rows.filter(pk__in=list(ids))
    return rows.update(read_at=timezone.now())


@transaction.atomic
def mark_unread(user: User, pk: int) -> int:
    """Mark one of the user's notifications as new again (1 query); return how many were changed."""
    return Notification.objects.filter(user=user, pk=pk).update(read_at=None)
