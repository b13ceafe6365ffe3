"""What needs attention in a pipeline: stale, overdue and unplanned deals; the path of a deal through its stages."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum

from segmentation_crm.common.effective_time import effective_now
from segmentation_crm.common.models import Organisation

from ..choices import ActivityType, RecordType
from ..models import Activity, FieldHistory, Opportunity, OpportunityContact, Pipeline, Stage

# Closed deals stay on the board for so many days.
CLOSED_DAYS = 30
CONVERSATIONS = [
    str(kind) for kind in (ActivityType.CALL, ActivityType.MEETING, ActivityType.DEMO, ActivityType.EMAIL_REPLY)
]
OPEN = Q(stage__is_open=True)
WITHOUT_NEXT_STEP = OPEN & Q(next_step_folded="")
CHAMPION_LEFT = Q(champion_left_on__isnull=False)


def local_today() -> dt.date:
    """Return the organisation's day (1 query)."""
    return effective_now().astimezone(ZoneInfo(Organisation.current().time_zone)).date()


def overdue(today: dt.date) -> Q:
    """Return the condition for open deals whose expected close lies before the day."""
    return OPEN & Q(expected_close__lt=today)


def stale_opportunities(
    opportunities: "QuerySet[Opportunity]", now: dt.datetime | None = None
) -> "QuerySet[Opportunity]":
    """Keep the open deals on which nothing happened for the `stale_after_days` of their pipeline (1 query, then lazy).

    Something happened: the stage or the next step was changed, there was an activity on the deal, or a call, meeting,
    demo or reply of a person with a role in it. That somebody of them looked at a page moves no deal.
    """
    moment = now or effective_now()
    by_days: dict[int, list[int]] = defaultdict(list)
    for pk, days in Pipeline.objects.values_list("pk", "stale_after_days"):
        by_days[days].append(pk)
    stale = Q(pk__in=[])
    for days, pipelines in by_days.items():
        stale |= Q(pipeline_id__in=pipelines) & _untouched_since(moment - dt.timedelta(days=days), moment)
    return opportunities.filter(OPEN & stale)


def _untouched_since(cutoff: dt.datetime, now: dt.datetime) -> Q:
    """Return the condition; both EXISTS start at the deal, so that each deal reads only its own people's activities."""
    on_deal = Activity.objects.filter(opportunity=OuterRef("pk"), occurred_at__gte=cutoff, occurred_at__lte=now)
    talks = OpportunityContact.objects.filter(
        opportunity=OuterRef("pk"),
        contact__activities__type__in=CONVERSATIONS,
        contact__activities__occurred_at__gte=cutoff,
        contact__activities__occurred_at__lte=now,
    )
    return (
        (Q(stage_entered_at__lt=cutoff) | Q(stage_entered_at__isnull=True, created_at__lt=cutoff))
        & (Q(next_step_set_at__isnull=True) | Q(next_step_set_at__lt=cutoff))
        & ~Q(Exists(on_deal))
        & ~Q(Exists(talks))
    )


@dataclass(frozen=True)
class Flags:
    """What is wrong with a deal, for the eye; each is also a filter of the list."""

    stale: bool = False
    overdue: bool = False
    no_next_step: bool = False
    champion_left: bool = False

    def __bool__(self) -> bool:
        return self.stale or self.overdue or self.no_next_step or self.champion_left


def flags_of(opportunities: Iterable[Opportunity]) -> dict[int, Flags]:
    """Return the flags of some loaded deals by key; a closed deal has none (3 queries; the stages must be loaded)."""
    rows = list(opportunities)
    open_rows = [row for row in rows if row.stage is not None and row.stage.is_open]
    found = {row.pk: Flags() for row in rows}
    if not open_rows:
        return found
    today = local_today()
    ids = [row.pk for row in open_rows]
    stale = set(stale_opportunities(Opportunity.objects.filter(pk__in=ids)).order_by().values_list("pk", flat=True))
    for row in open_rows:
        found[row.pk] = Flags(
            stale=row.pk in stale,
            overdue=row.expected_close is not None and row.expected_close < today,
            no_next_step=not row.next_step.strip(),
            champion_left=row.champion_left_on is not None,
        )
    return found


@dataclass(frozen=True)
class Step:
    """A stage that a deal was in, from a moment to another (None: still)."""

    stage: Stage | None
    slug: str
    since: dt.datetime
    until: dt.datetime | None
    is_reconstructed: bool

    @property
    def name(self) -> str:
        """Return the stage's name, its slug once the stage is gone."""
        return self.stage.name if self.stage else self.slug or "No stage"

    @property
    def days(self) -> int:
        """Return how many whole days the deal was in the stage."""
        return max(0, ((self.until or effective_now()) - self.since).days)


def stage_path(opportunity: Opportunity) -> list[Step]:
    """Return the stages a deal went through, first to last (2 queries)."""
    rows = list(
        FieldHistory.objects.filter(
            record_type=RecordType.OPPORTUNITY, record_id=opportunity.pk, field="stage"
        ).order_by("valid_from", "pk")
    )
    stages = {stage.slug: stage for stage in Stage.objects.filter(slug__in={row.value for row in rows})}
    return [Step(stages.get(row.value), row.value, row.valid_from, row.valid_to, row.is_reconstructed) for row in rows]


def on_board(
    opportunities: "QuerySet[Opportunity]", stages: Iterable[Stage], now: dt.datetime | None = None
) -> "QuerySet[Opportunity]":
    """Keep what a board shows of these stages, all open or all closed: of closed deals those of the latest 30 days."""
    chosen = list(stages)
    rows = opportunities.filter(stage_id__in=[stage.pk for stage in chosen])
    if all(stage.is_open for stage in chosen):
        return rows
    since = (now or effective_now()) - dt.timedelta(days=CLOSED_DAYS)
    return rows.filter(closed_at__gte=since)


def stage_totals(opportunities: "QuerySet[Opportunity]", stages: Iterable[Stage]) -> dict[int, tuple[int, Decimal]]:
    """Return for each stage how many deals its column has and their amount in reporting currency (up to 2 queries).

    Open and closed stages are asked for apart: each answer then comes from an index alone.
    """
    found: dict[int, tuple[int, Decimal]] = {}
    chosen = list(stages)
    for part in ([stage for stage in chosen if stage.is_open], [stage for stage in chosen if not stage.is_open]):
        if part:
            rows = on_board(opportunities, part).order_by().values("stage_id")
            for row in rows.annotate(count=Count("*"), amount=Sum("amount_reporting")):
                found[row["stage_id"]] = (row["count"], row["amount"] or Decimal(0))
    return found
