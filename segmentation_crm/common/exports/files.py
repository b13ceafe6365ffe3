"""From the spool to the file: CSV for anything, XLSX with typed cells."""

import csv
import datetime as dt
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import xlsxwriter

from ..models import Organisation
from .cells import is_exact_number, safe_cell, unpacked, xml_text

MOST_ROWS = 1_048_576
_LOOK_EVERY = 2_000


def remove(path: Path) -> None:
    """Remove a file, or a folder with what lies in it; what is gone already is fine."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


class Stoppable(Protocol):
    """A run that may have to stop."""

    def check_cancelled(self) -> None:
        """Raise where the work must stop."""
        ...


class Spool:
    """Rows as lines of JSON in some files, each valid up to a length."""

    def __init__(self, parts: Sequence[tuple[Path, int]]) -> None:
        self.parts = parts

    def rows(self, run: Stoppable) -> Iterator[list[Any]]:
        """Yield the rows; raises what `run` raises where it must stop."""
        number = 0
        for path, size in self.parts:
            with path.open("rb") as lines:
                while lines.tell() < size:
                    if number % _LOOK_EVERY == 0:
                        run.check_cancelled()
                    number += 1
                    yield [unpacked(value) for value in json.loads(lines.readline())]


Write = Callable[[Spool, Path, Sequence[str], Stoppable], None]


def write_csv(spool: Spool, target: Path, heads: Sequence[str], run: Stoppable) -> None:
    """Write UTF-8 with the mark by which spreadsheets know it; no cell can be a formula."""
    with target.open("w", encoding="utf-8-sig", newline="") as out:
        writer = csv.writer(out)
        writer.writerow([safe_cell(head) for head in heads])
        for row in spool.rows(run):
            writer.writerow([safe_cell(value) for value in row])


def write_xlsx(spool: Spool, target: Path, heads: Sequence[str], run: Stoppable) -> None:
    """Write typed cells row by row; beyond a sheet's 1,048,576 rows another one begins."""
    zone = ZoneInfo(Organisation.current().time_zone)
    # The sheets lie here until they are packed; of a run that was killed the next one clears them away.
    sheets_folder = target.with_name(f"{target.name}.sheets")
    sheets_folder.mkdir(mode=0o700, exist_ok=True)
    options = {
        "constant_memory": True,
        "tmpdir": str(sheets_folder),
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    try:
        with xlsxwriter.Workbook(str(target), options) as book:
            sheets = _Sheets(book, heads, zone)
            for row in spool.rows(run):
                sheets.write(row)
    finally:
        remove(sheets_folder)


class _Sheets:
    """The sheets of one workbook; texts are always written as texts."""

    def __init__(self, book: xlsxwriter.Workbook, heads: Sequence[str], zone: ZoneInfo) -> None:
        self.book, self.heads, self.zone = book, heads, zone
        self.bold = book.add_format({"bold": True})
        self.day = book.add_format({"num_format": "yyyy-mm-dd"})
        self.moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        self._begin()

    def _begin(self) -> None:
        self.sheet = self.book.add_worksheet()
        self.sheet.freeze_panes(1, 0)
        self.sheet.set_column(0, max(len(self.heads) - 1, 0), 18)
        for column, head in enumerate(self.heads):
            self.sheet.write_string(0, column, xml_text(head), self.bold)
        self.row = 1

    def write(self, values: Sequence[Any]) -> None:
        """Append a row."""
        if self.row == MOST_ROWS:
            self._begin()
        for column, value in enumerate(values):
            if value is not None and value != "":
                self._cell(column, value)
        self.row += 1

    def _cell(self, column: int, value: Any) -> None:
        if isinstance(value, bool):
            self.sheet.write_boolean(self.row, column, value)
        elif is_exact_number(value):
            self.sheet.write_number(self.row, column, value)
        elif isinstance(value, dt.date) and value.year >= 1901:
            is_moment = isinstance(value, dt.datetime)
            shown = self._local(value) if isinstance(value, dt.datetime) else value
            self.sheet.write_datetime(self.row, column, shown, self.moment if is_moment else self.day)
        else:
            self.sheet.write_string(self.row, column, xml_text(value))

    def _local(self, value: dt.datetime) -> dt.datetime:
        """Return the wall clock of the organisation: a spreadsheet's moments have no zone."""
        return value.astimezone(self.zone).replace(tzinfo=None) if value.tzinfo else value


WRITERS: dict[str, Write] = {"csv": write_csv, "xlsx": write_xlsx}
