"""Tables: one page of rows under their heads, as cells."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..paging import Page
from .cells import Cell
from .definition import Column


@dataclass(frozen=True)
class Row:
    """One row's cells, with its record and the key of it."""

    pk: Any
    cells: list[Cell]
    record: Any = None

    def __iter__(self) -> Iterator[Cell]:
        return iter(self.cells)


@dataclass(frozen=True)
class Table:
    """One page of rows under their heads; `heads` and `rows` are what templates/components/data_table.html draws."""

    page: Page
    unit: str
    heads: list[dict[str, Any]] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    unit_plural: str = ""


def column(label: str, cell: Callable[[Any], Cell], sort: str = "", numeric: bool = False) -> Column:
    """Return a column of a table whose columns nobody chooses."""
    return Column(label.casefold().replace(" ", "_"), label, cell, sort, numeric)


def table(columns: Sequence[Column], page: Page, unit: str, unit_plural: str = "", ordering: str = "") -> Table:
    """Return the page as a table; `ordering` is the sort in force ("-" first: descending) (0 queries of its own)."""
    heads = [_head(found, ordering) for found in columns]
    rows = [Row(getattr(row, "pk", None), [_cell(found, row) for found in columns], row) for row in page.rows]
    return Table(page, unit, heads, rows, unit_plural)


def _head(found: Column, ordering: str) -> dict[str, Any]:
    direction = ""
    if found.sort and ordering.lstrip("-") == found.sort:
        direction = "descending" if ordering.startswith("-") else "ascending"
    # Figures and dates interest from the top down first.
    first = f"-{found.sort}" if found.numeric else found.sort
    turned = found.sort if ordering.startswith("-") else f"-{found.sort}"
    return {
        "label": found.label,
        "sort": found.sort,
        "numeric": found.numeric,
        "direction": direction,
        "next_sort": turned if direction else first,
    }


def _cell(found: Column, row: Any) -> Cell:
    cell = found.cell(row)
    value = cell["value"]
    return {**cell, "label": found.label, "numeric": found.numeric, "empty": value is None or value == ""}
