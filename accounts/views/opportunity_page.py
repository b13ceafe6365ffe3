"""The page of one opportunity: its stages, next step and facts; lines, people and timeline come after it."""

from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from segmentation_crm.common.access import can, keep_visibility

from ..forms.pipeline import MoveForm
from ..models import Activity, Opportunity, Purchase, Stage
from ..queries import opportunities_visible_to
from ..queries.at_record import rows_at
from ..queries.pipeline import flags_of, stage_path
from ..queries.references import fill_references
from . import record_tabs as shared
from . import related
from .deal_lines import lines_context
from .deal_people import people_context
from .facts import fact_groups
from .known import chips_context
from .opportunities import next_form, said_context, said_terms
from .pages import demand_write, external_ids, one, panels_of
from .record_parts import draws_timeline, draws_whole, parts_context
from .related import Tab, related_context
from .seen import Seen
from .timeline import timeline_context

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
            rows_at(user, o, Activity)
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
        lambda user, o: rows_at(user, o, Purchase).select_related("product").order_by("-ordered_at"),
        related.purchases,
    ),
]
REFERENCES = (
    "owner", "account", "product", "lost_reason", "primary_need", "lead_source", "campaign_first", "campaign_last",
    "champion_left",
)  # fmt: skip


@login_required
@require_GET
def opportunity_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one opportunity, or one kind of its related records; parts below the first screen come after it."""
    keep_visibility(request.user)
    opportunity = one(opportunities_visible_to(request.user).select_related("stage", "pipeline"), pk)
    fill_references(opportunity, *REFERENCES)
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
            "chips": said_terms(opportunity),
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
    found = {
        "next_form": next_form(opportunity),
        "groups": fact_groups("opportunity", opportunity, frozenset({"account"} if hidden else ())),
        "limit_mb": settings.ATTACHMENT_MAX_BYTES // 2**20,
        "external_ids": external_ids("opportunity", opportunity.pk),
        **parts_context(request, opportunity),
    }
    if draws_whole(request):
        found |= lines_context(request, opportunity) | people_context(request, opportunity)
        found |= _around(request, opportunity, None if hidden else opportunity.account)
    return {**found, **(timeline_context(request, opportunity) if draws_timeline(request) else {})}


def _around(request: HttpRequest, opportunity: Any, account: Any) -> dict[str, Any]:
    """Return what was said in the deal, what its account needs, and what upper apps add (6 queries or so)."""
    return {
        "known_needs": chips_context(request, account, "needs") if account is not None else None,
        "panels": panels_of("opportunity", opportunity, request),
        **said_context(request, opportunity),
    }


def _deal(request: HttpRequest, pk: int) -> Any:
    keep_visibility(request.user)
    return one(opportunities_visible_to(request.user), pk)


@login_required
@require_GET
def opportunity_around(request: HttpRequest, pk: int) -> HttpResponse:
    """Answer the part of a deal's page beside its facts: objections and competitors, needs of the account."""
    opportunity = _deal(request, pk)
    fill_references(opportunity, "account")
    is_hidden = opportunity.account_id and not Seen(request.user, [opportunity]).account(opportunity).get("url")
    context = {"opportunity": opportunity, "record": opportunity, "record_kind": "opportunity"}
    context["can_write"] = can(request.user, "records.write")
    around = _around(request, opportunity, None if is_hidden else opportunity.account)
    return render(request, "accounts/opportunity_around.html", {**context, **around})


@login_required
@require_GET
def lines_part(request: HttpRequest, pk: int) -> HttpResponse:
    """Answer the lines of a deal, each a form of its own."""
    return render(request, "accounts/opportunity_lines.html", lines_context(request, _deal(request, pk)))


@login_required
@require_GET
def people_part(request: HttpRequest, pk: int) -> HttpResponse:
    """Answer the people of a deal, each a form of its own."""
    return render(request, "accounts/opportunity_people.html", people_context(request, _deal(request, pk)))


@login_required
@require_GET
def closing_dialog(request: HttpRequest) -> HttpResponse:
    """Answer the dialog that asks what must be known of a closed deal; a page fetches it when a deal is closed."""
    demand_write(request)
    return render(request, "accounts/board_move_dialog.html", {"move_form": MoveForm(auto_id="move_%s")})
