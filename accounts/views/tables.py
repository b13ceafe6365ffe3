"""Tables of records: what a column shows of a row, how it sorts, and one page of rows as cells."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from segmentation_crm.common.paging import Page

Cell = dict[str, Any]


def text(value: Any, sub: str = "") -> Cell:
    """Return a cell of words."""
    return {"kind": "text", "value": value if value is not None else "", "sub": sub}


def link(value: Any, url: str, sub: str = "", avatar: str = "") -> Cell:
    """Return a cell that leads to a record; avatar "person" or "company" draws initials before it."""
    return {"kind": "link", "value": value, "url": url, "sub": sub, "avatar": avatar}


def figure(value: Any, kind: str = "number") -> Cell:
    """Return a cell of a figure: kind number, percent or fraction."""
    return {"kind": kind, "value": value}


def amount(value: Any, currency: str) -> Cell:
    """Return a cell of an amount in its own currency."""
    return {"kind": "money", "value": value, "currency": currency}


def when(value: Any) -> Cell:
    """Return a cell of a date or moment, relative with the exact one on hover."""
    return {"kind": "date", "value": value}


def badge(value: Any, tone: str = "") -> Cell:
    """Return a cell with a word on a coloured ground."""
    return {"kind": "badge", "value": value, "tone": tone}


@dataclass(frozen=True)
class Column:
    """A column: label, what it shows of a row, and the parameter of the FilterSet's ordering (none: unsortable)."""

    label: str
    cell: Callable[[Any], Cell]
    sort: str = ""
    numeric: bool = False


@dataclass(frozen=True)
class Table:
    """One page of rows under their heads; `heads` and `rows` are what templates/components/data_table.html draws."""

    page: Page
    unit: str
    heads: list[dict[str, Any]] = field(default_factory=list)
    rows: list[list[Cell]] = field(default_factory=list)
    unit_plural: str = ""


def table(columns: Sequence[Column], page: Page, unit: str, unit_plural: str = "", ordering: str = "") -> Table:
    """Return the page as a table; `ordering` is the sort in force ("-" first: descending) (0 queries)."""
    heads = [_head(column, ordering) for column in columns]
    rows = [[_cell(column, row) for column in columns] for row in page.rows]
    return Table(page, unit, heads, rows, unit_plural)


def _head(column: Column, ordering: str) -> dict[str, Any]:
    direction = ""
    if column.sort and ordering.lstrip("-") == column.sort:
        direction = "descending" if ordering.startswith("-") else "ascending"
    # Figures and dates interest from the top down first.
    first = f"-{column.sort}" if column.numeric else column.sort
    turned = column.sort if ordering.startswith("-") else f"-{column.sort}"
    return {
        "label": column.label,
        "sort": column.sort,
        "numeric": column.numeric,
        "direction": direction,
        "next_sort": turned if direction else first,
    }


def _cell(column: Column, row: Any) -> Cell:
    cell = column.cell(row)
    value = cell["value"]
    return {**cell, "label": column.label, "numeric": column.numeric, "empty": value is None or value == ""}
