"""Reading files: encodings, delimiters, quotes, ragged rows; every file of the messy set."""

import csv
import gzip
import json
import random
from collections import Counter
from pathlib import Path

import pytest

from accounts.imports.csv_records import read_records
from accounts.imports.delimiters import detect_delimiter
from accounts.imports.mapping import check_headings
from accounts.imports.problems import FileRefused
from accounts.imports.reader import open_table
from tests.support.shared_data import shared_data


def write(path: Path, data: bytes | str) -> Path:
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


@pytest.mark.shared_data
def test_every_messy_file_is_read_as_expected():
    """All 27: encoding, delimiter, byte-order mark, records, widths, first, second and last record."""
    folder = shared_data("messy-csv", required=True)
    cases = json.loads((folder / "expected.json").read_text("utf-8"))["cases"]
    assert len(cases) == 27
    wrong = {}
    for case in cases:
        table = open_table(folder / case["id"])
        records = list(table.records())
        got = {
            "encoding": table.encoding,
            "delimiter": table.delimiter_name,
            "bom": table.bom,
            "records_including_heading": len(records),
            "record_widths": dict(Counter(str(len(r.cells)) for r in records)),
            "first_record": records[0].cells[:12],
            "second_record": records[1].cells[:12] if len(records) > 1 else None,
            "last_record": records[-1].cells[:12],
        }
        different = {k: (v, got[k]) for k, v in case["expected"].items() if k in got and got[k] != v}
        if different or any(r.problem for r in records):
            wrong[case["id"]] = different
    assert wrong == {}


@pytest.mark.parametrize("data", [b"", b"\xef\xbb\xbf", b"\n\n\n", b"   \n  \n"])
def test_r1_an_empty_file_is_refused(tmp_path: Path, data: bytes):
    with pytest.raises(FileRefused, match="no rows"):
        open_table(write(tmp_path / "a.csv", data)).headings()


@pytest.mark.parametrize(
    ("codec", "bom", "name"),
    [
        ("utf-8-sig", b"", "utf-8"),
        ("utf-16-le", b"\xff\xfe", "utf-16-le"),
        ("utf-16-be", b"\xfe\xff", "utf-16-be"),
        ("utf-16-le", b"", "utf-16-le"),
        ("cp1252", b"", "cp1252"),
    ],
)
def test_r2_encodings_are_found(tmp_path: Path, codec: str, bom: bytes, name: str):
    text = "name,city\nMüller €,Köln\n"
    table = open_table(write(tmp_path / "a.csv", bom + text.encode(codec)))
    assert table.encoding == name
    assert next(table.rows()).cells == ["Müller €", "Köln"]


def test_r2_mixed_encodings_are_refused_with_line_and_byte(tmp_path: Path):
    data = "name\nMüller\nKöln\n".encode() + "Größe\n".encode("latin-1")
    with pytest.raises(FileRefused, match=r"mixes UTF-8.*line 4, byte 21"):
        open_table(write(tmp_path / "a.csv", data))


def test_r2_bytes_of_no_encoding_are_refused(tmp_path: Path):
    with pytest.raises(FileRefused, match=r"Line 2, byte 6 \(0x81\)"):
        open_table(write(tmp_path / "a.csv", b"name\na\x81b\n"))


def test_r3_one_column_of_addresses_has_no_delimiter(tmp_path: Path):
    """csv.Sniffer takes a letter here."""
    table = open_table(write(tmp_path / "a.csv", "email\nel@example.com\nle@example.com\n"))
    assert table.delimiter_name == "none"
    assert [row.cells for row in table.rows()] == [["el@example.com"], ["le@example.com"]]


def test_r3_semicolons_win_over_decimal_commas(tmp_path: Path):
    table = open_table(write(tmp_path / "a.csv", "name;price\na;1,5\nb;2,5\n"))
    assert table.delimiter_name == "semicolon"


def test_r3_an_ambiguous_delimiter_is_asked():
    with pytest.raises(FileRefused, match="comma or semicolon"):
        detect_delimiter("a,b;c\n1,2;3\n4,5;6\n")


def test_r4_an_unclosed_quote_swallows_nothing(tmp_path: Path):
    """Row 2 of 20,000 opens a quote: it is an error with its line, all others are read."""
    lines = ["id,name", "1,a", '2,"never closed', *(f"{n},x{n}" for n in range(3, 20_001))]
    rows = list(open_table(write(tmp_path / "a.csv", "\n".join(lines))).rows())
    assert len(rows) == 20_000
    bad = [row for row in rows if row.problem]
    assert [row.line for row in bad] == [3]
    assert "quote" in bad[0].problem


