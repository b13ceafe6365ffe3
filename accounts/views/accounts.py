"""The form of an account."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from ..forms import AccountForm
from ..queries import accounts_visible_to
from .pages import demand_write, one


@login_required
@require_http_methods(["GET", "POST"])
def account_edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Make or change an account."""
    demand_write(request)
    account = one(accounts_visible_to(request.user), pk) if pk else None
    # A link from elsewhere may name the new account's domain.
    initial = {} if account else {"domain": request.GET.get("domain", "")[:253].replace("\x00", "")}
    form = AccountForm(request.POST or None, instance=account, initial=initial, user=request.user)
    if request.method == "POST" and form.is_valid():
        saved = form.save_safely()
        if saved is not None:
            messages.success(request, f"{saved.name} is saved.")
            return redirect("accounts:account_detail", saved.pk)
    return render(request, "accounts/account_form.html", {"form": form, "account": account})
