"""Workbooks: values as shown, and what is refused."""

import time
import zipfile
from datetime import date, datetime
from pathlib import Path

import pytest
import xlsxwriter

from accounts.imports.problems import FileRefused
from accounts.imports.reader import open_table

_TYPES = '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"></Types>'
_WORKBOOK = (
    '<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
    '<sheets><sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>'
)
_RELATIONS = (
    '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="rId1" Type="x" Target="worksheets/sheet1.xml"/></Relationships>'
)


def workbook(path: Path, sheet: str, **parts: str) -> Path:
    """Write a workbook with this sheet part, other parts by name."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", _TYPES)
        archive.writestr("xl/workbook.xml", parts.get("workbook", _WORKBOOK))
        archive.writestr("xl/_rels/workbook.xml.rels", _RELATIONS)
        archive.writestr("xl/worksheets/sheet1.xml", sheet)
        for name, text in parts.items():
            if "/" in name:
                archive.writestr(name, text)
    return path


def sheet_of(rows: str, dimension: str = "A1") -> str:
    """Return a sheet part with these rows."""
    return (
        '<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        f'<dimension ref="{dimension}"/><sheetData>{rows}</sheetData></worksheet>'
    )


def cell(ref: str, text: str) -> str:
    """Return an inline text cell."""
    return f'<c r="{ref}" t="inlineStr"><is><t>{text}</t></is></c>'


def test_values_are_read_as_shown(tmp_path: Path):
    path = tmp_path / "a.xlsx"
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet("Data")
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    money = book.add_format({"num_format": '#,##0.00 "USD"'})
    sheet.write_row(0, 0, ["name", "number", "id", "day", "flag", "sum", "moment"])
    sheet.write_row(1, 0, ["Ä <&>", 12.5])
    sheet.write_number(1, 2, 66740.0)
    sheet.write_datetime(1, 3, datetime(2026, 3, 31), day)
    sheet.write_boolean(1, 4, True)
    sheet.write_formula(1, 5, "=1+1", money, 2)
    sheet.write_datetime(1, 6, datetime(2026, 3, 31, 12, 30), book.add_format({"num_format": "d/m/yy h:mm"}))
    sheet.write_string(2, 0, "0042")
    book.close()
    table = open_table(path)
    assert table.encoding == "xlsx"
    rows = list(table.rows())
    assert rows[0].cells == ["Ä <&>", "12.5", "66740", "2026-03-31", "true", "2", "2026-03-31 12:30:00"]
    assert rows[1].cells[0] == "0042"
    assert len(rows[1].cells) == 7
    assert date.fromisoformat(rows[0].cells[3]) == date(2026, 3, 31)


def test_r14_error_cells_are_row_errors_and_the_sheet_is_chosen(tmp_path: Path):
    path = tmp_path / "a.xlsx"
    book = xlsxwriter.Workbook(path)
    first, second = book.add_worksheet("One"), book.add_worksheet("Hidden")
    second.hide()
    for sheet in (first, second):
        sheet.write_row(0, 0, ["a", "b"])
    first.write_formula(1, 1, "=1/0", None, "#DIV/0!")
    book.close()
    with pytest.raises(FileRefused, match="One, Hidden"):
        open_table(path)
    rows = list(open_table(path, sheet="One").rows())
    assert "#DIV/0!" in rows[0].cell_problems[1]
    with pytest.raises(FileRefused, match="no sheet"):
        open_table(path, sheet="Two")


def test_r11_bombs_are_refused_from_the_directory(tmp_path: Path):
    path = workbook(tmp_path / "a.xlsx", sheet_of("") + " " * 60_000_000)
    began = time.monotonic()
    with pytest.raises(FileRefused, match="far more"):
        open_table(path)
    assert time.monotonic() - began < 1
    many = {f"xl/media/{n}.txt": "x" for n in range(2_100)}
    with pytest.raises(FileRefused, match="parts"):
        open_table(workbook(tmp_path / "b.xlsx", sheet_of(""), **many))
    with pytest.raises(FileRefused, match="another archive"):
        open_table(workbook(tmp_path / "c.xlsx", sheet_of(""), **{"xl/inner.zip": "x"}))


def test_r12_a_claimed_range_is_ignored(tmp_path: Path):
    rows = f'<row r="1">{cell("A1", "name")}</row><row r="2">{cell("A2", "x")}</row>'
    rows += f'<row r="1048576">{cell("A1048576", "far")}</row>'
    table = open_table(workbook(tmp_path / "a.xlsx", sheet_of(rows, "A1:XFD1048576")))
    assert [row.cells for row in table.rows()] == [["x"]]
    wide = f'<row r="1">{cell("XFD1", "name")}</row>'
    with pytest.raises(FileRefused, match="500 columns"):
        list(open_table(workbook(tmp_path / "b.xlsx", sheet_of(wide))).records())


@pytest.mark.parametrize("part", ["workbook", "sheet", "xl/sharedStrings.xml", "xl/styles.xml"])
def test_r13_declared_document_types_are_refused(tmp_path: Path, part: str):
    hostile = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>'
    sheet = sheet_of(f'<row r="1">{cell("A1", "name")}</row>')
    parts = {}
    if part == "sheet":
        sheet = hostile + sheet.split("?>", 1)[1]
    elif part == "workbook":
        parts["workbook"] = hostile + _WORKBOOK.split("?>", 1)[1]
    else:
        parts[part] = hostile + '<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">&b;</sst>'
    with pytest.raises(FileRefused, match="document type"):
        list(open_table(workbook(tmp_path / "a.xlsx", sheet, **parts)).records())


def test_r15_macros_encryption_and_other_archives_are_refused(tmp_path: Path):
    with pytest.raises(FileRefused, match="macros"):
        open_table(workbook(tmp_path / "a.xlsx", sheet_of(""), **{"xl/vbaProject.bin": "x"}))
    other = tmp_path / "b.xlsx"
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("readme.txt", "x")
    with pytest.raises(FileRefused, match="no Excel workbook"):
        open_table(other)
    cut = tmp_path / "c.xlsx"
    cut.write_bytes(workbook(tmp_path / "d.xlsx", sheet_of("")).read_bytes()[:200])
    with pytest.raises(FileRefused, match="damaged"):
        open_table(cut)
