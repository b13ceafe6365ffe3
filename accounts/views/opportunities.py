"""Changing an opportunity: its next step, what was said, all its fields."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from segmentation_crm.common.keys import key_of

from ..choices import Vocabulary
from ..forms import OpportunityForm
from ..forms.pipeline import NextStepForm, SaidForm
from ..models import Opportunity
from ..queries import accounts_visible_to, opportunities_visible_to
from ..services.multi_values import set_multi_values
from ..services.opportunities import finish_next_step, set_next_step
from ..services.vocabularies import terms_named
from .pages import demand_write, one

SAID = {"objections": Vocabulary.OBJECTION, "competitors": Vocabulary.COMPETITOR}


def next_form(opportunity: Opportunity) -> NextStepForm:
    """Return the form of the next step as it stands."""
    return NextStepForm(
        initial={"next_step": opportunity.next_step, "next_step_due": opportunity.next_step_due}, auto_id="next_%s"
    )


@login_required
@require_POST
def next_step(request: HttpRequest, pk: int) -> HttpResponse:
    """Set the next step, or note it as done and ask for the one after; answers its part of the page."""
    demand_write(request)
    opportunity = one(opportunities_visible_to(request.user).select_related("stage"), pk)
    context: dict[str, Any] = {"opportunity": opportunity, "can_write": True}
    status = 200
    if "done" in request.POST:
        context["done"] = finish_next_step(opportunity)
        context["next_form"] = next_form(opportunity)
    else:
        form = NextStepForm(request.POST, auto_id="next_%s")
        if form.is_valid():
            set_next_step(opportunity, form.cleaned_data["next_step"], form.cleaned_data["next_step_due"])
            form = next_form(opportunity)
            context["saved"] = True
        else:
            status = 422
        context["next_form"] = form
    return render(request, "accounts/opportunity_next_step.html", context, status=status)


def said_terms(opportunity: Opportunity) -> dict[str, list[Any]]:
    """Return the objections and competitors heard in a deal (1 query)."""
    rows = list(opportunity.values_multi.filter(field__in=list(SAID)).select_related("term"))
    return {name: [row.term for row in rows if row.field == name] for name in SAID}


def said_context(request: HttpRequest, opportunity: Opportunity) -> dict[str, Any]:
    """Return what opportunity_said.html needs (3 queries, those of the choices included)."""
    chips = said_terms(opportunity)
    form = SaidForm(
        initial={name: [term.pk for term in terms if term] for name, terms in chips.items()},
        auto_id="said_%s",
        user=request.user,
    )
    return {"chips": chips, "said_form": form}


@login_required
@require_POST
def said(request: HttpRequest, pk: int) -> HttpResponse:
    """Set objections and competitors of a deal; answers their part of the page."""
    demand_write(request)
    opportunity = one(opportunities_visible_to(request.user), pk)
    form = SaidForm(request.POST, auto_id="said_%s", user=request.user)
    is_valid = form.is_valid()
    if is_valid:
        with transaction.atomic():
            for name, vocabulary in SAID.items():
                set_multi_values(opportunity, name, terms_named(vocabulary, form.cleaned_data[name]))
    context = {"opportunity": opportunity, "can_write": True, **said_context(request, opportunity)}
    if not is_valid:
        context["said_form"] = form
    return render(request, "accounts/opportunity_said.html", context, status=200 if is_valid else 422)


@login_required
@require_http_methods(["GET", "POST"])
def opportunity_edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Make or change an opportunity."""
    demand_write(request)
    opportunity = one(opportunities_visible_to(request.user), pk) if pk else None
    initial = {}
    wanted = key_of(request.GET.get("account"))
    if opportunity is None and wanted is not None:
        initial["account"] = accounts_visible_to(request.user).filter(pk=wanted).first()
    form = OpportunityForm(request.POST or None, instance=opportunity, user=request.user, initial=initial)
    if request.method == "POST" and form.is_valid():
        saved = form.save_safely()
        if saved is not None:
            messages.success(request, f"{saved.name} is saved.")
            return redirect("accounts:opportunity_detail", saved.pk)
    return render(request, "accounts/opportunity_form.html", {"form": form, "opportunity": opportunity})
