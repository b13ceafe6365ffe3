"""Texts compared in folded form: casefold + NFC, outer blanks trimmed (RULES §5.3)."""

import re
from typing import Any

from django.db.models import Q, Value
from django.db.models.lookups import Contains, EndsWith, Exact, In, Regex, StartsWith

from segmentation_crm.common.folding import fold

# What separates words: blanks, punctuation and symbols, by code point, so that both databases and the oracle agree
# (the classes of a regular expression engine depend on the database's locale).
SEPARATOR_RANGES = (
    (0x00, 0x2F),
    (0x3A, 0x40),
    (0x5B, 0x60),
    (0x7B, 0xA9),
    (0xAB, 0xB1),
    (0xB4, 0xB4),
    (0xB6, 0xB8),
    (0xBB, 0xBB),
    (0xBF, 0xBF),
    (0xD7, 0xD7),
    (0xF7, 0xF7),
    (0x2000, 0x206F),
    (0x3000, 0x303F),
    (0xFF01, 0xFF0F),
    (0xFF1A, 0xFF20),
    (0xFF3B, 0xFF40),
    (0xFF5B, 0xFF65),
)
_ASCII_SPECIAL = re.compile(r"([^0-9A-Za-z\u0080-\U0010ffff])")


def positive(expression: Any, operator: str, value: Any) -> Q:
    """Return the test of a positive text operator over a folded column; `%`, `_` and `\\` are literal."""
    if operator in ("in", "eq"):
        texts = [fold(text) for text in (value if operator == "in" else (value,))]
        return Q(Exact(expression, Value(texts[0]))) if len(texts) == 1 else Q(In(expression, texts))
    text = fold(value)
    if operator == "matches_word":
        return Q(Contains(expression, text)) & Q(Regex(expression, word_pattern(text)))
    return Q({"contains": Contains, "starts_with": StartsWith, "ends_with": EndsWith}[operator](expression, text))


def word_pattern(text: str) -> str:
    """Return the pattern that finds the text as whole words; every character of it is literal.

    Python's `re` (SQLite) and PostgreSQL read it alike: explicit ranges, no classes, a backslash only before
    characters that are neither letter nor digit.
    """
    # NUL cannot stand in a PostgreSQL pattern; no stored text holds one.
    ranges = "".join(f"{_literal(max(low, 1))}-{_literal(high)}" for low, high in SEPARATOR_RANGES)
    escaped = _ASCII_SPECIAL.sub(r"\\\1", text)
    return f"(^|[{ranges}]){escaped}($|[{ranges}])"


def _literal(code: int) -> str:
    character = chr(code)
    return f"\\{character}" if character in "\\]^-[" else character
