"""Writing opportunities: stages, closing, lines, and what follows for accounts and people."""

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.db import transaction

from segmentation_crm.common.effective_time import effective_now, effective_time

from ..models import Opportunity, OpportunityLine, Purchase, Stage
from .accounts import make_customers
from .contacts import follow_opportunities
from .money import RateBook, fill_reporting

_STEP = Decimal("0.0001")


def fill_computed(opportunity: Opportunity, book: RateBook | None = None) -> None:
    """Set money in the organisation's currency; the pipeline follows the stage. Saves nothing (≤ 3 queries)."""
    fill_reporting(opportunity, book or RateBook.load())
    if opportunity.stage is not None:
        opportunity.pipeline_id = opportunity.stage.pipeline_id


def stamp_stage(opportunity: Opportunity, before: int | None, is_new: bool) -> None:
    """Note when the stage was entered and the deal closed, for a stage that changed; saves nothing.

    A new record keeps the dates given; without them its stage was entered when it was closed or opened. A change
    closes it now, or opens it again.
    """
    stage = opportunity.stage
    if stage is None or (opportunity.stage_id == before and not is_new):
        return
    if not is_new:
        opportunity.stage_entered_at = effective_now()
        if stage.is_open:
            opportunity.closed_at = None
        elif opportunity.closed_at is None:
            opportunity.closed_at = effective_now()
    elif opportunity.stage_entered_at is None:
        opportunity.stage_entered_at = _first_entered(opportunity, stage)


def _first_entered(opportunity: Opportunity, stage: Stage) -> dt.datetime:
    if not stage.is_open and opportunity.closed_at is not None:
        return opportunity.closed_at
    if opportunity.opened_on is not None:
        return dt.datetime.combine(opportunity.opened_on, dt.time.min, RateBook.load().time_zone)
    return effective_now()


def fill_amount(line: OpportunityLine | Purchase) -> None:
    """Compute the amount of a line or purchase from quantity, price and discount where only those are given."""
    if line.amount is None and line.quantity is not None and line.unit_price is not None:
        share = 1 - Decimal(str(line.discount or 0))
        line.amount = (Decimal(str(line.quantity)) * Decimal(str(line.unit_price)) * share).quantize(_STEP)
        line.amount_currency = line.unit_price_currency


def move_stage(opportunity: Opportunity, stage: Stage, *, at: dt.datetime | None = None, **changes: Any) -> Opportunity:
    """Move an opportunity to a stage, now or at a moment, with other changes (lost_reason=…); saves it."""
    for name, value in changes.items():
        setattr(opportunity, name, value)
    opportunity.stage = stage
    if at is None:
        opportunity.save()
    else:
        with effective_time(at):
            opportunity.save()
    return opportunity


@transaction.atomic
def follow_up(ids: Iterable[int]) -> None:
    """Let accounts and people follow their opportunities: customers, lifecycle stages (≤ 6 queries)."""
    wanted = list(ids)
    accounts = Opportunity.objects.filter(pk__in=wanted, stage__is_won=True, account__isnull=False)
    if account_ids := set(accounts.values_list("account_id", flat=True)):
        make_customers(account_ids)
    follow_opportunities(wanted)
