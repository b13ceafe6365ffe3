"""Read a worksheet as a stream: flat memory whatever range it claims, cached values, errors kept apart."""

import re
import zipfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from xml.parsers import expat  # every declaration is refused by the handlers below

from .limits import EMPTY_ROWS_UNTIL_END, MAX_COLUMNS
from .problems import FileRefused
from .rows import Row
from .xlsx_archive import date_settings, hostile, open_archive, sheet_parts

_BLOCK = 64 * 1024
_REFERENCE = re.compile(r"([A-Z]{1,3})(\d{1,7})$")
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")


class _Hostile(Exception):
    pass


class _Parser:
    """An expat parser that refuses document types, entities and outside references."""

    def __init__(self) -> None:
        self.expat = expat.ParserCreate(namespace_separator="}")
        self.expat.buffer_text = True
        self.expat.StartDoctypeDeclHandler = self._refuse
        self.expat.EntityDeclHandler = self._refuse
        self.expat.ExternalEntityRefHandler = self._refuse
        self.expat.UnparsedEntityDeclHandler = self._refuse
        self.expat.StartElementHandler = self._start
        self.expat.EndElementHandler = self._end
        self.expat.CharacterDataHandler = self._text
        self.text: list[str] = []
        self.collecting = False

    def _refuse(self, *args: object) -> int:
        raise _Hostile

    def _text(self, data: str) -> None:
        if self.collecting:
            self.text.append(data)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self.start(name.rpartition("}")[2], attributes)

    def _end(self, name: str) -> None:
        self.end(name.rpartition("}")[2])

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Handle an opening tag."""

    def end(self, tag: str) -> None:
        """Handle a closing tag."""

    def take(self) -> str:
        """Return the text collected since the last call."""
        found = "".join(self.text)
        self.text.clear()
        return found


class _SharedStrings(_Parser):
    def __init__(self) -> None:
        super().__init__()
        self.strings: list[str] = []
        self._phonetic = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "rPh":
            self._phonetic = True
        self.collecting = tag == "t" and not self._phonetic

    def end(self, tag: str) -> None:
        self.collecting = False
        if tag == "rPh":
            self._phonetic = False
        elif tag == "si":
            self.strings.append(_unescape(self.take()))


class _Sheet(_Parser):
    """Collects rows; `take_rows()` hands over the finished ones."""

    def __init__(self, strings: list[str], dates: frozenset[int], from_1904: bool) -> None:
        super().__init__()
        self.strings, self.dates = strings, dates
        self.epoch = datetime(1904, 1, 1) if from_1904 else datetime(1899, 12, 30)
        self.rows: list[Row] = []
        self.row: Row | None = None
        self.number = 0
        self.column = -1
        self.type = self.style = ""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "row":
            claimed = attributes.get("r", "")
            self.number = int(claimed) if claimed.isdigit() else self.number + 1
            self.row = Row(0, self.number)
            self.column = -1
        elif tag == "c" and self.row is not None:
            place = _REFERENCE.match(attributes.get("r", ""))
            self.column = _column_index(place.group(1)) if place else self.column + 1
            if self.column >= MAX_COLUMNS:
                raise FileRefused(f"The sheet has more than {MAX_COLUMNS} columns.", code="too_many_columns")
            self.type, self.style = attributes.get("t", "n"), attributes.get("s", "")
            self.text.clear()
        elif tag == "v" or (tag == "t" and self.type == "inlineStr"):
            self.collecting = True

    def end(self, tag: str) -> None:
        self.collecting = False
        if tag == "c" and self.row is not None:
            text = self.take()
            if text or self.type == "inlineStr":
                self._put(text)
        elif tag == "row" and self.row is not None:
            self.rows.append(self.row)
            self.row = None

    def _put(self, raw: str) -> None:
        assert self.row is not None
        cells = self.row.cells
        cells.extend([""] * (self.column + 1 - len(cells)))
        if self.type == "e":
            self.row.cell_problems[self.column] = f"holds the spreadsheet error {raw}"
        elif self.type == "s":
            index = int(raw) if raw.isdigit() else -1
            if not 0 <= index < len(self.strings):
                raise FileRefused("The workbook's texts are damaged; save it again.", code="damaged_archive")
            raw = self.strings[index]
        elif self.type == "b":
            raw = "true" if raw == "1" else "false"
        elif self.type in ("str", "inlineStr"):
            raw = _unescape(raw)
        elif self.type == "n":
            raw = self._number(raw)
        cells[self.column] = raw

    def _number(self, raw: str) -> str:
        if self.style.isdigit() and int(self.style) in self.dates:
            try:
                days = float(raw)
                moment = self.epoch + timedelta(seconds=round(days * 86400))
            except (ValueError, OverflowError):
                return raw
            if days < 1:
                return moment.strftime("%H:%M:%S")
            return moment.date().isoformat() if moment.time() == datetime.min.time() else moment.isoformat(" ")
        try:
            value = float(raw)
        except ValueError:
            return raw
        if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        return repr(value) if len(raw) > 15 else raw

    def take_rows(self) -> list[Row]:
        """Return the rows finished since the last call."""
        found, self.rows = self.rows, []
        return found


def read_sheet(path: Path, sheet: str) -> Iterator[Row]:
    """Yield the sheet's records with cached values; an error cell is a problem of its row.

    The range that the sheet claims is ignored; reading stops after 1,000 empty rows. Raises FileRefused for hostile
    or damaged parts and more than 500 columns.
    """
    part = sheet_parts(path)[sheet]
    dates, from_1904 = date_settings(path)
    with open_archive(path) as archive:
        strings = _shared_strings(archive)
        parser = _Sheet(strings, dates, from_1904)
        empty = number = last_line = 0
        for _ in _feed(archive, part, parser):
            for row in parser.take_rows():
                empty += max(0, row.line - last_line - 1)
                last_line = row.line
                if any(cell.strip() for cell in row.cells) or row.cell_problems:
                    empty = 0 if empty < EMPTY_ROWS_UNTIL_END else empty
                else:
                    empty += 1
                if empty >= EMPTY_ROWS_UNTIL_END:
                    return
                if row.cells:
                    row.number = number
                    number += 1
                    yield row


def _shared_strings(archive: zipfile.ZipFile) -> list[str]:
    if "xl/sharedStrings.xml" not in archive.namelist():
        return []
    parser = _SharedStrings()
    for _ in _feed(archive, "xl/sharedStrings.xml", parser):
        pass
    return parser.strings


def _feed(archive: zipfile.ZipFile, part: str, parser: _Parser) -> Iterator[None]:
    try:
        with archive.open(part) as stream:
            while block := stream.read(_BLOCK):
                parser.expat.Parse(block, False)
                yield
            parser.expat.Parse(b"", True)
            yield
    except _Hostile:
        raise hostile(part) from None
    except (expat.ExpatError, zipfile.BadZipFile, EOFError, ValueError):
        raise FileRefused(f"The workbook's {part} is damaged; save it again.", code="damaged_archive") from None


def _column_index(letters: str) -> int:
    index = 0
    for letter in letters:
        index = index * 26 + ord(letter) - 64
    return index - 1


def _unescape(text: str) -> str:
    return _ESCAPED.sub(lambda m: chr(int(m.group(1), 16)), text) if "_x" in text else text
