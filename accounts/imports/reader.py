"""Open an uploaded file as a table: what it is, its encoding, delimiter, headings and rows."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .csv_records import read_records
from .delimiters import NAMES, detect_delimiter, parse_delimiter
from .encodings import Encoding, check_encoding, chunks, detect_encoding, open_text
from .limits import MAX_CELL_CHARS, MAX_COLUMNS, MAX_ROWS
from .problems import FileRefused
from .rows import Row
from .xlsx_archive import check_workbook, sheet_names
from .xlsx_rows import read_sheet

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_SAMPLE_CHARS = 256 * 1024
_NO_DELIMITER = "\x1f"


@dataclass(frozen=True)
class Table:
    """A readable table of a file; iterate `records()` for all records or `rows()` for those below the headings."""

    path: Path
    kind: str
    encoding: str
    delimiter: str = ""
    bom: bool = False
    sheet: str = ""
    sheets: tuple[str, ...] = ()
    codec: Encoding | None = None

    @property
    def delimiter_name(self) -> str:
        """Return "comma", "semicolon", "tab", "pipe", "none", or the character itself; "" for a workbook."""
        return NAMES.get(self.delimiter, self.delimiter) if self.kind == "csv" else ""

    def records(self) -> Iterator[Row]:
        """Yield every record that is not empty, the headings first.

        Raises FileRefused beyond the limits of rows and columns.
        """
        if self.kind == "xlsx":
            yield from read_sheet(self.path, self.sheet)
            return
        assert self.codec is not None
        with open_text(self.path, self.codec) as stream:
            for number, record in enumerate(read_records(stream, self.delimiter or _NO_DELIMITER)):
                code = "unreadable_row" if record.problem else ""
                yield Row(number, record.line, record.cells, record.problem, code)

    def headings(self) -> list[str]:
        """Return the headings as they stand, outer blanks trimmed.

        Raises FileRefused where there are none, or too many.
        """
        for row in self.records():
            if row.problem:
                raise FileRefused(f"Line {row.line}: {row.problem}.", code=row.code, line=row.line)
            if any(cell.strip() for cell in row.cells):
                if len(row.cells) > MAX_COLUMNS:
                    raise FileRefused(f"The file has more than {MAX_COLUMNS} columns.", code="too_many_columns")
                return [cell.strip() for cell in row.cells]
        raise FileRefused("The file has no rows.", code="no_rows")

    def rows(self) -> Iterator[Row]:
        """Yield the rows below the headings, blank ones left out; ragged rows carry a problem.

        Raises FileRefused beyond the limit of rows.
        """
        width, number = 0, 0
        for row in self.records():
            if not row.problem and not any(cell.strip() for cell in row.cells) and not row.cell_problems:
                continue
            if not width:
                width = len(row.cells)
                continue
            number += 1
            if number > MAX_ROWS:
                raise FileRefused(f"The file has more than {MAX_ROWS:,} rows; split it.", code="too_many_rows")
            row.number = number
            _check(row, width, self.kind)
            yield row


def _check(row: Row, width: int, kind: str) -> None:
    if row.problem:
        return
    if kind == "xlsx" and len(row.cells) < width:
        row.cells.extend([""] * (width - len(row.cells)))
    while kind == "xlsx" and len(row.cells) > width and not row.cells[-1].strip():
        row.cells.pop()
    if len(row.cells) != width:
        row.problem = f"the row has {len(row.cells)} cells, the heading has {width}"
        row.code = "ragged_row"
        return
    for index, cell in enumerate(row.cells):
        if len(cell) > MAX_CELL_CHARS:
            row.cell_problems[index] = f"longer than {MAX_CELL_CHARS:,} characters"
        elif not cell.isprintable() and _FORBIDDEN.search(cell):
            row.cell_problems[index] = "holds control characters"


def open_table(path: Path, name: str = "", *, encoding: str = "", delimiter: str = "", sheet: str = "") -> Table:
    """Find out what the file is and how to read it (one pass over a text file).

    `name` is the name it was uploaded under; its ending has to agree with the content. Raises FileRefused with words
    on what the file is and what would be right.
    """
    name = name or path.name
    kind = sniff_kind(path, name)
    if kind == "xlsx":
        check_workbook(path)
        sheets = sheet_names(path)
        chosen = _choose_sheet(sheets, sheet)
        return Table(path, "xlsx", "xlsx", sheet=chosen, sheets=tuple(sheets))
    codec = check_encoding(path, encoding) if encoding else detect_encoding(path)
    with open_text(path, codec) as stream:
        sample = stream.read(_SAMPLE_CHARS)
        if len(sample) == _SAMPLE_CHARS:
            sample = sample[: max(sample.rfind("\n"), sample.rfind("\r")) + 1] or sample
    if not sample.strip():
        raise FileRefused("The file has no rows.", code="no_rows")
    if re.match(r"\s*<(!doctype|html|table|\?xml|head|body)\b", sample, re.IGNORECASE):
        raise FileRefused("The file holds a web page or XML, not a table; export it as CSV.", code="wrong_content")
    found = parse_delimiter(delimiter) if delimiter else detect_delimiter(sample)
    shown = codec.name
    if shown == "latin-1" and found == ";" and "\r\n" in sample:
        # Without bytes 80-9F the two are the same; Excel on Windows writes this one.
        shown = "cp1252"
    return Table(path, "csv", shown, found, bool(codec.bom_bytes), codec=codec)


def sniff_kind(path: Path, name: str) -> str:
    """Return "csv" or "xlsx" by content; the name's ending has to agree.

    Raises FileRefused for .xls, .xlsm, encrypted workbooks, other archives and binary files.
    """
    head = next(iter(chunks(path)), b"")[:4096]
    ending = name.lower().rsplit(".", 1)[-1] if "." in name else ""
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        raise FileRefused(
            "The file is an old Excel workbook (.xls) or an encrypted one. Save it as .xlsx without a password.",
            code="wrong_content",
        )
    if head.startswith(b"PK"):
        return "xlsx"
    if head.startswith((b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"\x7fELF")):
        raise FileRefused("The file is not a table but another kind of document.", code="wrong_content")
    if ending in ("xlsx", "xlsm", "xls"):
        what = "a web page" if head.lstrip().lower().startswith((b"<html", b"<!doctype", b"<table")) else "plain text"
        raise FileRefused(
            f"The file is named .{ending} but holds {what}. Save it as .xlsx in Excel, or rename it to .csv.",
            code="wrong_content",
        )
    return "csv"


def _choose_sheet(sheets: list[str], wanted: str) -> str:
    if wanted:
        if wanted not in sheets:
            raise FileRefused(
                f"There is no sheet {wanted!r}; the workbook has {', '.join(sheets)}.", code="unknown_sheet"
            )
        return wanted
    if len(sheets) > 1:
        raise FileRefused(
            f"The workbook has several sheets: {', '.join(sheets)}. Say which one to import.",
            code="several_sheets",
        )
    return sheets[0]
