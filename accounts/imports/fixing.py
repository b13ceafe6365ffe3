"""Rejected rows put right on the page: those that were changed are imported again, with the same mapping."""

import csv
import io
from dataclasses import dataclass, replace

from django.core.files.uploadedfile import SimpleUploadedFile

from segmentation_crm.common.models import User

from ..models import Import, ImportRow
from .options import ImportOptions
from .uploads import start_upload, store_upload

SHOWN = 50
LONGEST_CELL = 32_767


@dataclass(frozen=True)
class Cell:
    """One cell of a rejected row: its column, its text and what is wrong with it."""

    column: str
    name: str
    text: str
    problem: str = ""


@dataclass(frozen=True)
class RejectedRow:
    """A rejected row as a form shows it; `problem` is what is wrong with the whole row."""

    number: int
    line: int
    cells: list[Cell]
    problem: str = ""


def rejected_rows(record: Import, typed: dict[str, str] | None = None) -> list[RejectedRow]:
    """Return the first 50 rejected rows, with what was typed into them already (1 query)."""
    rows = record.rows.filter(is_rejected=True).order_by("number")[:SHOWN]
    return [_shown(record, row, typed or {}) for row in rows]


def _shown(record: Import, row: ImportRow, typed: dict[str, str]) -> RejectedRow:
    problems: dict[str, list[str]] = {}
    for finding in row.findings:
        problems.setdefault(finding["column"], []).append(finding["message"])
    width = len(record.headings)
    texts = [*row.cells, *[""] * width][:width]
    cells = []
    for position, (column, text) in enumerate(zip(record.headings, texts, strict=True)):
        name = f"{row.number}.{position}"
        cells.append(Cell(column, name, typed.get(name, text), " ".join(problems.pop(column, []))))
    rest = " ".join(message for messages in problems.values() for message in messages)
    return RejectedRow(row.number, row.line, cells, rest)


def changed_rows(record: Import, typed: dict[str, str]) -> list[list[str]]:
    """Return the cells of the rows in which something was changed (1 query)."""
    before = rejected_rows(record)
    after = rejected_rows(record, typed)
    return [
        [cell.text[:LONGEST_CELL] for cell in new.cells]
        for old, new in zip(before, after, strict=True)
        if [cell.text for cell in old.cells] != [cell.text for cell in new.cells]
    ]


def import_again(record: Import, rows: list[list[str]], user: User) -> Import:
    """Start an import of these rows as the first one was mapped; it has a result page of its own.

    Raises NoRoom where the disk is nearly full.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(record.headings)
    writer.writerows(rows)
    first = ImportOptions.from_json(record.options)
    # The columns go where they went; the file is ours now, so its form is known.
    options = replace(first, map=dict(record.mapping), guess=False, encoding="utf-8", delimiter=",", sheet="")
    file = SimpleUploadedFile(f"fixed rows of {record.file_name}"[:200], out.getvalue().encode())
    again = store_upload(file, options, user)
    start_upload(again, user)
    return again
