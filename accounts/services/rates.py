"""Exchange rates: one by one or pasted as lines; every change has the amounts computed anew."""

import csv
import datetime as dt
import io
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

import pycountry
from django.core.exceptions import ValidationError
from django.db import transaction

from ..models import ExchangeRate

MAX_LINES = 5000


@dataclass(frozen=True)
class Rate:
    """What one unit of `base` cost in `quote` from the day on."""

    base: str
    quote: str
    on_date: dt.date
    rate: Decimal


def checked_currency(text: str) -> str:
    """Return the code in capitals.

    Raises ValidationError for one that is not of ISO 4217.
    """
    code = text.strip().upper()
    if len(code) != 3 or pycountry.currencies.get(alpha_3=code) is None:
        raise ValidationError(f"“{text.strip()[:20]}” is no currency of ISO 4217, such as EUR or USD.")
    return code


def rates_of(text: str) -> list[Rate]:
    """Return the rates of pasted lines "from, to, day, rate" (comma, semicolon or tab; a head line is skipped).

    Raises ValidationError under `lines` naming each wrong line, the first ten.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) > MAX_LINES:
        raise ValidationError({"lines": f"At most {MAX_LINES:,} lines at once."})
    delimiter = next((mark for mark in ("\t", ";", ",") if lines and mark in lines[0]), ",")
    found, problems = [], []
    for number, cells in enumerate(csv.reader(io.StringIO("\n".join(lines)), delimiter=delimiter), start=1):
        if number == 1 and _is_head(cells):
            continue
        try:
            found.append(_rate(cells, delimiter))
        except ValidationError as error:
            problems.append(f"Line {number}: {' '.join(error.messages)}")
    if problems:
        more = [f"{len(problems) - 10} more lines are wrong."] if len(problems) > 10 else []
        raise ValidationError({"lines": [*problems[:10], *more]})
    if not found:
        raise ValidationError({"lines": "Paste at least one line such as EUR, USD, 2026-01-31, 1.0832."})
    return found


def _is_head(cells: list[str]) -> bool:
    return len(cells) == 4 and not any(character.isdigit() for character in cells[3])


def _rate(cells: list[str], delimiter: str) -> Rate:
    if len(cells) != 4:
        raise ValidationError("needs four values: from, to, day, rate.")
    base, quote = checked_currency(cells[0]), checked_currency(cells[1])
    if base == quote:
        raise ValidationError("the two currencies must differ.")
    try:
        day = dt.date.fromisoformat(cells[2].strip())
    except ValueError:
        raise ValidationError(f"“{cells[2].strip()[:20]}” is no day such as 2026-01-31.") from None
    return Rate(base, quote, day, _figure(cells[3], delimiter))


def _figure(text: str, delimiter: str) -> Decimal:
    written = text.strip()
    if delimiter != "," and "." not in written:
        written = written.replace(",", ".")
    try:
        figure = Decimal(written)
    except InvalidOperation:
        figure = Decimal(0)
    if not figure.is_finite() or not Decimal("0.0000000001") <= figure < Decimal(10) ** 10:
        raise ValidationError(f"“{text.strip()[:20]}” is no rate above 0 and below 10,000,000,000.")
    return figure.quantize(Decimal("0.0000000001"))


@transaction.atomic
def save_rates(rates: list[Rate]) -> dict[str, int]:
    """Write the rates; one of the same day and currencies is replaced. Returns {"added", "changed", "same"}."""
    done = {"added": 0, "changed": 0, "same": 0}
    for one in rates:
        row = ExchangeRate.objects.filter(base=one.base, quote=one.quote, on_date=one.on_date).first()
        if row is not None and row.rate == one.rate:
            done["same"] += 1
            continue
        done["added" if row is None else "changed"] += 1
        row = row or ExchangeRate(base=one.base, quote=one.quote, on_date=one.on_date)
        row.rate = one.rate
        row.save()
    return done
