"""The page of contacts without account: proposals to accept, domains to give to an account, everybody else."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from segmentation_crm.common.access import can
from segmentation_crm.common.keys import keys_of
from segmentation_crm.common.paging import keyset_page

from ..forms.matching import DomainForm
from ..queries.matching import proposals_visible_to, unmatched_visible_to, waiting_domains
from ..services.matching import accept_proposed_account, assign_domain, refuse_proposed_account
from ..services.normalisation import free_mail_domains
from .pages import demand_write

MOST_DECISIONS = 200
SECTIONS = {"proposals": "Proposed by company name", "domains": "By e-mail domain", "all": "All without account"}


@login_required
@require_GET
def unmatched_contacts(request: HttpRequest) -> HttpResponse:
    """Show the contacts without account, by what can be done about them (up to 6 queries)."""
    proposals = proposals_visible_to(request.user)
    chosen = request.GET.get("show", "")
    if chosen not in SECTIONS:
        chosen = "proposals" if proposals.exists() else "domains"
    context: dict[str, Any] = {
        "chosen": chosen,
        "tabs": [
            {"label": label, "url": f"?show={key}", "active": key == chosen, "count": None}
            for key, label in SECTIONS.items()
        ],
        "can_write": can(request.user, "records.write"),
    }
    if chosen == "proposals":
        context["page"] = keyset_page(request, proposals)
    elif chosen == "domains":
        context["groups"], context["more"] = waiting_domains(request.user, free_mail_domains())
        context["form"] = DomainForm(user=request.user)
    else:
        context["page"] = keyset_page(request, unmatched_visible_to(request.user))
    return render(request, "accounts/unmatched.html", context)


@login_required
@require_POST
def decide_proposals(request: HttpRequest) -> HttpResponse:
    """Accept or refuse the proposals that were ticked; those that changed meanwhile stay."""
    demand_write(request)
    act = {"accept": accept_proposed_account, "refuse": refuse_proposed_account}.get(request.POST.get("act", ""))
    keys = keys_of(request.POST.getlist("pk")[:MOST_DECISIONS])
    back = f"{reverse('accounts:unmatched')}?show=proposals"
    if act is None or not keys:
        messages.warning(request, "Tick the contacts first, then accept or refuse their proposals.")
        return redirect(back)
    found = list(proposals_visible_to(request.user).filter(pk__in=keys))
    for contact in found:
        act(contact)
    word = "accepted" if act is accept_proposed_account else "refused"
    messages.success(request, f"{len(found)} {'proposal' if len(found) == 1 else 'proposals'} {word}.")
    return redirect(back)


@login_required
@require_POST
def give_domain(request: HttpRequest) -> HttpResponse:
    """Let a domain belong to an account; its waiting contacts are matched at once."""
    demand_write(request)
    back = f"{reverse('accounts:unmatched')}?show=domains"
    form = DomainForm(request.POST, user=request.user)
    if not form.is_valid():
        messages.error(request, " ".join(str(words) for errors in form.errors.values() for words in errors))
        return redirect(back)
    account = form.cleaned_data["account"]
    # One may only decide over a domain of people one sees.
    if not unmatched_visible_to(request.user).filter(email_domain=form.cleaned_data["domain"]).exists():
        messages.warning(request, "No contact without account has that domain any more.")
        return redirect(back)
    try:
        done = assign_domain(form.cleaned_data["domain"], account, request.user)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect(back)
    people = "contact" if done["matched"] == 1 else "contacts"
    messages.success(
        request, f"{form.cleaned_data['domain']} belongs to {account}: {done['matched']} {people} matched."
    )
    return redirect(back)
