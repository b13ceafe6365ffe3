"""My day: what a person has to do, whom to follow up, and what changed at the person's accounts."""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet
from django.utils import timezone

from segmentation_crm.common.access import Visibility, visibility
from segmentation_crm.common.among import KeyAmong
from segmentation_crm.common.extensions import my_day_panels
from segmentation_crm.common.local_time import LocalDay
from segmentation_crm.common.models import User

from ..choices import ActivityType, ContractStatus, Direction, LeadStatus, RecordType
from ..models import (
    Account,
    Activity,
    Contact,
    Contract,
    FieldHistory,
    Opportunity,
    Stage,
    SupportCase,
    Task,
)
from .accounts import accounts_seen
from .contacts import contacts_seen
from .engagement import ENGAGED
from .opportunities import opportunities_seen
from .pipeline import stale_opportunities

ROWS = 8
MOST_TASKS = 50
# One person's accounts; who owns more sees what changed at those touched last.
MOST_ACCOUNTS = 5000
UNTOUCHED_DAYS = 5
CONTRACT_DAYS = 90
CHAMPION_DAYS = 30
MEETINGS = (ActivityType.CALL, ActivityType.MEETING, ActivityType.DEMO)
IN_WORK = (LeadStatus.ATTEMPTING, LeadStatus.CONNECTED, LeadStatus.WORKING)


@dataclass(frozen=True)
class Tasks:
    """Open tasks by when they are due; `hidden` are keys of tasks on records that the owner may not see."""

    overdue: Sequence[Task] = ()
    today: Sequence[Task] = ()
    week: Sequence[Task] = ()
    undated: Sequence[Task] = ()
    hidden: frozenset[int] = frozenset()
    more: bool = False

    def __len__(self) -> int:
        return len(self.overdue) + len(self.today) + len(self.week) + len(self.undated)


def my_tasks(user: User, seen: Visibility, day: LocalDay, now: dt.datetime) -> Tasks:
    """Return the user's open tasks up to the end of the week (1 query, up to 3 more for who does not see all)."""
    rows = Task.objects.filter(owner=user, done_at__isnull=True).select_related("account", "contact", "opportunity")
    rows = rows.filter(Q(due_at__lt=day.week_end) | Q(due_at__isnull=True)).order_by("due_at", "pk")
    found = list(rows[: MOST_TASKS + 1])
    shown = found[:MOST_TASKS]
    return Tasks(
        overdue=[task for task in shown if task.due_at and task.due_at < now],
        today=[task for task in shown if task.due_at and now <= task.due_at < day.end],
        week=[task for task in shown if task.due_at and task.due_at >= max(now, day.end)],
        undated=[task for task in shown if task.due_at is None],
        hidden=_on_hidden_records(shown, seen),
        more=len(found) > MOST_TASKS,
    )


def _on_hidden_records(tasks: Iterable[Task], seen: Visibility) -> frozenset[int]:
    """Return the keys of tasks whose record the visibility leaves out: its name must not show."""
    if seen.everything:
        return frozenset()
    hidden: set[int] = set()
    for column, rows in (
        ("account_id", accounts_seen),
        ("contact_id", contacts_seen),
        ("opportunity_id", opportunities_seen),
    ):
        on = {task.pk: getattr(task, column) for task in tasks if getattr(task, column)}
        if on:
            visible = set(rows(seen).filter(pk__in=set(on.values())).values_list("pk", flat=True))
            hidden |= {pk for pk, record in on.items() if record not in visible}
    return frozenset(hidden)


def _forget_hidden(rows: Sequence[Any], name: str, seen: Visibility, records: Callable[[Visibility], Any]) -> None:
    """Take a reference off rows that are only shown where the visibility leaves it out (1 query where there are any).

    A contact or deal can be one's own while its account, or a person of it, is not: the name must not show.
    """
    ids = {pk for row in rows if (pk := getattr(row, f"{name}_id")) is not None}
    if seen.everything or not ids:
        return
    visible = set(records(seen).filter(pk__in=ids).values_list("pk", flat=True))
    for row in rows:
        if getattr(row, f"{name}_id") not in visible:
            setattr(row, name, None)


@dataclass(frozen=True)
class FollowUps:
    """Whom to follow up today."""

    deals: Sequence[Opportunity]
    contacts: Sequence[Contact]
    recycled: Sequence[Contact]
    planned: Sequence[Activity]

    def __bool__(self) -> bool:
        return bool(self.deals or self.contacts or self.recycled or self.planned)


