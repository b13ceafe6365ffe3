"""One pass over the file before anything is written: count rows, settle numbers and dates, type new columns."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from zoneinfo import ZoneInfo

from segmentation_crm.common.models import Organisation

from .custom_fields import Guess
from .dates import settle_order
from .drafts import Reading
from .mapping import ColumnMapping
from .numbers import POINT, settle_decimal
from .problems import CellProblem, FileRefused
from .reader import Table

# Distinct texts kept of a column to settle how it writes numbers and dates.
_KEPT = 2_000
# A guessed column of which more cannot be read is not what its name says.
_WRONG_SHARE = 0.05
_WRONG_AT_LEAST = 10


@dataclass
class Scan:
    """What the pass found."""

    rows: int = 0
    reading: Reading = field(default_factory=Reading)
    new_types: dict[int, str] = field(default_factory=dict)
    withdrawn: dict[int, str] = field(default_factory=dict)
    samples: dict[int, list[str]] = field(default_factory=dict)


def scan(
    table: Table,
    mapping: ColumnMapping,
    *,
    nulls: frozenset[str] = frozenset(),
    decimal: str = "",
    date_order: str = "",
    type_columns: bool = False,
) -> Scan:
    """Read the whole file once (flat memory).

    Withdraws a guess that the column's values contradict. Raises FileRefused for a file without rows, and where
    decimals or dates could be read in two ways.
    """
    found = Scan()
    guesses = {index: Guess() for index in mapping.unmapped} if type_columns else {}
    texts: dict[int, dict[str, int]] = defaultdict(dict)
    watched = mapping.targets
    for row in table.rows():
        found.rows += 1
        if row.problem:
            continue
        for index, cell in enumerate(row.cells):
            cell = cell.strip()
            if not cell or cell in nulls or index in row.cell_problems:
                continue
            if index in watched or index in guesses:
                kept = texts[index]
                if cell in kept:
                    kept[cell] += 1
                elif len(kept) < _KEPT:
                    kept[cell] = 1
            if index in guesses:
                guesses[index].feed(cell, decimal or POINT)
    if not found.rows:
        raise FileRefused("The file has no rows below its headings.", code="no_rows")
    found.samples = {index: list(kept)[:5] for index, kept in texts.items()}
    found.reading = _settle(table, mapping, texts, nulls, decimal, date_order)
    for index in sorted(mapping.guessed):
        words = _contradiction(mapping, index, texts[index], found.reading)
        if words:
            found.withdrawn[index] = words
    if type_columns:
        for index in found.withdrawn:
            guesses[index] = Guess()
            for text in texts[index]:
                guesses[index].feed(text, found.reading.decimal)
        found.new_types = {index: guess.type for index, guess in sorted(guesses.items())}
        orders = _orders(
            {index: texts[index] for index, kind in found.new_types.items() if kind in ("date", "datetime")}, date_order
        )
        found.reading = replace(
            found.reading,
            date_order={**found.reading.date_order, **{f"column {i}": order for i, order in orders.items()}},
        )
    return found


def _settle(
    table: Table,
    mapping: ColumnMapping,
    texts: Mapping[int, Mapping[str, int]],
    nulls: frozenset[str],
    decimal: str,
    date_order: str,
) -> Reading:
    numbers = [text for i, target in mapping.targets.items() if target.reads == "number" for text in texts.get(i, ())]
    if decimal not in ("", "point", "comma"):
        raise FileRefused("The decimal sign must be point or comma.", code="bad_option")
    if date_order not in ("", "dmy", "mdy"):
        raise FileRefused("The date order must be dmy or mdy.", code="bad_option")
    settled = decimal or settle_decimal(numbers, semicolons=table.delimiter == ";")
    dates = {i: texts.get(i, {}) for i, target in mapping.targets.items() if target.reads == "date"}
    orders = {mapping.targets[i].key: order for i, order in _orders(dates, date_order).items()}
    zone = ZoneInfo(Organisation.current().time_zone)
    return Reading(zone=zone, decimal=settled, date_order=orders, nulls=nulls)


def _orders(columns: Mapping[int, Mapping[str, int]], date_order: str) -> dict[int, str]:
    return {index: date_order or settle_order(texts) for index, texts in columns.items()}


def _contradiction(mapping: ColumnMapping, index: int, texts: Mapping[str, int], reading: Reading) -> str:
    """Say why the column is not what its name suggests; "" where it may be."""
    target = mapping.targets[index]
    if not target.reads:
        # Only numbers and dates cost rows; an unknown word costs a warning and is kept.
        return ""
    wrong = total = 0
    example = ""
    for text, count in texts.items():
        total += count
        try:
            target.clean(text, reading)
        except CellProblem:
            wrong += count
            example = example or text
    if wrong >= _WRONG_AT_LEAST and wrong > total * _WRONG_SHARE:
        return f"{wrong} of {total} values, {example!r} for one, are no {target.label.lower()}"
    return ""
