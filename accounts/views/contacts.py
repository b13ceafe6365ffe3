"""The form of a contact."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from segmentation_crm.common.keys import key_of

from ..choices import BuyingRole
from ..forms import ContactForm
from ..queries import accounts_visible_to, contacts_visible_to
from .pages import demand_write, one


@login_required
@require_http_methods(["GET", "POST"])
def contact_edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Make or change a contact."""
    demand_write(request)
    contact = one(contacts_visible_to(request.user), pk) if pk else None
    initial: dict[str, Any] = {}
    wanted = key_of(request.GET.get("account"))
    if contact is None and wanted is not None:
        initial["account"] = accounts_visible_to(request.user).filter(pk=wanted).first()
    if contact is None and request.GET.get("role") in BuyingRole.values:
        initial["buying_roles"] = [request.GET["role"]]
    form = ContactForm(request.POST or None, instance=contact, user=request.user, initial=initial)
    if request.method == "POST" and form.is_valid():
        saved = form.save_safely()
        if saved is not None:
            messages.success(request, f"{saved.name} is saved.")
            return redirect("accounts:contact_detail", saved.pk)
    return render(request, "accounts/contact_form.html", {"form": form, "contact": contact})
