"""Pages of opportunities."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from segmentation_crm.common.access import can, keep_visibility
from segmentation_crm.common.keys import key_of

from ..choices import Vocabulary
from ..forms import OpportunityForm
from ..forms.pipeline import MoveForm, NextStepForm, SaidForm
from ..models import Opportunity, Stage
from ..queries import (
    accounts_visible_to,
    activities_visible_to,
    opportunities_visible_to,
    purchases_visible_to,
)
from ..queries.pipeline import flags_of, stage_path
from ..services.multi_values import set_multi_values
from ..services.opportunities import finish_next_step, set_next_step
from ..services.vocabularies import terms_named
from . import record_tabs as shared
from . import related
from .deal_lines import lines_context
from .deal_people import people_context
from .facts import fact_groups
from .known import chips_context
from .pages import demand_write, external_ids, one, panels_of
from .related import Tab, related_context
from .seen import Seen
from .timeline import timeline_context

SAID = {"objections": Vocabulary.OBJECTION, "competitors": Vocabulary.COMPETITOR}
TABS = [
    shared.TASKS,
    shared.NOTES,
    shared.FILES,
    Tab(
        "activities",
        "Activities",
        "activity",
        "activities",
        lambda user, o: (
            activities_visible_to(user)
            .filter(opportunity=o)
            .select_related("contact", "account", "content", "campaign", "user")
            .order_by("-occurred_at")
        ),
        related.events,
        with_contacts=True,
    ),
    Tab(
        "purchases",
        "Purchases",
        "purchase",
        "purchases",
        lambda user, o: (
            purchases_visible_to(user).filter(opportunity=o).select_related("product").order_by("-ordered_at")
        ),
        related.purchases,
    ),
]


@login_required
@require_GET
def opportunity_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one opportunity: its way, lines, people and facts, or one kind of its related records."""
    keep_visibility(request.user)
    opportunity = one(
        opportunities_visible_to(request.user).select_related(
            "owner", "account", "stage", "pipeline", "product", "lost_reason", "primary_need", "lead_source",
            "campaign_first", "campaign_last", "champion_left",
        ),
        pk,
    )  # fmt: skip
    context = related_context(request, opportunity, TABS, reverse("accounts:opportunity_detail", args=[pk]))
    account_cell = Seen(request.user, [opportunity]).account(opportunity)
    context["can_write"] = can(request.user, "records.write")
    if not context["chosen_tab"]:
        context.update(_overview(request, opportunity, opportunity.account_id and not account_cell.get("url")))
    return render(
        request,
        "accounts/opportunity_detail.html",
        {
            **context,
            "opportunity": opportunity,
            "record": opportunity,
            "record_kind": "opportunity",
            "account_cell": account_cell,
            "flags": flags_of([opportunity])[opportunity.pk],
            "champion": _champion(request, opportunity),
            "move_form": MoveForm(auto_id="move_%s"),
            **_stepper(opportunity),
        },
    )


def _champion(request: HttpRequest, opportunity: Opportunity) -> dict[str, Any] | None:
    """Return who left, where the user may see that person."""
    if opportunity.champion_left_id is None:
        return None
    return Seen(request.user, [_Person(opportunity)], with_contacts=True).contact(_Person(opportunity))


class _Person:
    """The champion who left, as a row that points to a contact."""

    def __init__(self, opportunity: Opportunity) -> None:
        self.contact_id, self.contact = opportunity.champion_left_id, opportunity.champion_left


def _stepper(opportunity: Opportunity) -> dict[str, Any]:
    """Return the stages of the pipeline with the days spent in each (3 queries)."""
    path = stage_path(opportunity)
    days: dict[int, int] = {}
    for step in path:
        if step.stage is not None:
            days[step.stage.pk] = days.get(step.stage.pk, 0) + step.days
    stages = Stage.objects.filter(pipeline=opportunity.pipeline_id).order_by("position", "pk")
    current = opportunity.stage
    steps = [
        {
            "stage": stage,
            "days": days.get(stage.pk),
            "is_now": stage.pk == opportunity.stage_id,
            "is_past": stage.pk in days and stage.pk != opportunity.stage_id,
            "kind": "won" if stage.is_won else "lost" if stage.is_lost else "open",
        }
        for stage in stages
        if stage.is_active or stage.pk in days or (current and stage.pk == current.pk)
    ]
    return {"steps": steps, "path": path}


def _overview(request: HttpRequest, opportunity: Any, hidden: Any) -> dict[str, Any]:
    account = None if hidden else opportunity.account
    return {
        "known_needs": chips_context(request, account, "needs") if account is not None else None,
        **lines_context(request, opportunity),
        **people_context(request, opportunity),
        **_said_context(request, opportunity),
        "next_form": _next_form(opportunity),
        "groups": fact_groups("opportunity", opportunity, frozenset({"account"} if hidden else ())),
        "limit_mb": settings.ATTACHMENT_MAX_BYTES // 2**20,
        **timeline_context(request, opportunity),
        "panels": panels_of("opportunity", opportunity, request),
        "external_ids": external_ids("opportunity", opportunity.pk),
    }


def _next_form(opportunity: Opportunity) -> NextStepForm:
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
        context["next_form"] = _next_form(opportunity)
    else:
        form = NextStepForm(request.POST, auto_id="next_%s")
        if form.is_valid():
            set_next_step(opportunity, form.cleaned_data["next_step"], form.cleaned_data["next_step_due"])
            form = _next_form(opportunity)
            context["saved"] = True
        else:
            status = 422
        context["next_form"] = form
    return render(request, "accounts/opportunity_next_step.html", context, status=status)


def _said_context(request: HttpRequest, opportunity: Opportunity) -> dict[str, Any]:
    rows = list(opportunity.values_multi.filter(field__in=list(SAID)).select_related("term"))
    chips = {name: [row.term for row in rows if row.field == name] for name in SAID}
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
    context = {"opportunity": opportunity, "can_write": True, **_said_context(request, opportunity)}
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
