"""Users as admins manage them: list, invite, edit, deactivate with hand-over."""

from collections.abc import Callable
from functools import wraps

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from ..access import can
from ..forms import DeactivateForm, UserForm
from ..models import User
from ..services import audit
from ..services.users import deactivate_user, holdings


def users_writer_required(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Let only those through who may manage users."""

    @login_required
    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if not can(request.user, "users.write"):
            raise PermissionDenied("Only admins manage users.")
        return view(request, *args, **kwargs)

    return guarded


@users_writer_required
@require_GET
def user_list(request: HttpRequest) -> HttpResponse:
    """List all users, the active first (1 query)."""
    users = User.objects.select_related("team").order_by("-is_active", "username")
    return render(request, "common/user_list.html", {"users": users})


@users_writer_required
@require_http_methods(["GET", "POST"])
def user_edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Create or edit a user; a new one sets the password through the reset mail."""
    user = get_object_or_404(User, pk=pk) if pk is not None else User()
    assert isinstance(request.user, User)
    form = UserForm(request.POST or None, instance=user, actor=request.user)
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            if pk is None:
                form.instance.set_unusable_password()
            saved = form.save()
            action = "user.created" if pk is None else "user.changed"
            audit.record(request.user, action, saved, fields=sorted(form.changed_data), role=saved.role)
        way_in = "" if pk else " They choose a password through “Forgot your password?” on the log-in page."
        messages.success(request, f"{saved.display_name} is saved.{way_in}")
        return redirect("user_list")
    return render(request, "common/user_form.html", {"form": form, "edited": user})


@users_writer_required
@require_http_methods(["GET", "POST"])
def user_deactivate(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask who takes over, then deactivate; sessions and tokens end at once."""
    user = get_object_or_404(User, pk=pk, is_active=True)
    form = DeactivateForm(request.POST or None, user=user)
    if request.method == "POST" and form.is_valid():
        try:
            moved = deactivate_user(user, successor=form.cleaned_data["successor"], actor=request.user)
        except ValidationError as error:
            for field, texts in error.message_dict.items():
                form.add_error(field if field in form.fields else None, texts)
        else:
            what = ", ".join(f"{h.count} {h.name}" for h in moved) or "nothing was open"
            messages.success(request, f"{user.display_name} is deactivated; handed over: {what}.")
            return redirect("user_list")
    context = {"form": form, "edited": user, "holdings": [h for h in holdings(user) if h.count]}
    return render(request, "common/user_deactivate.html", context)
