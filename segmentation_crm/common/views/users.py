"""Users as admins manage them: list, invite, edit, deactivate with hand-over."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from ..forms import DeactivateForm, UserForm
from ..models import User
from ..paging import keyset_page
from ..services.users import deactivate_user, holdings, invitation_path
from ..settings_area import settings_page, settings_view


@settings_view("users.write")
@require_GET
def user_list(request: HttpRequest) -> HttpResponse:
    """List all users, the active first (1 query)."""
    search = request.GET.get("q", "")[:100]
    users = User.objects.select_related("team").order_by("-is_active", "username")
    if search:
        users = (
            users.filter(username__icontains=search)
            | users.filter(first_name__icontains=search)
            | users.filter(last_name__icontains=search)
            | users.filter(email__icontains=search)
        )
    page = keyset_page(request, users, 100)
    return settings_page(request, "common/user_list.html", {"page": page, "users": page.rows, "search": search})


@settings_view("users.write")
@never_cache
@require_http_methods(["GET", "POST"])
def user_edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Create or edit a user; a new one comes with a link to choose a password, shown this once."""
    user = get_object_or_404(User, pk=pk) if pk is not None else User()
    assert isinstance(request.user, User)
    form = UserForm(request.POST or None, instance=user, actor=request.user)
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            if pk is None:
                form.instance.set_unusable_password()
            saved = form.save()
        if pk is None:
            return invited(request, saved)
        messages.success(request, f"{saved.display_name} is saved.")
        return redirect("user_list")
    return settings_page(request, "common/user_form.html", {"form": form, "edited": user})


@require_POST
@settings_view("users.write")
@never_cache
def user_invite(request: HttpRequest, pk: int) -> HttpResponse:
    """Make a new one-time link for somebody who has not logged in yet."""
    user = get_object_or_404(User, pk=pk, is_active=True, last_login__isnull=True)
    return invited(request, user)


def invited(request: HttpRequest, user: User) -> HttpResponse:
    """Show the one-time link by which a user chooses the first password."""
    link = request.build_absolute_uri(invitation_path(user))
    return settings_page(request, "common/user_invited.html", {"edited": user, "link": link})


@settings_view("users.write")
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
    return settings_page(request, "common/user_deactivate.html", context)
