"""Notifications by e-mail: each at most once.

"Sending" is committed before the mail server hears of an e-mail. A worker that dies after that leaves the row as it
is; the next run shows it as "unknown" and does not send it again. What was never claimed is sent later.
"""

import smtplib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone

from ..extensions import mail_sections
from ..models import EmailState, Notification

_PATIENCE_SECONDS = 20


@dataclass(frozen=True)
class Line:
    """One line of an e-mail, perhaps leading to a page."""

    text: str
    url: str = ""


@dataclass(frozen=True)
class Section:
    """Lines of an e-mail under a heading."""

    title: str
    lines: list[Line]


def waiting() -> bool:
    """Tell whether an e-mail waits to be sent or was left behind (1 query)."""
    return Notification.objects.filter(email_state__in=[EmailState.WANTED, EmailState.SENDING]).exists()


def _nothing() -> None:
    """Do nothing."""


def send_waiting(check: Callable[[], None] = _nothing, progress: Callable[[], None] = _nothing) -> dict[str, Any]:
    """Send every e-mail that waits (3 queries an e-mail).

    `check` is called before each and may stop the work, `progress` after each, in a transaction. Only one run at a
    time may call it (the job's key sees to that). Returns counts of sent, refused and unknown, and "error" in words
    where the mail server could not be reached: what waits then keeps waiting.
    """
    figures: dict[str, Any] = {
        "sent": 0,
        "refused": 0,
        # Only this run sends: what is being sent at its start was left by a worker that died.
        "unknown": Notification.objects.filter(email_state=EmailState.SENDING).update(email_state=EmailState.UNKNOWN),
    }
    if not Notification.objects.filter(email_state=EmailState.WANTED).exists():
        return figures
    connection = get_connection(fail_silently=False)
    if hasattr(connection, "timeout") and connection.timeout is None:
        connection.timeout = _PATIENCE_SECONDS
    try:
        connection.open()
    except (OSError, smtplib.SMTPException) as error:
        return {**figures, "error": f"The mail server could not be reached ({type(error).__name__})."}
    try:
        while (notification := _next()) is not None:
            check()
            figures[_send(notification, connection)] += 1
            with transaction.atomic():
                progress()
    finally:
        connection.close()
    return figures


def _next() -> Notification | None:
    """Return the oldest notification whose e-mail waits."""
    wanted = Notification.objects.filter(email_state=EmailState.WANTED).select_related("user")
    return wanted.order_by("pk").first()


def _send(notification: Notification, connection: BaseEmailBackend) -> str:
    """Claim one e-mail, send it, and say how it ended: sent, refused or unknown."""
    message = compose(notification, connection)
    wanted = Notification.objects.filter(pk=notification.pk, email_state=EmailState.WANTED)
    if not notification.user.is_active or not notification.user.email:
        wanted.update(email_state=EmailState.REFUSED, email_error="The user has no address any more.")
        return "refused"
    # Committed by itself, outside of any transaction, before the mail server hears of it.
    if not wanted.update(email_state=EmailState.SENDING, emailed_at=timezone.now()):
        return "unknown"
    state, error = EmailState.SENT, ""
    try:
        message.send()
    except (smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as refusal:
        state, error = EmailState.REFUSED, f"The mail server refused it ({type(refusal).__name__})."
    except (OSError, smtplib.SMTPException) as failure:
        state, error = EmailState.UNKNOWN, f"The connection broke off ({type(failure).__name__})."
    Notification.objects.filter(pk=notification.pk).update(email_state=state, email_error=error)
    if state == EmailState.UNKNOWN:
        connection.close()
        connection.open()
    return str(state)


def compose(notification: Notification, connection: BaseEmailBackend | None = None) -> EmailMultiAlternatives:
    """Return the e-mail of a notification, as plain text and as HTML; what users typed is only ever text."""
    sections = [section for writer in mail_sections for section in writer(notification)]
    context = {
        "notification": notification,
        "sections": sections,
        "site_url": settings.SITE_URL.rstrip("/"),
    }
    host = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip(">") or "localhost"
    message = EmailMultiAlternatives(
        # A line break would begin another header.
        subject=" ".join(notification.title.split())[:200],
        body=render_to_string("common/mail/notification.txt", context),
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[notification.user.email],
        headers={"Message-ID": f"<notification-{notification.pk}@{host}>", "Auto-Submitted": "auto-generated"},
        connection=connection,
    )
    message.attach_alternative(render_to_string("common/mail/notification.html", context), "text/html")
    return message
