"""Rejected rows as CSV, with their reasons, to be fixed and imported again."""

import csv
from collections.abc import Iterator
from typing import Any, TextIO

from ..models import Import

REASON_COLUMNS = ("import_error_line", "import_error_column", "import_error_reason")
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n")


def safe_cell(text: str) -> str:
    """Return the cell so that no spreadsheet runs it: formulas get an apostrophe, plain numbers stay."""
    stripped = text.lstrip()
    if stripped.startswith(_DANGEROUS) or text.startswith(_DANGEROUS):
        try:
            float(stripped)
        except ValueError:
            return f"'{text}"
    return text


def plain_cell(text: str) -> str:
    """Return the cell without the apostrophe that `safe_cell` put before a formula."""
    if text.startswith("'") and text[1:].lstrip().startswith(_DANGEROUS[:4]):
        return text[1:]
    return text


def error_rows(record: Import) -> Iterator[list[str]]:
    """Yield the heading and one line for each rejected row (keyset reads of 2,000 rows)."""
    yield [safe_cell(heading) for heading in record.headings] + list(REASON_COLUMNS)
    width = len(record.headings)
    for row in record.rows.filter(is_rejected=True).order_by("number").iterator(chunk_size=2_000):
        # A ragged row keeps its cells; what stands beyond the last heading is named in the reason.
        cells = [*row.cells, *[""] * width][:width]
        reasons = [f"{f['column']}: {f['message']}".lstrip(": ") for f in row.findings]
        columns = [f["column"] for f in row.findings if f["column"]]
        if len(row.cells) > width:
            reasons.append(f"Cells beyond the last heading: {' | '.join(row.cells[width:])}")
        yield [
            *(safe_cell(cell) for cell in cells),
            str(row.line),
            safe_cell(", ".join(dict.fromkeys(columns))),
            safe_cell(" ".join(reasons)),
        ]


def write_error_file(record: Import, out: TextIO) -> None:
    """Write the rejected rows as CSV."""
    writer: Any = csv.writer(out)
    for row in error_rows(record):
        writer.writerow(row)
