"""Money in the organisation's currency: each amount at the rate of its record's date."""

import datetime as dt
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from typing import Any
from zoneinfo import ZoneInfo

from django.db import models, transaction

from segmentation_crm.common.effective_time import effective_now
from segmentation_crm.common.models import Organisation

from ..models import (
    Account,
    Contract,
    ExchangeRate,
    Opportunity,
    OpportunityLine,
    Product,
    Purchase,
    SupportCase,
)

# Model -> its money fields. `X` is the amount, `X_currency` its currency, `X_reporting` what is computed here.
MONEY_FIELDS: dict[type[models.Model], tuple[str, ...]] = {
    Account: ("annual_revenue", "typical_order_size"),
    Product: ("list_price",),
    Opportunity: ("amount",),
    OpportunityLine: ("unit_price", "amount"),
    Purchase: ("unit_price", "amount", "cost"),
    Contract: ("mrr",),
    SupportCase: ("cost",),
}
_STEP = Decimal("0.0001")


@dataclass
class RateBook:
    """The organisation's currency, time zone and size limits with all rates into that currency.

    Loaded once for a batch (2 queries). A currency without a rate on or before the day has no reporting amount.
    """

    currency: str
    time_zone: ZoneInfo
    size_limits: dict[str, int]
    rates: dict[str, list[tuple[dt.date, Decimal]]] = field(default_factory=dict)

    @classmethod
    def load(cls) -> "RateBook":
        """Read the settings and the rates (2 queries)."""
        organisation = Organisation.current()
        rates: dict[str, list[tuple[dt.date, Decimal]]] = defaultdict(list)
        own = organisation.currency
        rows = ExchangeRate.objects.filter(models.Q(quote=own) | models.Q(base=own)).order_by("on_date", "id")
        for base, quote, on_date, rate in rows.values_list("base", "quote", "on_date", "rate"):
            if quote == own:
                rates[base].append((on_date, rate))
            elif not any(day == on_date for day, _ in rates[quote]):
                # A rate given the other way round, where none is given straight for that day.
                rates[quote].append((on_date, 1 / rate))
        for found in rates.values():
            found.sort(key=lambda row: row[0])
        return cls(own, ZoneInfo(organisation.time_zone), dict(organisation.size_limits), dict(rates))

    def rate(self, currency: str, day: dt.date) -> Decimal | None:
        """Return what one unit cost in the organisation's currency on that day; None where no rate is known."""
        if not currency or currency == self.currency:
            return Decimal(1)
        known = self.rates.get(currency, [])
        position = bisect_right([on_date for on_date, _ in known], day)
        return known[position - 1][1] if position else None

    def convert(self, amount: Decimal | float | int | None, currency: str, day: dt.date) -> Decimal | None:
        """Return the amount in the organisation's currency, to four places; None where unknown."""
        if amount is None:
            return None
        rate = self.rate(currency, day)
        if rate is None:
            return None
        with localcontext() as context:
            context.prec = 40
            return (Decimal(str(amount)) * rate).quantize(_STEP)

    def day(self, moment: dt.datetime | dt.date | None) -> dt.date:
        """Return the local day of a moment or date; today for none."""
        if moment is None:
            moment = effective_now()
        if isinstance(moment, dt.datetime):
            return moment.astimezone(self.time_zone).date()
        return moment


def money_day(record: models.Model, book: RateBook) -> dt.date:
    """Return the day whose rate counts: of the closing, opening, order, start; today for accounts and prices."""
    match record:
        case Opportunity():
            return book.day(record.closed_at or record.opened_on or record.created_at)
        case OpportunityLine():
            return money_day(record.opportunity, book)
        case Purchase():
            return book.day(record.ordered_at)
        case Contract():
            return book.day(record.starts_on)
        case SupportCase():
            return book.day(record.closed_at or record.opened_at)
    return book.day(None)


def fill_reporting(record: Any, book: RateBook) -> None:
    """Set every `X_reporting` of the record (no query; a line reads its opportunity)."""
    names = MONEY_FIELDS.get(type(record), ())
    currencies = {getattr(record, f"{name}_currency") for name in names} - {"", book.currency}
    day = money_day(record, book) if currencies else dt.date.min
    for name in names:
        amount, currency = getattr(record, name), getattr(record, f"{name}_currency")
        setattr(record, f"{name}_reporting", book.convert(amount, currency, day))


def refresh_reporting(model: type[models.Model], ids: Iterable[int] | None = None, chunk: int = 2000) -> int:
    """Compute the reporting amounts anew, of some rows or all (after new rates or another currency).

    Returns how many rows changed. Memory stays flat: rows are read and written in chunks, each its own transaction.
    """
    book, changed = RateBook.load(), 0
    names = MONEY_FIELDS[model]
    columns = [f"{name}_reporting" for name in names]
    with_money = models.Q()
    for name in names:
        with_money |= models.Q(**{f"{name}__isnull": False}) | models.Q(**{f"{name}_reporting__isnull": False})
    rows = model._default_manager.filter(with_money).order_by("pk")
    if ids is not None:
        rows = rows.filter(pk__in=list(ids))
    if model is OpportunityLine:
        rows = rows.select_related("opportunity")
    last = 0
    while True:
        with transaction.atomic():
            batch = list(rows.filter(pk__gt=last)[:chunk])
            stale = []
            for record in batch:
                before = [getattr(record, column) for column in columns]
                fill_reporting(record, book)
                if [getattr(record, column) for column in columns] != before:
                    stale.append(record)
            model._default_manager.bulk_update(stale, columns, batch_size=300)
        changed += len(stale)
        if len(batch) < chunk:
            return changed
        last = batch[-1].pk


def refresh_all_reporting() -> dict[str, int]:
    """Compute all reporting amounts anew; returns the number of changed rows by model, revenue bands included."""
    from .accounts import refresh_computed

    changed = {model._meta.model_name or "": refresh_reporting(model) for model in MONEY_FIELDS}
    refresh_computed()
    return changed
