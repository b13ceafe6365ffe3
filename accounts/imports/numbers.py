"""Read numbers as people write them; the decimal sign is settled once for a file, never per cell."""

import re
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation

from .problems import CellProblem, FileRefused

POINT, COMMA = "point", "comma"
_BLANKS = re.compile(r"[\s\u00a0\u202f'’]+")
_PLAIN = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d{1,3})?$")
_POINT = re.compile(r"[+-]?(\d{1,3}(,\d{3})+|\d+)?(\.\d+)?([eE][+-]?\d{1,3})?$")
_COMMA = re.compile(r"[+-]?(\d{1,3}(\.\d{3})+|\d+)?(,\d+)?$")
# Reads one way only: 1.5, 12,5, 1.234,5 … but not 1,234 or 1.234.
_SURELY_COMMA = re.compile(r"[+-]?\d+(,\d{1,2}|,\d{4,})$|[+-]?\d{1,3}(\.\d{3})+,\d+$|[+-]?0,\d+$|[+-]?\d{4,},\d+$")
_SURELY_POINT = re.compile(
    r"[+-]?\d+(\.\d{1,2}|\.\d{4,})$|[+-]?\d{1,3}(,\d{3})+\.\d+$|[+-]?0\.\d+$|[+-]?\d{4,}\.\d+$|[+-]?\d{1,3}(,\d{3}){2,}$"
)
_HALF_WAY = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}$")
_CURRENCY = re.compile(r"^([A-Z]{3}|[€$£¥])\s*|\s*([A-Z]{3}|[€$£¥])$")
SYMBOLS = {"€": "EUR", "£": "GBP", "¥": "JPY"}


def settle_decimal(texts: Iterable[str], *, semicolons: bool = False) -> str:
    """Return "point" or "comma" for a file's numbers.

    What reads one way only decides. Raises FileRefused where the file holds both kinds, or where in a file with
    semicolons nothing decides whether 1,234 is a thousand.
    """
    comma = point = halfway = ""
    for text in texts:
        text = _CURRENCY.sub("", _BLANKS.sub("", text)).rstrip("%")
        if not comma and _SURELY_COMMA.match(text):
            comma = text
        elif not point and _SURELY_POINT.match(text):
            point = text
        elif not halfway and _HALF_WAY.match(text):
            halfway = text
    if comma and point:
        raise FileRefused(
            f"The file writes numbers in two ways, {comma!r} and {point!r}. Say whether the decimal sign is a point "
            "or a comma.",
            code="ambiguous_decimal",
        )
    if halfway and semicolons and not comma and not point:
        raise FileRefused(
            f"{halfway!r} could be a thousand or a fraction. Say whether the decimal sign is a point or a comma.",
            code="ambiguous_decimal",
        )
    return COMMA if comma else POINT


def read_number(text: str, decimal: str = POINT) -> Decimal:
    """Return the number.

    Raises CellProblem where the text is none.
    """
    if _PLAIN.match(text) and (decimal == POINT or "." not in text):
        compact = text
    else:
        compact = _BLANKS.sub("", text)
        if decimal == COMMA:
            if not _COMMA.match(compact):
                raise _unreadable(text)
            compact = compact.replace(".", "").replace(",", ".")
        else:
            if not _POINT.match(compact):
                raise _unreadable(text)
            compact = compact.replace(",", "")
    try:
        number = Decimal(compact)
    except InvalidOperation:
        raise _unreadable(text) from None
    if not number.is_finite() or number.adjusted() > 40 or number.adjusted() < -40:
        raise _unreadable(text)
    return number


def read_amount(text: str, decimal: str = POINT) -> tuple[Decimal, str]:
    """Return the amount and its currency code, "" where none is written beside it ($ names none).

    Raises CellProblem where the text is no amount.
    """
    compact = text.strip()
    code = ""
    for _ in range(2):
        found = _CURRENCY.search(compact)
        if found:
            mark = found.group(1) or found.group(2)
            code = code or SYMBOLS.get(mark, "" if mark == "$" else mark)
            compact = _CURRENCY.sub("", compact, count=1)
    negative = compact.startswith("(") and compact.endswith(")")
    number = read_number(compact.strip("()") if negative else compact, decimal)
    return (-number if negative else number), code


def _unreadable(text: str) -> CellProblem:
    return CellProblem("unreadable_number", f"{text!r} is not a number; write it like 1234.5.")
