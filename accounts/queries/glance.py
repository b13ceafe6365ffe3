"""The key figures at the head of a record's page; each is computed, in the viewer's view, and leads to its records."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Min, Q, Sum
from django.utils import timezone

from segmentation_crm.common.access import AnyUser

from ..choices import ContractStatus
from ..models import Account, Activity, Contact, Contract, Opportunity, OpportunityContact
from .at_record import rows_at, standing
from .contacts import contacts_visible_to
from .engagement import ENGAGED, WINDOW_DAYS, window_start


@dataclass(frozen=True)
class KeyFigure:
    """A figure: label, value by kind (money in our currency, number, date), a line below, where its records stand."""

    label: str
    kind: str
    value: Any
    sub: str = ""
    query: str = ""


def account_figures(account: Account, user: AnyUser) -> list[KeyFigure]:
    """Return the figures of an account that have something to say, at most five (3 queries)."""
    found = [
        *_deal_figures(rows_at(user, account, Opportunity)),
        *_engagement_figures(rows_at(user, account, Activity), people="contact"),
        *_contract_figure(account, user),
    ]
    return found[:5]


def contact_figures(contact: Contact, user: AnyUser) -> list[KeyFigure]:
    """Return the figures of a contact that have something to say, at most five (3 queries)."""
    # Of a deal in which a seen person takes a part one that is seen: the tie itself asks for that.
    mine = rows_at(user, contact, OpportunityContact)
    deals = standing(Opportunity).filter(pk__in=mine.order_by().values("opportunity_id"))
    return [
        *_deal_figures(deals),
        *_engagement_figures(rows_at(user, contact, Activity), people=""),
    ][:5]


def _deal_figures(deals: Any) -> list[KeyFigure]:
    sums = deals.order_by().aggregate(
        open_count=Count("pk", filter=Q(stage__is_open=True)),
        open_sum=Sum("amount_reporting", filter=Q(stage__is_open=True)),
        won_count=Count("pk", filter=Q(stage__is_won=True)),
        won_sum=Sum("amount_reporting", filter=Q(stage__is_won=True)),
    )
    found = []
    for key, label, words in (("open", "Open pipeline", "open deal"), ("won", "Won", "won deal")):
        count, amount = sums[f"{key}_count"], sums[f"{key}_sum"]
        if not count:
            continue
        counted = f"{count} {words}{'' if count == 1 else 's'}"
        query = f"tab=opportunities&state={key}"
        if amount is None:
            found.append(KeyFigure(label, "number", count, f"{words}{'' if count == 1 else 's'}, no amount", query))
        else:
            found.append(KeyFigure(label, "money", amount, counted, query))
    return found


def _engagement_figures(activities: Any, people: str) -> list[KeyFigure]:
    engaged = activities.filter(ENGAGED, occurred_at__lte=timezone.now())
    # The latest one is the first of an index; only those of the window are counted.
    last = engaged.order_by("-occurred_at").values_list("occurred_at", flat=True).first()
    if last is None:
        return []
    found = [KeyFigure("Last engaged", "date", last, "", "kind=web&kind=email&kind=conversation#timeline")]
    recent = 0
    if last >= window_start():
        counted = Count("contact", distinct=True) if people else Count("pk")
        recent = engaged.filter(occurred_at__gte=window_start()).order_by().aggregate(n=counted)["n"]
    if not recent:
        return found
    if people:
        words = f"in {WINDOW_DAYS} days"
        return [*found, KeyFigure("Contacts engaged", "number", recent, words, "tab=contacts&engaged=1")]
    return [*found, KeyFigure("Engagements", "number", recent, f"in {WINDOW_DAYS} days", "tab=activities")]


def _contract_figure(account: Account, user: AnyUser) -> list[KeyFigure]:
    running = rows_at(user, account, Contract).filter(
        ends_on__gte=timezone.localdate(), status__in=[ContractStatus.ACTIVE, ""]
    )
    sums = running.order_by().aggregate(next_end=Min("ends_on"), mrr=Sum("mrr_reporting"), count=Count("pk"))
    if sums["next_end"] is None:
        return []
    words = f"{sums['count']} running contract{'' if sums['count'] == 1 else 's'}"
    return [KeyFigure("Next contract end", "date", sums["next_end"], words, "tab=contracts")]


def engaged_people(account: Account, user: AnyUser) -> Any:
    """Return the contacts of whom an engaged activity at the account is known within 90 days."""
    rows = rows_at(user, account, Activity).filter(ENGAGED, occurred_at__gte=window_start())
    return contacts_visible_to(user).filter(pk__in=rows.order_by().values("contact_id"))
