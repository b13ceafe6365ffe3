"""Writing opportunities: stages, closing and reopening, lines, and what follows for accounts and people."""

import datetime as dt
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from segmentation_crm.common.acting import acting
from segmentation_crm.common.effective_time import effective_now, effective_time

from ..choices import ForecastCategory
from ..models import Note, Opportunity, OpportunityLine, Purchase, Stage, Term
from .accounts import make_customers
from .contacts import follow_opportunities
from .money import RateBook, fill_reporting
from .multi_values import set_multi_values

_STEP = Decimal("0.0001")
NO_LOST_REASON = "Say why the deal was lost: a lost stage needs a lost_reason."


class ChangedMeanwhileError(Exception):
    """Somebody else changed the deal since it was shown; holds the deal as it is now."""

    def __init__(self, current: Opportunity) -> None:
        super().__init__(f"{current} was changed in the meantime.")
        self.current = current


def fill_computed(opportunity: Opportunity, book: RateBook | None = None) -> None:
    """Set money in the organisation's currency; the pipeline follows the stage. Saves nothing (≤ 3 queries)."""
    fill_reporting(opportunity, book or RateBook.load())
    if opportunity.stage is not None:
        opportunity.pipeline_id = opportunity.stage.pipeline_id


def stamp_stage(opportunity: Opportunity, before: Mapping[str, Any] | None) -> None:
    """Let dates and chances follow a stage that changed; saves nothing. before: the row as it was, None: it is new.

    A new record keeps the dates given; without them its stage was entered when it was closed or opened. A change
    closes it now, or opens it again and clears when and why it was closed. Probability and forecast category follow
    the stage unless the same save gives others.
    """
    if before is not None and (opportunity.next_step, opportunity.next_step_due) != (
        before["next_step"],
        before["next_step_due"],
    ):
        opportunity.next_step_set_at = effective_now()
    stage = opportunity.stage
    if stage is None or (before is not None and opportunity.stage_id == before["stage_id"]):
        return
    if before is None:
        if opportunity.stage_entered_at is None:
            opportunity.stage_entered_at = _first_entered(opportunity, stage)
        return
    opportunity.stage_entered_at = effective_now()
    if stage.is_open:
        opportunity.closed_at = None
    elif opportunity.closed_at is None:
        opportunity.closed_at = effective_now()
    if not stage.is_lost and opportunity.lost_reason_id == before["lost_reason_id"]:
        opportunity.lost_reason = None
    _follow_stage(opportunity, stage, before)


def _follow_stage(opportunity: Opportunity, stage: Stage, before: Mapping[str, Any]) -> None:
    was_closed = before["forecast_category"] in (ForecastCategory.CLOSED, ForecastCategory.OMITTED)
    if opportunity.probability == before["probability"]:
        if stage.is_won or stage.is_lost:
            opportunity.probability = Decimal(1) if stage.is_won else Decimal(0)
        elif stage.probability is not None or was_closed:
            opportunity.probability = stage.probability
    if opportunity.forecast_category == before["forecast_category"]:
        if stage.is_won or stage.is_lost:
            opportunity.forecast_category = ForecastCategory.CLOSED if stage.is_won else ForecastCategory.OMITTED
        elif was_closed and before["closed_at"] is not None:
            opportunity.forecast_category = ForecastCategory.PIPELINE


def _first_entered(opportunity: Opportunity, stage: Stage) -> dt.datetime:
    if not stage.is_open and opportunity.closed_at is not None:
        return opportunity.closed_at
    if opportunity.opened_on is not None:
        return dt.datetime.combine(opportunity.opened_on, dt.time.min, RateBook.load().time_zone)
    return effective_now()


def note_reopening(opportunity: Opportunity, before: Mapping[str, Any]) -> None:
    """Keep as a note when and why a deal was closed that is open again (0 queries if it is not, else 3)."""
    stage = opportunity.stage
    if not before or stage is None or not stage.is_open or before["stage_id"] in (None, stage.pk):
        return
    was = Stage.objects.get(pk=before["stage_id"])
    if was.is_open:
        return
    words = f"Reopened. The deal was in “{was.name}”"
    if before["closed_at"] is not None:
        words += f" since {before['closed_at'].astimezone(RateBook.load().time_zone):%-d %B %Y}"
    reason = Term.objects.filter(pk=before["lost_reason_id"]).first() if before["lost_reason_id"] else None
    words += f"; lost reason: {reason.name}." if reason else "."
    Note.objects.create(opportunity=opportunity, text=words, author=acting().user)