def my_follow_ups(user: User, seen: Visibility, day: LocalDay, now: dt.datetime) -> FollowUps:
    """Return next steps that are due, people left waiting, recycled leads whose time has come, today's calls.

    4 queries, 2 more for sales regions.
    """
    deals = opportunities_seen(seen).filter(owner=user, stage__is_open=True, next_step_due__lte=day.date)
    mine = contacts_seen(seen).filter(owner=user).select_related("account")
    cutoff = now - dt.timedelta(days=UNTOUCHED_DAYS)
    touched = Activity.objects.filter(contact_id=OuterRef("pk"), occurred_at__gte=cutoff).filter(
        Q(direction=Direction.OUTBOUND) | Q(user__isnull=False)
    )
    waiting = mine.filter(Q(lead_status__in=IN_WORK), ~Exists(touched), created_at__lt=cutoff)
    recycled = mine.filter(lead_status=LeadStatus.RECYCLED, recycle_until__lte=day.date)
    planned = Activity.objects.filter(user=user, type__in=MEETINGS, occurred_at__gte=now, occurred_at__lt=day.end)
    return FollowUps(
        deals=list(deals.select_related("account", "stage").order_by("next_step_due", "pk")[:ROWS]),
        contacts=list(waiting.order_by("updated_at", "pk")[:ROWS]),
        recycled=list(recycled.order_by("recycle_until", "pk")[:ROWS]),
        planned=list(planned.select_related("account", "contact").order_by("occurred_at", "pk")[:ROWS]),
    )


@dataclass(frozen=True)
class Engagement:
    """What people of one account did: how often, how many of them, when last, and the commonest kinds."""

    account: Account
    times: int
    people: int
    last: dt.datetime
    what: str


@dataclass(frozen=True)
class StageChange:
    """A deal that moved; `before` is empty for one that was opened."""

    deal: Opportunity
    before: str
    after: str
    at: dt.datetime


@dataclass(frozen=True)
class Changes:
    """What changed at a person's accounts since a moment."""

    since: dt.datetime
    has_accounts: bool = False
    engagement: Sequence[Engagement] = ()
    stages: Sequence[StageChange] = ()
    contacts: Sequence[Contact] = ()
    champions: Sequence[Opportunity] = ()
    cases: Sequence[SupportCase] = ()
    contracts: Sequence[Contract] = ()
    panels: Sequence[dict[str, Any]] = field(default_factory=tuple)

    def __bool__(self) -> bool:
        return bool(
            self.engagement or self.stages or self.contacts or self.champions or self.cases or self.contracts or
            self.panels
        )  # fmt: skip


def my_account_ids(user: User, seen: Visibility) -> list[int]:
    """Return the accounts that the user owns or develops, at most 5,000, those changed last (1 query)."""
    mine = accounts_seen(seen).filter(Q(owner=user) | Q(sdr=user))
    return list(mine.order_by("-updated_at", "-pk").values_list("pk", flat=True)[:MOST_ACCOUNTS])


def my_changes(
    user: User, seen: Visibility, account_ids: Sequence[int], day: LocalDay, since: dt.datetime, now: dt.datetime
) -> Changes:
    """Return what changed at the user's accounts and deals since a moment (≤ 9 queries)."""
    mine = KeyAmong("account_id", account_ids)
    deals = opportunities_seen(seen).filter(Q(owner=user) | Q(mine)).select_related("account")
    contacts = Contact.objects.live().filter(mine, created_at__gte=since)
    cases = SupportCase.objects.filter(mine, opened_at__gte=since, opened_at__lte=now)
    contracts = Contract.objects.filter(
        mine,
        status=ContractStatus.ACTIVE,
        ends_on__gte=day.date,
        ends_on__lte=day.date + dt.timedelta(days=CONTRACT_DAYS),
    )
    left = deals.filter(stage__is_open=True, champion_left_on__gte=day.date - dt.timedelta(days=CHAMPION_DAYS))
    return Changes(
        since=since,
        has_accounts=bool(account_ids),
        engagement=_engagement(account_ids, since, now),
        stages=_stage_changes(deals, since),
        contacts=list(contacts.select_related("account").order_by("-created_at", "-pk")[:ROWS]),
        champions=list(left.select_related("champion_left").order_by("-champion_left_on", "-pk")[:ROWS]),
        cases=list(cases.select_related("account").order_by("-opened_at", "-pk")[:ROWS]),
        contracts=list(contracts.select_related("account", "product").order_by("ends_on", "pk")[:ROWS]),
    )


