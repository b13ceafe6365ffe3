"""Tables of related records: like those of lists, with columns that nobody chooses."""

from collections.abc import Callable
from typing import Any

from segmentation_crm.common import lists
from segmentation_crm.common.lists import Cell, Table, amount, badge, figure, link, table, text, when


class Column(lists.Column):
    """A column of a related table: label, what it shows of a row, and perhaps how it sorts."""

    def __init__(self, label: str, cell: Callable[[Any], Cell], sort: str = "", numeric: bool = False) -> None:
        super().__init__(label.casefold().replace(" ", "_"), label, cell, sort, numeric)


__all__ = ["Cell", "Column", "Table", "amount", "badge", "figure", "link", "table", "text", "when"]
