"""All members as a stream of rows, read by key in pages: memory stays the same however many there are."""

import csv
from collections.abc import Iterator
from typing import Any

from segmentation_crm.common.access import AnyUser
from segmentation_crm.common.exports import safe_cell

from ..models import Segment
from ..queries import memberships_visible_to

PAGE = 1000
HEAD = ("id", "name", "entered_at", "manual")


class _Echo:
    def write(self, line: str) -> str:
        return line


def member_rows(segment: Segment, user: AnyUser) -> Iterator[dict[str, Any]]:
    """Yield the members that the user may see, as the API lists them (1 query for each 1,000)."""
    last = 0
    while rows := list(memberships_visible_to(segment, user).filter(pk__gt=last).order_by("pk")[:PAGE]):
        for row in rows:
            yield {
                "id": row.record_id,
                "name": str(row.account or row.contact),
                "entered_at": row.entered_at.isoformat(),
                "manual": row.manual,
            }
        last = rows[-1].pk


def csv_lines(rows: Iterator[dict[str, Any]]) -> Iterator[str]:
    """Return the rows as lines of CSV with a head; no cell is a formula to a spreadsheet."""
    writer = csv.writer(_Echo())
    yield writer.writerow(HEAD)
    for row in rows:
        yield writer.writerow([safe_cell(row[name]) for name in HEAD])
