"""Giving people of an account a part in its buying committee, and taking it back."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from ..choices import BuyingRole, role_group
from ..models import Contact
from ..queries import accounts_visible_to, contacts_visible_to
from ..queries.committee import committee_of
from ..services.multi_values import set_multi_values
from .pages import demand_write, one


def committee_context(request: HttpRequest, account: Any) -> dict[str, Any]:
    """Return what the committee map needs (6 to 7 queries)."""
    return {"committee": committee_of(account, request.user), "roles": role_choices()}


def role_choices() -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the buying roles under their groups, for a select."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for value, label in BuyingRole.choices:
        groups.setdefault(role_group(value).capitalize(), []).append((str(value), str(label)))
    return list(groups.items())


@login_required
@require_POST
def contact_role_add(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a contact a buying role."""
    demand_write(request)
    contact = one(contacts_visible_to(request.user), pk)
    role = request.POST.get("role", "")
    if role not in BuyingRole.values:
        messages.error(request, "Choose one of the buying roles.")
    else:
        held = _roles(contact)
        if set_multi_values(contact, "buying_roles", [*held, role]):
            messages.success(request, f"{contact.name} is {BuyingRole(role).label.lower()} now.")
    return _back(request, contact)


@login_required
@require_POST
def contact_role_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a buying role from a contact; adding it again undoes that."""
    demand_write(request)
    contact = one(contacts_visible_to(request.user), pk)
    role = request.POST.get("role", "")
    if set_multi_values(contact, "buying_roles", [held for held in _roles(contact) if held != role]):
        label = BuyingRole(role).label.lower()
        messages.success(request, f"{contact.name} is no longer {label}. Set the role again to undo this.")
    return _back(request, contact)


def _roles(contact: Contact) -> list[str]:
    rows = contact.values_multi.filter(field="buying_roles").order_by("pk")
    return list(rows.values_list("token", flat=True))


def _back(request: HttpRequest, contact: Contact) -> HttpResponse:
    """Lead back to where the role was set: the committee of an account, or the person."""
    wanted = request.POST.get("next", "")
    if wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, {request.get_host()}, request.is_secure()):
        return redirect(wanted)
    if contact.account_id and accounts_visible_to(request.user).filter(pk=contact.account_id).exists():
        return redirect(reverse("accounts:account_detail", args=[contact.account_id]) + "?tab=committee")
    return redirect("accounts:contact_detail", contact.pk)
