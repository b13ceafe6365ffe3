"""Values of a file: no text is ever taken for a formula, a figure stays a figure, and all survive a spool of JSON."""

import datetime as dt
import re
from decimal import Decimal
from typing import Any

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
# Spreadsheets pass over these before they look for a formula.
BLANKS = " \u00a0\u200b\u2060\ufeff\u3000\x00\x0b\x0c"
# What no XML file can hold.
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_SURROGATES = re.compile("[\ud800-\udfff]")
LONGEST_CELL = 32_767
# Excel keeps 15 digits of a number.
_EXACT = 10**15


def safe_cell(value: Any) -> str:
    """Return the text of a CSV cell that no spreadsheet takes for a formula: an apostrophe stands before a suspect.

    Figures and dates are written as they are: only texts can be formulas.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal):
        return format(value, "f") if isinstance(value, Decimal) else str(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    text = _SURROGATES.sub("\ufffd", str(value)).replace("\x00", "")
    return f"'{text}" if text.lstrip(BLANKS).startswith(FORMULA_STARTS) else text


def xml_text(value: Any) -> str:
    """Return a text that an XLSX cell can hold: without characters that XML forbids, at most 32,767 characters."""
    text = _NOT_XML.sub("", str(value))
    return text if len(text) <= LONGEST_CELL else f"{text[: LONGEST_CELL - 1]}…"


def is_exact_number(value: Any) -> bool:
    """Tell whether a spreadsheet can hold the figure without losing digits."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal | float):
        return False
    return -_EXACT < value < _EXACT


def packed(value: Any) -> Any:
    """Return the value as JSON holds it; `unpacked` gives it back."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, Decimal | float):
        return ["n", format(Decimal(str(value)), "f")]
    if isinstance(value, dt.datetime):
        return ["t", value.isoformat()]
    if isinstance(value, dt.date):
        return ["d", value.isoformat()]
    return str(value)


def unpacked(value: Any) -> Any:
    """Return the value that was packed."""
    if not isinstance(value, list):
        return value
    kind, text = value
    if kind == "n":
        return Decimal(text)
    return dt.datetime.fromisoformat(text) if kind == "t" else dt.date.fromisoformat(text)