def _engagement(account_ids: Sequence[int], since: dt.datetime, now: dt.datetime) -> list[Engagement]:
    """Return who engaged most, by account (3 queries)."""
    rows = Activity.objects.filter(ENGAGED, occurred_at__gte=since, occurred_at__lte=now)
    figures = list(
        rows.filter(KeyAmong("account_id", account_ids))
        .order_by()
        .values("account_id")
        .annotate(times=Count("*"), people=Count("contact_id", distinct=True), last=Max("occurred_at"))
        .order_by("-times", "-last")[:ROWS]
    )
    if not figures:
        return []
    ids = [row["account_id"] for row in figures]
    kinds: dict[int, list[str]] = defaultdict(list)
    by_type = rows.filter(account_id__in=ids).order_by().values_list("account_id", "type").annotate(n=Count("*"))
    for account_id, kind, times in by_type.order_by("-n", "type"):
        name = str(ActivityType(kind).label).lower()
        kinds[account_id].append(f"{times} × {name}" if times > 1 else name)
    accounts = Account.objects.in_bulk(ids)
    return [
        Engagement(
            accounts[row["account_id"]],
            row["times"],
            row["people"],
            row["last"],
            ", ".join(kinds[row["account_id"]][:3]),
        )
        for row in figures
    ]


def _stage_changes(deals: "QuerySet[Opportunity]", since: dt.datetime) -> list[StageChange]:
    """Return the deals that entered a stage since a moment, newest first (3 queries, 1 without any)."""
    moved = {deal.pk: deal for deal in deals.filter(stage_entered_at__gte=since).order_by("-stage_entered_at")[:ROWS]}
    if not moved:
        return []
    history = FieldHistory.objects.filter(
        record_type=RecordType.OPPORTUNITY, field="stage", record_id__in=moved, valid_to__gte=since
    ).order_by("valid_from", "pk")
    before = dict(history.values_list("record_id", "value"))
    slugs = {deal.stage_id for deal in moved.values()}
    stages = list(Stage.objects.filter(Q(slug__in=set(before.values())) | Q(pk__in=slugs)))
    by_slug, by_pk = {stage.slug: stage.name for stage in stages}, {stage.pk: stage.name for stage in stages}
    return [
        StageChange(deal, by_slug.get(before.get(pk, ""), ""), by_pk.get(deal.stage_id or 0, ""), deal.stage_entered_at)
        for pk, deal in moved.items()
        if deal.stage_entered_at is not None
    ]


def my_stale_deals(user: User, seen: Visibility) -> list[Opportunity]:
    """Return the user's open deals on which nothing happened for long (2 queries)."""
    rows = stale_opportunities(opportunities_seen(seen).filter(owner=user))
    return list(rows.select_related("account", "stage").order_by("stage_entered_at", "pk")[:ROWS])


def previous_working_day(day: LocalDay) -> LocalDay:
    """Return the last day before, Saturday and Sunday left out: on a Monday that is Friday."""
    before = day.plus(-1)
    while before.date.weekday() > 4:
        before = before.plus(-1)
    return before


@dataclass(frozen=True)
class MyDay:
    """Everything on the page."""

    day: LocalDay
    now: dt.datetime
    tasks: Tasks
    follow_ups: FollowUps
    changes: Changes
    stale: Sequence[Opportunity]


def day_of(user: User, day: LocalDay, since: dt.datetime) -> MyDay:
    """Return the user's day (≤ 27 queries and those of upper apps' panels)."""
    now = timezone.now()
    seen = visibility(user)
    account_ids = my_account_ids(user, seen)
    found = (panel(user, account_ids, since) for panel in my_day_panels) if account_ids else ()
    changes = my_changes(user, seen, account_ids, day, since, now)
    follow_ups = my_follow_ups(user, seen, day, now)
    people = [*follow_ups.contacts, *follow_ups.recycled]
    _forget_hidden([*follow_ups.planned, *people], "account", seen, accounts_seen)
    _forget_hidden(follow_ups.planned, "contact", seen, contacts_seen)
    _forget_hidden(changes.champions, "champion_left", seen, contacts_seen)
    return MyDay(
        day=day,
        now=now,
        tasks=my_tasks(user, seen, day, now),
        follow_ups=follow_ups,
        changes=replace(changes, panels=[panel for panel in found if panel]),
        stale=my_stale_deals(user, seen),
    )