def fill_amount(line: OpportunityLine | Purchase) -> None:
    """Compute the amount of a line or purchase from quantity, price and discount where only those are given."""
    if line.amount is None and line.quantity is not None and line.unit_price is not None:
        share = 1 - Decimal(str(line.discount or 0))
        line.amount = (Decimal(str(line.quantity)) * Decimal(str(line.unit_price)) * share).quantize(_STEP)
        line.amount_currency = line.unit_price_currency


def check_lost_reason(stage: Stage | None, lost_reason: Term | None) -> None:
    """Refuse a lost stage without a reason; forms, API and bulk acts call it where either was changed (0 queries).

    Raises ValidationError naming lost_reason.
    """
    if stage is not None and stage.is_lost and lost_reason is None:
        raise ValidationError({"lost_reason": ValidationError(NO_LOST_REASON, code="required")})


@transaction.atomic
def move_stage(
    opportunity: Opportunity,
    stage: Stage,
    *,
    at: dt.datetime | None = None,
    expected_version: int | None = None,
    objections: Iterable[Term] | None = None,
    competitors: Iterable[Term] | None = None,
    note: str = "",
    without_reason: bool = False,
    **changes: Any,
) -> Opportunity:
    """Move an opportunity to a stage, now or at a moment, with other changes (lost_reason=…); saves it.

    objections, competitors: replace the values where given; note: text kept as a note. `without_reason` is for
    history that never had one. With `expected_version` the row is locked and compared first (1 query more).
    Raises ValidationError naming lost_reason for a lost stage without one, and ChangedMeanwhileError.
    """
    if expected_version is not None:
        _demand_version(opportunity, expected_version)
    for name, value in changes.items():
        setattr(opportunity, name, value)
    if not without_reason:
        check_lost_reason(stage, opportunity.lost_reason)
    opportunity.stage = stage
    if at is None:
        opportunity.save()
    else:
        with effective_time(at):
            opportunity.save()
    for field, terms in (("objections", objections), ("competitors", competitors)):
        if terms is not None:
            set_multi_values(opportunity, field, terms)
    if note.strip():
        Note.objects.create(opportunity=opportunity, text=note.strip(), author=acting().user)
    return opportunity


def _demand_version(opportunity: Opportunity, expected: int) -> None:
    current = Opportunity.objects.select_for_update().filter(pk=opportunity.pk).values_list("version", flat=True).get()
    if current != expected or opportunity.version != expected:
        raise ChangedMeanwhileError(
            Opportunity.objects.select_related("stage", "owner", "account").get(pk=opportunity.pk)
        )


@transaction.atomic
def set_next_step(opportunity: Opportunity, text: str, due: dt.date | None) -> Opportunity:
    """Set what is to be done next and until when; an empty text clears both (saves it).

    Raises ValidationError naming next_step for a text longer than 500 characters.
    """
    words = " ".join(text.split())
    if len(words) > 500:
        raise ValidationError({"next_step": f"A next step holds 500 characters at most; this has {len(words)}."})
    opportunity.next_step, opportunity.next_step_due = words, due if words else None
    opportunity.next_step_set_at = effective_now()
    opportunity.save(update_fields=["next_step", "next_step_folded", "next_step_due", "next_step_set_at"])
    return opportunity


@transaction.atomic
def finish_next_step(opportunity: Opportunity) -> str:
    """Note the next step as done and clear it; returns what was done, "" where none was set."""
    done = opportunity.next_step
    if done:
        Note.objects.create(opportunity=opportunity, text=f"Done: {done}", author=acting().user)
        set_next_step(opportunity, "", None)
    return done


@transaction.atomic
def follow_up(ids: Iterable[int]) -> None:
    """Let accounts and people follow their opportunities: customers, lifecycle stages (≤ 6 queries)."""
    wanted = list(ids)
    accounts = Opportunity.objects.filter(pk__in=wanted, stage__is_won=True, account__isnull=False)
    if account_ids := set(accounts.values_list("account_id", flat=True)):
        make_customers(account_ids)
    follow_opportunities(wanted)
