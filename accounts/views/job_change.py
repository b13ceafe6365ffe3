"""The page on which a contact's new job is entered."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from ..choices import BuyingRole
from ..forms.pipeline import JobChangeForm
from ..models import Contact
from ..queries import contacts_visible_to, opportunities_visible_to
from ..services.contacts import change_job
from .pages import demand_write, one
from .seen import Seen


@login_required
@require_http_methods(["GET", "POST"])
def job_change(request: HttpRequest, pk: int) -> HttpResponse:
    """Enter a contact's new job: history stays with the old account, its open deals are told of a lost champion."""
    demand_write(request)
    contact = one(contacts_visible_to(request.user).select_related("account"), pk)
    initial = {"job_title": ""}
    form = JobChangeForm(request.POST or None, contact=contact, user=request.user, initial=initial)
    if request.method == "POST" and form.is_valid():
        saved = _save(form, contact)
        if saved:
            _tell(request, contact)
            if not contacts_visible_to(request.user).filter(pk=contact.pk).exists():
                return redirect("accounts:contact_list")
            return redirect("accounts:contact_detail", contact.pk)
    deals = []
    if contact.account_id:
        deals = list(
            opportunities_visible_to(request.user)
            .filter(
                account=contact.account_id,
                stage__is_open=True,
                pk__in=contact.opportunity_roles.values("opportunity"),
            )
            .select_related("stage")
            .order_by("name_folded", "pk")[:20]
        )
    roles = contact.values_multi.filter(field="buying_roles").values_list("token", flat=True)
    labels = dict(BuyingRole.choices)
    return render(
        request,
        "accounts/job_change.html",
        {
            "form": form,
            "contact": contact,
            "account_cell": Seen(request.user, [contact]).account(contact),
            "deals": deals,
            "buying_roles": [labels.get(token, token) for token in roles],
        },
        status=422 if form.is_bound else 200,
    )


def _save(form: JobChangeForm, contact: Contact) -> bool:
    data = form.cleaned_data
    try:
        with transaction.atomic():
            change_job(
                contact,
                data["account"],
                on=data["on"],
                job_title=data["job_title"].strip(),
                email=data["email"],
                old_email_ends=data["old_email_ends"],
                keep_roles=data["keep_roles"],
            )
    except IntegrityError:
        form.add_error("email", "Another contact took this e-mail address a moment ago. Give another one.")
        return False
    return True


def _tell(request: HttpRequest, contact: Contact) -> None:
    where = contact.account.name if contact.account else "no account"
    messages.success(request, f"{contact.name} now works at {where}. What happened before stays with the old account.")
    flagged = opportunities_visible_to(request.user).filter(champion_left=contact.pk, stage__is_open=True)
    names = list(flagged.exclude(account=contact.account_id).values_list("name", flat=True)[:5])
    if names:
        messages.warning(request, f"These deals lost their champion; their owners were told: {', '.join(names)}.")
