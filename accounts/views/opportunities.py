"""Pages of opportunities."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from segmentation_crm.common.access import can

from ..choices import ForecastCategory, OpportunityType, Vocabulary
from ..filters import OpportunityFilter
from ..forms import OpportunityForm
from ..models import Pipeline, Product, Stage
from ..queries import (
    accounts_visible_to,
    activities_visible_to,
    opportunities_visible_to,
    opportunity_contacts_visible_to,
    opportunity_lines_visible_to,
    purchases_visible_to,
)
from . import related
from .columns import opportunity_columns
from .facts import fact_groups
from .lists import Facet, ListPage, list_context, of_enum, of_rows, of_terms, owners
from .pages import demand_write, external_ids, one, panels_of
from .related import Tab, related_context, timeline
from .seen import Seen

FACETS = [
    Facet("state", "State", lambda: [("open", "Open"), ("won", "Won"), ("lost", "Lost")], main=True),
    Facet("stage", "Stage", of_rows(lambda: Stage.objects.order_by("pipeline", "position")), main=True),
    Facet("type", "Type", of_enum(OpportunityType), main=True),
    Facet("owner", "Owner", owners, main=True),
    Facet("pipeline", "Pipeline", of_rows(lambda: Pipeline.objects.order_by("position"))),
    Facet("product", "Product", of_rows(lambda: Product.objects.order_by("name"))),
    Facet("forecast_category", "Forecast", of_enum(ForecastCategory)),
    Facet("amount_min", "Amount from", type="number"),
    Facet("amount_max", "Amount to", type="number"),
    Facet("expected_close_from", "Expected close from", type="date"),
    Facet("expected_close_until", "Expected close until", type="date"),
    Facet("opened_from", "Opened from", type="date"),
    Facet("opened_until", "Opened until", type="date"),
    Facet("lost_reason", "Lost reason", of_terms(Vocabulary.LOST_REASON)),
    Facet("lead_source", "Lead source", of_terms(Vocabulary.LEAD_SOURCE)),
]

TABS = [
    Tab(
        "people",
        "People",
        "person",
        "people",
        lambda user, o: (
            opportunity_contacts_visible_to(user).filter(opportunity=o).select_related("contact").order_by("role")
        ),
        related.committee,
        with_contacts=True,
    ),
    Tab(
        "lines",
        "Lines",
        "line",
        "lines",
        lambda user, o: (
            opportunity_lines_visible_to(user).filter(opportunity=o).select_related("product").order_by("pk")
        ),
        related.lines,
    ),
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
def opportunity_list(request: HttpRequest) -> HttpResponse:
    """Show the opportunities the user sees."""
    queryset = opportunities_visible_to(request.user).select_related("owner", "account", "stage", "product")
    page = ListPage(
        columns=lambda rows: opportunity_columns(Seen(request.user, rows)),
        facets=FACETS,
        filters=OpportunityFilter,
        ordering="-opened_on",
        unit="opportunity",
        unit_plural="opportunities",
    )
    return render(request, "accounts/opportunity_list.html", list_context(request, queryset, page))


@login_required
@require_GET
def opportunity_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one opportunity: its facts, or one kind of its related records."""
    opportunity = one(
        opportunities_visible_to(request.user).select_related(
            "owner", "account", "stage", "pipeline", "product", "lost_reason", "primary_need", "lead_source",
            "campaign_first", "campaign_last",
        ),
        pk,
    )  # fmt: skip
    context = related_context(request, opportunity, TABS, reverse("accounts:opportunity_detail", args=[pk]))
    account_cell = Seen(request.user, [opportunity]).account(opportunity)
    if not context["chosen_tab"]:
        context.update(_overview(request, opportunity, opportunity.account_id and not account_cell.get("url")))
    return render(
        request,
        "accounts/opportunity_detail.html",
        {
            **context,
            "opportunity": opportunity,
            "account_cell": account_cell,
            "can_write": can(request.user, "records.write"),
        },
    )


def _overview(request: HttpRequest, opportunity: Any, hidden: Any) -> dict[str, Any]:
    events = (
        activities_visible_to(request.user)
        .filter(opportunity=opportunity)
        .select_related("contact", "content", "campaign", "user")
        .order_by("-occurred_at", "-pk")[:10]
    )
    rows = list(events)
    people = opportunity_contacts_visible_to(request.user).filter(opportunity=opportunity).select_related("contact")[:8]
    return {
        "groups": fact_groups("opportunity", opportunity, frozenset({"account"} if hidden else ())),
        "people": people,
        "timeline": timeline(rows, Seen(request.user, rows, with_contacts=True)),
        "panels": panels_of("opportunity", opportunity, request),
        "external_ids": external_ids("opportunity", opportunity.pk),
    }


@login_required
@require_http_methods(["GET", "POST"])
def opportunity_edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Make or change an opportunity."""
    demand_write(request)
    opportunity = one(opportunities_visible_to(request.user), pk) if pk else None
    initial = {}
    wanted = request.GET.get("account", "")
    if opportunity is None and wanted.isascii() and wanted.isdigit() and len(wanted) < 19:
        initial["account"] = accounts_visible_to(request.user).filter(pk=int(wanted)).first()
    form = OpportunityForm(request.POST or None, instance=opportunity, user=request.user, initial=initial)
    if request.method == "POST" and form.is_valid():
        saved = form.save_safely()
        if saved is not None:
            messages.success(request, f"{saved.name} is saved.")
            return redirect("accounts:opportunity_detail", saved.pk)
    return render(request, "accounts/opportunity_form.html", {"form": form, "opportunity": opportunity})
