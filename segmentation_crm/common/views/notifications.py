"""Notifications: the bell's count, the list, read and unread; what one wants to hear of, by e-mail too."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from ..forms import NotificationForm
from ..keys import key_of
from ..local_time import in_local_time
from ..models import EmailState, Notification, User
from ..paging import keyset_page
from ..services.notifications import MOST_SHOWN, mark_read, mark_unread, unread_count

# How an e-mail ended, where it did not simply go out.
EMAIL_TROUBLE = {
    EmailState.UNKNOWN: "E-mail: the connection broke off, so it may or may not have reached you.",
    EmailState.REFUSED: "E-mail: the mail server refused it.",
}


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # login_required stands before every view here
    return request.user


@login_required
@never_cache
@require_GET
def notification_count(request: HttpRequest) -> HttpResponse:
    """Answer the bell's figure: unread notifications, 99+ above 99 (1 query)."""
    count = unread_count(_user(request))
    shown = f"{MOST_SHOWN}+" if count > MOST_SHOWN else str(count)
    return render(request, "common/_bell.html", {"count": count, "shown": shown})


@login_required
@in_local_time
@require_GET
def notification_list(request: HttpRequest) -> HttpResponse:
    """Show one's own notifications, newest first (3 queries)."""
    rows = Notification.objects.filter(user=_user(request))
    only_new = request.GET.get("show") == "unread"
    if only_new:
        rows = rows.filter(read_at__isnull=True)
    page = keyset_page(request, rows.order_by("-created_at", "-pk"), size=30)
    for row in page.rows:
        row.trouble = EMAIL_TROUBLE.get(row.email_state, "")
    return render(request, "common/notification_list.html", {"page": page, "only_new": only_new})


@login_required
@require_POST
def notification_open(request: HttpRequest, pk: int) -> HttpResponse:
    """Mark one as read and go where it leads."""
    notification = get_object_or_404(Notification, user=_user(request), pk=pk)
    mark_read(_user(request), [notification.pk])
    return redirect(notification.url or "notification_list")


@login_required
@require_POST
def notification_mark(request: HttpRequest) -> HttpResponse:
    """Mark one as read or new again, or all as read."""
    user, pk = _user(request), key_of(request.POST.get("pk"))
    if pk is not None:
        if request.POST.get("as") == "unread":
            mark_unread(user, pk)
        else:
            mark_read(user, [pk])
    else:
        count = mark_read(user)
        messages.success(request, f"{count} marked as read." if count else "There was nothing unread.")
    return redirect("notification_list")


@login_required
@require_POST
def notification_preferences(request: HttpRequest) -> HttpResponse:
    """Keep what one wants to get by e-mail, and one's own time zone."""
    form = NotificationForm(request.POST, user=_user(request))
    if form.is_valid():
        form.save()
        messages.success(request, "Your choices are saved.")
    else:
        messages.error(request, " ".join(str(error) for found in form.errors.values() for error in found))
    return redirect("profile")