def test_r4_each_open_quote_costs_its_own_row_only(tmp_path: Path):
    """Six rows of 200 open a quote, wherever: six errors, all other rows read once."""
    dice = random.Random(4)
    for _ in range(20):
        damaged = dice.sample(range(200), 6)
        lines = [f'{n},"v{n}' if n in damaged else f"{n},v{n}" for n in range(200)]
        path = write(tmp_path / "a.csv", "id,name\n" + "\n".join(lines))
        rows = list(open_table(path, delimiter="comma").rows())
        assert [row.line - 2 for row in rows if row.problem] == sorted(damaged)
        assert [row.cells for row in rows if not row.problem] == [
            [str(n), f"v{n}"] for n in range(200) if n not in damaged
        ]


def test_r5_long_cells_lines_and_many_columns(tmp_path: Path):
    rows = list(open_table(write(tmp_path / "a.csv", f"a,b\n1,{'x' * 40_000}\n2,y\n")).rows())
    assert rows[0].cell_problems
    assert not rows[1].cell_problems
    rows = list(open_table(write(tmp_path / "b.csv", f"a,b\n1,{'x' * 1_100_000}\n2,y\n")).rows())
    assert "longer than" in rows[0].problem
    assert rows[1].cells == ["2", "y"]
    with pytest.raises(FileRefused, match="500 columns"):
        open_table(write(tmp_path / "c.csv", ",".join(f"c{n}" for n in range(501)) + "\n1\n")).headings()


def test_r6_control_characters_are_row_errors(tmp_path: Path):
    rows = list(open_table(write(tmp_path / "a.csv", "a,b\n1,x\x00y\n2,x\x1by\n3,fine\n")).rows())
    assert [bool(row.cell_problems) for row in rows] == [True, True, False]


def test_r7_ragged_rows_never_shift(tmp_path: Path):
    rows = list(open_table(write(tmp_path / "a.csv", "a,b,c\n1,2\n1,2,3,4\n1,2,3\n")).rows())
    assert [row.code for row in rows] == ["ragged_row", "ragged_row", ""]


@pytest.mark.parametrize("headings", [["a", "a"], ["a", ""], ["a b", "a  b"]])
def test_r8_bad_headings_are_refused(headings: list[str]):
    with pytest.raises(FileRefused, match="headings"):
        check_headings(headings)


def test_r15_content_and_name_have_to_agree(tmp_path: Path):
    with pytest.raises(FileRefused, match=r"named .xlsx but holds plain text"):
        open_table(write(tmp_path / "a.xlsx", "a,b\n1,2\n"))
    with pytest.raises(FileRefused, match="web page"):
        open_table(write(tmp_path / "b.csv", "<html><table><tr><td>1</td></tr></table></html>"))
    with pytest.raises(FileRefused, match=r"old Excel workbook"):
        open_table(write(tmp_path / "c.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600))


def test_gzip_is_unpacked_by_content(tmp_path: Path):
    path = tmp_path / "upload"
    path.write_bytes(gzip.compress("name\nä\nö\n".encode()))
    assert [row.cells for row in open_table(path, "x.csv.gz").rows()] == [["ä"], ["ö"]]
    path.write_bytes(gzip.compress(b"name\n" + b"a\n" * 5000)[:-20])
    with pytest.raises(FileRefused, match="damaged"):
        open_table(path, "x.csv.gz")


def test_a_packed_bomb_is_refused(tmp_path: Path):
    path = tmp_path / "a.csv.gz"
    with gzip.open(path, "wb") as out:
        for _ in range(80):
            out.write(b"a" * 1024 * 1024)
    with pytest.raises(FileRefused, match="far more"):
        open_table(path)


def test_records_equal_those_of_the_csv_module_on_clean_text(tmp_path: Path):
    """Where nothing is wrong the strict reader gives what csv gives."""
    dice = random.Random(7)
    rows = [
        ["".join(dice.choice('ab,;"\n\r é') for _ in range(dice.randint(0, 9))) for _ in range(4)] for _ in range(300)
    ]
    path = tmp_path / "a.csv"
    with path.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows(rows)
    with path.open(encoding="utf-8", newline="") as stream:
        assert [record.cells for record in read_records(stream, ",")] == rows
