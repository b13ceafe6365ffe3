"""The list of opportunities."""

from collections.abc import Sequence
from typing import Any

from segmentation_crm.common.access import AnyUser
from segmentation_crm.common.lists import (
    YES_NO,
    Cell,
    Column,
    Facet,
    ListDefinition,
    amount,
    figure,
    of_enum,
    text,
    when,
)

from ..choices import ForecastCategory, OpportunityType, Vocabulary
from ..filters import OpportunityFilter
from ..filters.opportunities import CLOSES
from ..models import OpportunityCustomValue, OpportunityValue, Pipeline, Product, Stage
from ..queries import activities_visible_to, opportunities_visible_to, opportunity_contacts_visible_to
from .batches import counted, custom_columns, figure_column, latest, moment_column, multi, multi_column
from .cells import opportunity_cell, person, stage_badge, term_name
from .facets import person_facet, row_facet, term_facet
from .seen import Seen

FACETS = [
    Facet("state", "State", lambda: [("open", "Open"), ("won", "Won"), ("lost", "Lost")], main=True),
    row_facet("stage", "Stage", "stages", lambda: Stage.objects.order_by("pipeline", "position"), main=True),
    Facet("type", "Type", of_enum(OpportunityType), main=True),
    person_facet("owner", "Owner", main=True),
    row_facet("pipeline", "Pipeline", "pipelines", lambda: Pipeline.objects.order_by("position")),
    row_facet("product", "Product", "products", lambda: Product.objects.order_by("name")),
    Facet("forecast_category", "Forecast", of_enum(ForecastCategory)),
    Facet("amount_min", "Amount from", type="number"),
    Facet("amount_max", "Amount to", type="number"),
    Facet("expected_close_from", "Expected close from", type="date"),
    Facet("expected_close_until", "Expected close until", type="date"),
    Facet("opened_from", "Opened from", type="date"),
    Facet("opened_until", "Opened until", type="date"),
    term_facet("lost_reason", "Lost reason", Vocabulary.LOST_REASON),
    term_facet("lead_source", "Lead source", Vocabulary.LEAD_SOURCE),
    term_facet("primary_need", "Main need", Vocabulary.NEED),
    term_facet("competitor", "Competitor", Vocabulary.COMPETITOR),
    Facet("closes", "Closes", lambda: CLOSES),
    Facet("overdue", "Overdue", lambda: YES_NO),
    Facet("stale", "Stale", lambda: YES_NO),
    Facet("without_next_step", "Without next step", lambda: YES_NO),
    Facet("champion_left", "Champion left", lambda: YES_NO),
]


def columns(user: AnyUser, rows: Sequence[Any]) -> list[Column]:
    """Return the columns of opportunities (1 query for the custom fields; the rest is read when shown)."""
    return [
        *_usual(Seen(user, rows)),
        *_deal(),
        *_around(user, rows),
        *custom_columns("opportunity", rows, OpportunityCustomValue),
    ]


def _usual(seen: Seen) -> list[Column]:
    group = "Opportunity"
    return [
        Column("name", "Opportunity", opportunity_cell, "name", export=lambda o: o.name, group=group),
        Column("account", "Account", seen.account, "account", group=group),
        Column("stage", "Stage", stage_badge, "stage", group=group),
        Column("amount", "Amount", lambda o: amount(o.amount, o.amount_currency), "amount", numeric=True, group=group),
        Column(
            "product",
            "Product",
            lambda o: text(o.product.name if o.product else o.product_text),
            default=False,
            group=group,
        ),
        Column("opened_on", "Opened", lambda o: when(o.opened_on), "opened_on", numeric=True, group=group),
        Column(
            "expected_close", "Expected close", lambda o: when(o.expected_close), "expected_close", numeric=True,
            group=group,
        ),
        Column("closed_at", "Closed", lambda o: when(o.closed_at), "closed_at", numeric=True, group=group),
        Column("owner", "Owner", lambda o: person(o.owner), group=group),
    ]  # fmt: skip


