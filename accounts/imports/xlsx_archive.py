"""Check a workbook before reading it: from the archive's directory, then each part's prolog."""

import posixpath
import zipfile
from pathlib import Path
from typing import IO

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from .limits import (
    MAX_ARCHIVE_ENTRIES,
    MAX_FILE_BYTES,
    MAX_RATIO,
    MAX_SHARED_STRINGS_BYTES,
    MAX_UNPACKED_BYTES,
)
from .problems import FileRefused

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_REL_ID = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_SMALL_PART = 16 * 1024 * 1024


def open_archive(path: Path) -> zipfile.ZipFile:
    """Open the workbook's archive.

    Raises FileRefused for a damaged one.
    """
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError):
        raise FileRefused("The workbook is damaged or cut off; save it again.", code="damaged_archive") from None


def check_workbook(path: Path) -> None:
    """Refuse bombs, encrypted archives, macros and what is no workbook, by the directory alone.

    Raises FileRefused.
    """
    packed = path.stat().st_size
    if packed > MAX_FILE_BYTES:
        raise FileRefused(f"The file is larger than {MAX_FILE_BYTES // 2**20} MiB.", code="too_large")
    with open_archive(path) as archive:
        entries = archive.infolist()
    names = {entry.filename for entry in entries}
    total = sum(entry.file_size for entry in entries)
    if len(entries) > MAX_ARCHIVE_ENTRIES:
        raise FileRefused(
            f"The workbook holds {len(entries):,} parts, more than {MAX_ARCHIVE_ENTRIES:,}.", code="archive_bomb"
        )
    if total > MAX_UNPACKED_BYTES or (total > 2**20 and total > MAX_RATIO * packed):
        raise FileRefused("The workbook unpacks to far more than its size allows.", code="archive_bomb")
    for entry in entries:
        if entry.file_size > 2**20 and entry.file_size > MAX_RATIO * max(entry.compress_size, 1):
            raise FileRefused("A part of the workbook unpacks to far more than its size allows.", code="archive_bomb")
        if entry.flag_bits & 0x1:
            raise FileRefused("The workbook is encrypted; save it without a password.", code="wrong_content")
        if entry.filename.lower().endswith((".zip", ".gz", ".7z", ".rar", ".xlsx", ".docx", ".jar")):
            raise FileRefused("The workbook holds another archive; save only the table.", code="archive_bomb")
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        raise FileRefused("The workbook holds macros (.xlsm); save it as .xlsx.", code="wrong_content")
    if "[Content_Types].xml" not in names or "xl/workbook.xml" not in names:
        raise FileRefused("The file is an archive but no Excel workbook (.xlsx).", code="wrong_content")
    shared = next((e for e in entries if e.filename == "xl/sharedStrings.xml"), None)
    if shared and shared.file_size > MAX_SHARED_STRINGS_BYTES:
        raise FileRefused("The workbook's text is larger than 200 MiB; split it.", code="too_large")


def sheet_names(path: Path) -> list[str]:
    """Return the names of the worksheets, hidden ones included, in their order."""
    return list(sheet_parts(path))


def sheet_parts(path: Path) -> dict[str, str]:
    """Return each worksheet's name with its part in the archive.

    Raises FileRefused for a broken or hostile workbook part.
    """
    with open_archive(path) as archive:
        workbook = _small_xml(archive, "xl/workbook.xml")
        relations = _small_xml(archive, "xl/_rels/workbook.xml.rels")
        names = set(archive.namelist())
    targets = {item.get("Id"): item.get("Target", "") for item in relations}
    found: dict[str, str] = {}
    for sheet in workbook.iter(f"{_MAIN}sheet"):
        target = targets.get(sheet.get(_REL_ID), "")
        part = target.lstrip("/") if target.startswith("/") else posixpath.normpath(f"xl/{target}")
        if part in names and "worksheets/" in part:
            found[sheet.get("name", part)] = part
    if not found:
        raise FileRefused("The workbook has no worksheet.", code="no_rows")
    return found


def date_settings(path: Path) -> tuple[frozenset[int], bool]:
    """Return the cell styles that show dates, and whether the workbook counts days from 1904."""
    with open_archive(path) as archive:
        names = set(archive.namelist())
        workbook = _small_xml(archive, "xl/workbook.xml")
        styles = _small_xml(archive, "xl/styles.xml") if "xl/styles.xml" in names else None
    settings = workbook.find(f"{_MAIN}workbookPr")
    from_1904 = settings is not None and settings.get("date1904") in ("1", "true")
    if styles is None:
        return frozenset(), from_1904
    custom = {int(item.get("numFmtId", "0")): item.get("formatCode", "") for item in styles.iter(f"{_MAIN}numFmt")}
    cell_formats = styles.find(f"{_MAIN}cellXfs")
    dates = set()
    for index, item in enumerate(cell_formats if cell_formats is not None else ()):
        number = int(item.get("numFmtId", "0"))
        if number in range(14, 23) or number in range(45, 48) or _is_date_format(custom.get(number, "")):
            dates.add(index)
    return frozenset(dates), from_1904


def _is_date_format(code: str) -> bool:
    plain, quoted, bracketed, escaped = [], False, False, False
    for char in code.lower():
        if escaped:
            escaped = False
        elif char == "\\":
            escaped = True
        elif char == '"':
            quoted = not quoted
        elif char == "[" and not quoted:
            bracketed = True
        elif char == "]" and bracketed:
            bracketed = False
        elif not quoted and not bracketed:
            plain.append(char)
    text = "".join(plain)
    return "general" not in text and any(char in text for char in "ymdh")


def _small_xml(archive: zipfile.ZipFile, part: str):  # type: ignore[no-untyped-def]
    try:
        with archive.open(part) as stream:
            return parse_small(stream, part)
    except KeyError:
        raise FileRefused(f"The workbook lacks {part}; save it again.", code="damaged_archive") from None


def parse_small(stream: IO[bytes], part: str):  # type: ignore[no-untyped-def]
    """Parse a small part without DTDs, entities or outside references.

    Raises FileRefused.
    """
    data = stream.read(_SMALL_PART + 1)
    if len(data) > _SMALL_PART:
        raise FileRefused(f"The workbook's {part} is too large.", code="archive_bomb")
    try:
        return fromstring(data, forbid_dtd=True)
    except DefusedXmlException:
        raise hostile(part) from None
    except (ParseError, ValueError):
        raise FileRefused(f"The workbook's {part} is damaged; save it again.", code="damaged_archive") from None


def hostile(part: str) -> FileRefused:
    """Return the refusal of a part that declares a document type or an entity."""
    return FileRefused(f"The workbook's {part} declares a document type, which no table needs.", code="hostile_xml")
