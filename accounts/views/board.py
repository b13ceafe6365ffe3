"""The board of a pipeline: a column for each stage, cards that are moved by mouse, finger or keyboard."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.http import require_GET, require_POST

from segmentation_crm.common.access import AnyUser, can, keep_visibility
from segmentation_crm.common.effective_time import effective_now
from segmentation_crm.common.models import Team
from segmentation_crm.common.paging import keyset_page
from segmentation_crm.common.templatetags.crm import money

from ..choices import OpportunityType
from ..filters import OpportunityFilter
from ..filters.opportunities import CLOSES
from ..forms.pipeline import MoveForm
from ..models import Opportunity, Pipeline, Stage
from ..queries import opportunities_visible_to
from ..queries.forecast import Calendar
from ..queries.pipeline import CLOSED_DAYS, Flags, flags_of, on_board, stage_totals
from ..services.opportunities import ChangedMeanwhileError, move_stage
from .lists import owners
from .pages import demand_write, one
from .seen import Seen

# A column begins with what a screen shows of it; whoever asks for more gets more at once.
FIRST_CARDS, CARDS = 12, 25
# What the address of a board may hold besides the filters of the list of opportunities.
OWN = {"cursor", "page_size", "in", "pipeline", "ordering", "stage", "view", "columns"}


@dataclass
class Card:
    """A deal as the board shows it."""

    deal: Opportunity
    account: dict[str, Any]
    flags: Flags

    @property
    def days_in_stage(self) -> int | None:
        """Return how many days the deal is in its stage."""
        entered = self.deal.stage_entered_at
        return None if entered is None else max(0, (effective_now() - entered).days)


@dataclass
class BoardColumn:
    """A stage with its figures and its first cards; the cards of a closed stage come when it is opened."""

    stage: Stage
    count: int = 0
    amount: Decimal = Decimal(0)
    cards: list[Card] = field(default_factory=list)
    more_url: str = ""


@login_required
@require_GET
def board(request: HttpRequest) -> HttpResponse:
    """Show the deals of a pipeline by stage (a fixed number of queries, and 1 for each open stage)."""
    keep_visibility(request.user)
    pipelines = list(Pipeline.objects.order_by("position", "name"))
    pipeline = _chosen(pipelines, request.GET.get("pipeline", ""))
    stages = list(pipeline.stages.filter(is_active=True).order_by("position", "pk")) if pipeline else []
    rows, errors = board_rows(request.user, request.GET, stages)
    totals = stage_totals(rows, stages)
    columns = [BoardColumn(stage, *totals.get(stage.pk, (0, Decimal(0)))) for stage in stages]
    pages = {}
    for column in columns:
        if column.stage.is_open and column.count:
            pages[column.stage.pk] = _page(request, rows, column.stage, FIRST_CARDS)
    cards = _cards(request.user, [row for page in pages.values() for row in page.rows])
    for column in columns:
        if page := pages.get(column.stage.pk):
            column.cards = [cards[row.pk] for row in page.rows]
            column.more_url = page.next_url
    context = {
        "pipelines": pipelines,
        "pipeline": pipeline,
        "open_columns": [column for column in columns if column.stage.is_open],
        "closed_columns": [column for column in columns if not column.stage.is_open],
        "stages": stages,
        "errors": errors,
        "closed_days": CLOSED_DAYS,
        "can_write": can(request.user, "records.write"),
        "controls": _controls(request),
        "search": request.GET.get("search", ""),
        "is_filtered": any(request.GET.get(name) for name in request.GET if name not in OWN),
        "board_query": request.GET.urlencode(),
        "list_query": _list_query(request.GET, pipeline),
        "is_empty": not any(column.count for column in columns),
        "move_form": MoveForm(auto_id="move_%s"),
    }
    return render(request, "accounts/board.html", context)


@login_required
@require_GET
def board_column(request: HttpRequest) -> HttpResponse:
    """Answer more cards of one stage, named by `in`, as a piece of the page (5 queries or so)."""
    stage = Stage.objects.filter(slug=request.GET.get("in", "")).select_related("pipeline").first()
    if stage is None:
        raise Http404("no such stage")
    rows, _ = board_rows(request.user, request.GET, [stage])
    page = _page(request, rows, stage)
    cards = _cards(request.user, page.rows)
    context = {
        "cards": [cards[row.pk] for row in page.rows],
        "more_url": page.next_url,
        "stage": stage,
        "stages": list(stage.pipeline.stages.filter(is_active=True).order_by("position", "pk")),
        "can_write": can(request.user, "records.write"),
    }
    return render(request, "accounts/board_cards.html", context)


@login_required
@require_POST
def opportunity_move(request: HttpRequest, pk: int) -> JsonResponse:
    """Move a deal to another stage, or change when and why it was closed; answers JSON.

    200 with the card anew and the heads of the board; 400 with `errors` by field; 409 with the card where somebody
    else changed the deal since it was shown.
    """
    demand_write(request)
    visible = opportunities_visible_to(request.user)
    deal = one(visible.select_related("stage", "owner", "account", "lost_reason"), pk)
    form = MoveForm(request.POST, opportunity=deal)
    if not form.is_valid():
        return JsonResponse({"errors": form.errors.get_json_data()}, status=400)
    try:
        _move(deal, form.cleaned_data)
    except ChangedMeanwhileError as error:
        now = error.current
        place = f"It is now in “{now.stage.name}”." if now.stage else "It has no stage now."
        words = f"Somebody else changed “{now.name}” while you were looking at it. {place} Nothing of yours was saved."
        return JsonResponse({"problem": words, **_answer(request, now)}, status=409)
    except ValidationError as error:
        found = error.message_dict if hasattr(error, "error_dict") else {"__all__": error.messages}
        errors = {name: [{"message": text} for text in texts] for name, texts in found.items()}
        return JsonResponse({"errors": errors}, status=400)
    deal = one(Opportunity.objects.select_related("stage", "owner", "account"), pk)
    return JsonResponse(_answer(request, deal))


def _move(deal: Opportunity, data: dict[str, Any]) -> None:
    stage: Stage = data["stage"]
    changes: dict[str, Any] = {}
    if stage.is_lost:
        changes["lost_reason"] = data["lost_reason"]
    if not stage.is_open and data["amount"] is not None:
        changes["amount"] = data["amount"]
    at = None
    if not stage.is_open and data["closed_on"] is not None:
        moment = _closing(data["closed_on"])
        changes["closed_at"] = moment
        # A deal closed some days ago left its stage then, but not before it came there.
        if deal.stage_id != stage.pk and moment < effective_now() and moment > (deal.stage_entered_at or moment):
            at = moment
    with transaction.atomic():
        move_stage(
            deal,
            stage,
            at=at,
            expected_version=data["version"],
            objections=data["objections"] if stage.is_lost else None,
            competitors=data["competitors"] if stage.is_lost else None,
            note=data["note"],
            **changes,
        )


def _closing(day: dt.date) -> dt.datetime:
    """Return the moment that stands for a day of closing: now for today, else noon."""
    calendar = Calendar.current()
    return effective_now() if day == calendar.today else dt.datetime.combine(day, dt.time(12), calendar.zone)


def _answer(request: HttpRequest, deal: Opportunity) -> dict[str, Any]:
    """Return the card as it is now, and the heads of the board that it was moved on."""
    answer: dict[str, Any] = {"version": deal.version, "stage": deal.stage.slug if deal.stage else ""}
    if not opportunities_visible_to(request.user).filter(pk=deal.pk).exists():
        return {**answer, "card": "", "heads": {}}
    query = QueryDict(request.POST.get("board_query", ""))
    stages = list(Stage.objects.filter(pipeline=deal.pipeline_id, is_active=True).order_by("position", "pk"))
    rows, _ = board_rows(request.user, query, stages)
    card = _cards(request.user, [deal])[deal.pk]
    context = {"card": card, "stages": stages, "can_write": True}
    return {
        **answer,
        "card": render_to_string("accounts/board_card.html", context, request=request),
        "heads": heads(stages, stage_totals(rows, stages)),
    }


def heads(stages: Iterable[Stage], totals: dict[int, tuple[int, Decimal]]) -> dict[str, dict[str, str]]:
    """Return count and sum of each column as the page shows them."""
    found = {}
    for stage in stages:
        count, amount = totals.get(stage.pk, (0, Decimal(0)))
        found[stage.slug] = {"count": f"{count:,}", "amount": money(amount, short=True)}
    return found


def board_rows(user: AnyUser, query: QueryDict, stages: Sequence[Stage]) -> tuple["QuerySet[Opportunity]", list[str]]:
    """Return the deals in these stages under the filters of the address, and what is wrong with those.

    Of closed stages the board shows only a part: see `on_board`. The filters are those of the list of opportunities;
    with a wrong one there are no rows.
    """
    data = query.copy()
    for name in OWN:
        data.pop(name, None)
    rows = opportunities_visible_to(user).filter(stage_id__in=[stage.pk for stage in stages])
    filterset = OpportunityFilter(data, queryset=rows, request=_Asker(user))
    unknown = [f"There is no filter “{name[:40]}”." for name in data if name not in filterset.form.fields]
    if unknown or not filterset.is_valid():
        wrong = [
            f"{filterset.form.fields[name].label or name}: {text}" if name in filterset.form.fields else str(text)
            for name, texts in filterset.form.errors.items()
            for text in texts
        ]
        return rows.none(), unknown + wrong
    return filterset.qs, []


@dataclass(frozen=True)
class _Asker:
    """What a FilterSet needs of a request: who asks."""

    user: AnyUser


def _page(request: HttpRequest, rows: "QuerySet[Opportunity]", stage: Stage, size: int = CARDS) -> Any:
    order = ("expected_close", "pk") if stage.is_open else ("-closed_at", "-pk")
    found = on_board(rows, [stage]).select_related("stage", "owner", "account").order_by(*order)
    return keyset_page(request, found, size)


def _cards(user: AnyUser, deals: Sequence[Opportunity]) -> dict[int, Card]:
    seen, flags = Seen(user, deals), flags_of(deals)
    return {deal.pk: Card(deal, seen.account(deal), flags[deal.pk]) for deal in deals}


def _chosen(pipelines: Sequence[Pipeline], slug: str) -> Pipeline | None:
    named = next((pipeline for pipeline in pipelines if pipeline.slug == slug), None)
    default = next((pipeline for pipeline in pipelines if pipeline.is_default), None)
    return named or default or (pipelines[0] if pipelines else None)


def _controls(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the selects of the toolbar (2 queries)."""
    people = [(value, label) for value, label in owners() if value != "me"]
    teams = [(str(team.pk), team.name) for team in Team.objects.order_by("name")]
    controls = [
        ("owner", "All owners", [("me", "My deals"), *people]),
        ("team", "All teams", teams),
        ("type", "All types", [(value, label) for value, label in OpportunityType.choices]),
        ("closes", "Closes any time", CLOSES),
    ]
    return [
        {
            "name": name,
            "label": label,
            "choices": choices,
            "value": request.GET.get(name, ""),
            "several": request.GET.getlist(name) if len(request.GET.getlist(name)) > 1 else [],
        }
        for name, label, choices in controls
        if choices
    ]


def _list_query(query: QueryDict, pipeline: Pipeline | None) -> str:
    """Return the same filters for the list: of this pipeline, what is open."""
    data = query.copy()
    for name in OWN - {"ordering"}:
        data.pop(name, None)
    if pipeline is not None:
        data["pipeline"] = pipeline.slug
    data["state"] = "open"
    return data.urlencode()