def _deal() -> list[Column]:
    group = "Deal"

    def more(key: str, label: str, cell: Any, **more: Any) -> Column:
        return Column(key, label, cell, default=False, group=group, **more)

    return [
        more("state", "State", _state),
        more("pipeline", "Pipeline", lambda o: term_name(o.pipeline)),
        more("type", "Type", lambda o: text(o.get_type_display())),
        more("currency", "Currency", lambda o: text(o.amount_currency)),
        more("amount_reporting", "Amount, own currency", lambda o: amount(o.amount_reporting, ""), numeric=True),
        more("probability", "Probability", lambda o: figure(o.probability, "fraction"), numeric=True),
        more("weighted", "Weighted amount", lambda o: amount(_weighted(o), ""), numeric=True),
        more("forecast_category", "Forecast", lambda o: text(o.get_forecast_category_display())),
        more("next_step", "Next step", lambda o: text(o.next_step)),
        more("next_step_due", "Next step due", lambda o: when(o.next_step_due), numeric=True),
        more("stage_entered_at", "In this stage since", lambda o: when(o.stage_entered_at), numeric=True),
        more("lost_reason", "Lost reason", lambda o: term_name(o.lost_reason)),
        more("primary_need", "Main need", lambda o: term_name(o.primary_need)),
        more("lead_source", "Lead source", lambda o: term_name(o.lead_source)),
    ]


def _around(user: AnyUser, rows: Sequence[Any]) -> list[Column]:
    group = "Around it"

    def more(key: str, label: str, cell: Any, **more: Any) -> Column:
        return Column(key, label, cell, default=False, group=group, **more)

    last = latest(rows, lambda: activities_visible_to(user), "opportunity_id", "occurred_at")
    people = counted(rows, lambda: opportunity_contacts_visible_to(user), "opportunity_id")
    return [
        multi_column(
            "competitors", "Competitors", multi(rows, OpportunityValue, "opportunity_id", "competitors"), group
        ),
        multi_column("objections", "Objections", multi(rows, OpportunityValue, "opportunity_id", "objections"), group),
        figure_column("people", "People", people, group, 0),
        moment_column("last_activity", "Last activity", last, group),
        more("champion_left_on", "Champion left", lambda o: when(o.champion_left_on), numeric=True),
        more("source", "Source", lambda o: text(o.source)),
        more("created_at", "Added", lambda o: when(o.created_at), sort="created_at", numeric=True),
        more("updated_at", "Changed", lambda o: when(o.updated_at), sort="updated_at", numeric=True),
    ]


def _weighted(opportunity: Any) -> Any:
    if opportunity.amount_reporting is None or opportunity.probability is None:
        return None
    return round(opportunity.amount_reporting * opportunity.probability, 2)


def _state(opportunity: Any) -> Cell:
    stage = opportunity.stage
    return text("" if stage is None else "Won" if stage.is_won else "Lost" if stage.is_lost else "Open")


LIST = ListDefinition(
    key="opportunity",
    label="Opportunities",
    unit="opportunity",
    unit_plural="opportunities",
    url_name="accounts:opportunity_list",
    base=lambda user: opportunities_visible_to(user).select_related(
        "owner", "account", "stage", "pipeline", "product", "lost_reason", "primary_need", "lead_source"
    ),
    filterset=OpportunityFilter,
    columns=columns,
    facets=FACETS,
    joins={
        "account": ["account"],
        "stage": ["stage"],
        "state": ["stage"],
        "product": ["product"],
        "owner": ["owner"],
        "pipeline": ["pipeline"],
        "lost_reason": ["lost_reason"],
        "primary_need": ["primary_need"],
        "lead_source": ["lead_source"],
    },
    ordering="-opened_on",
    rule_record="opportunity",
    search_label="Name of the opportunity",
)
