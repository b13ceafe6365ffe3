"""A user's own page: name, password, second factor, API tokens."""

from allauth.account.decorators import reauthentication_required
from allauth.mfa.utils import is_mfa_enabled
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from ..forms import NotificationForm, ProfileForm, TokenForm
from ..models import ApiToken, User
from ..services import tokens


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # login_required stands before every view here
    return request.user


@login_required
@require_http_methods(["GET", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    """Show and change one's own name; list tokens and ways to log in (7 queries)."""
    user = _user(request)
    form = ProfileForm(request.POST or None, instance=user)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "Your name is saved.")
        return redirect("profile")
    context = {
        "form": form,
        "tokens": list(ApiToken.objects.filter(user=user)),
        "mfa_enabled": is_mfa_enabled(user),
        "notification_form": NotificationForm.of(user),
    }
    return render(request, "common/profile.html", context)


@login_required
@reauthentication_required
@never_cache
@require_http_methods(["GET", "POST"])
def token_create(request: HttpRequest) -> HttpResponse:
    """Create a token and show its text, this once."""
    form = TokenForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            token, text = tokens.create_token(
                _user(request), name=data["name"], scopes=data["scopes"], days=data["days"]
            )
        except ValidationError as error:
            form.add_error(None, error)
        else:
            return render(request, "common/token_created.html", {"token": token, "text": text})
    return render(request, "common/token_form.html", {"form": form})


@login_required
@require_POST
def token_revoke(request: HttpRequest, token_key: str) -> HttpResponse:
    """End one of one's own tokens at once."""
    token = get_object_or_404(ApiToken, user=_user(request), token_key=token_key)
    tokens.revoke_token(token, _user(request))
    messages.success(request, f"Token “{token.name}” is revoked: calls with it are refused from now on.")
    return redirect("profile")
