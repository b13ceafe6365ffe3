"""Rule bodies from bytes to JSON: bounded size and depth, one meaning only, nothing a database would choke on."""

import json
from decimal import Decimal
from typing import Any

from .nodes import InvalidRule, Path, RuleError

MAX_BYTES = 256 * 1024
# 8 groups with their related levels and the deepest operand need 27; one more for an envelope.
MAX_DEPTH = 32
_LONGEST_NUMBER = 60


def parse_rule_json(raw: bytes | str) -> Any:
    """Return the JSON value of a rule's text; numbers with a point are Decimal.

    Raises InvalidRule for anything that is not one JSON text of at most 256 KiB and 32 levels, for a key named twice,
    NaN, infinities, NUL and lone surrogates.
    """
    text = _decode(raw)
    _refuse_depth(text)
    twice: list[tuple[dict[str, Any], str]] = []

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        result = dict(found)
        if len(result) < len(found):
            seen: set[str] = set()
            for key, _ in found:
                if key in seen:
                    twice.append((result, key))
                seen.add(key)
        return result

    try:
        value = json.loads(
            text,
            object_pairs_hook=pairs,
            parse_float=_number,
            parse_int=_integer,
        )
    except json.JSONDecodeError as error:
        raise _error(
            "bad_json", f"This is not JSON: {error.msg} at line {error.lineno}, column {error.colno}."
        ) from None
    except RecursionError:
        raise _error("too_deep", f"The rule is nested deeper than {MAX_DEPTH} levels.") from None
    errors = _text_errors(value)
    errors += [
        RuleError(_path_of(value, owner), "", "duplicate_key", f'The key "{printable(key)}" stands twice; keep one.')
        for owner, key in twice
    ]
    if errors:
        raise InvalidRule(errors)
    return value


def printable(text: str, length: int = 80) -> str:
    """Return a short form of a foreign text that is safe in a message."""
    short = text if len(text) <= length else text[: length - 1] + "…"
    return short.encode("utf-8", "backslashreplace").decode().replace("\x00", "\\x00")


def text_problem(text: str) -> str:
    """Return what makes a text impossible to store, or ""."""
    if "\x00" in text:
        return "The text holds a NUL character; leave it out."
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return "The text holds half of a surrogate pair; send whole characters."
    return ""


def _error(code: str, message: str) -> InvalidRule:
    return InvalidRule([RuleError((), "", code, message)])


def _decode(raw: bytes | str) -> str:
    size = len(raw)
    if size > MAX_BYTES:
        raise _error("too_large", f"The rule is larger than {MAX_BYTES // 1024} KiB.")
    if isinstance(raw, str):
        return raw
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _error("bad_encoding", f"The rule is not UTF-8: byte {error.start + 1} is wrong.") from None


def _refuse_depth(text: str) -> None:
    """Refuse deep nesting before the recursive parser sees it; linear in the text."""
    depth, inside, skip = 0, False, False
    for character in text:
        if skip:
            skip = False
        elif inside:
            if character == "\\":
                skip = True
            elif character == '"':
                inside = False
        elif character == '"':
            inside = True
        elif character in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise _error("too_deep", f"The rule is nested deeper than {MAX_DEPTH} levels.")
        elif character in "]}":
            depth -= 1


def _number(text: str) -> Decimal:
    if len(text) > _LONGEST_NUMBER:
        raise _error("bad_number", "A number is too long; 15 digits are kept.")
    return Decimal(text)


def _integer(text: str) -> int | Decimal:
    if len(text) > _LONGEST_NUMBER:
        raise _error("bad_number", "A number is too long; 15 digits are kept.")
    return Decimal(text) if text == "-0" else int(text)


def _text_errors(root: Any) -> list[RuleError]:
    errors: list[RuleError] = []
    stack: list[tuple[Any, Path]] = [(root, ())]
    while stack:
        value, path = stack.pop()
        if isinstance(value, dict):
            for key, item in value.items():
                if problem := text_problem(key):
                    errors.append(RuleError(path, "", "bad_text", problem))
                stack.append((item, (*path, printable(key))))
        elif isinstance(value, list):
            stack.extend((item, (*path, index)) for index, item in enumerate(value))
        elif isinstance(value, str) and (problem := text_problem(value)):
            errors.append(RuleError(path, "", "bad_text", problem))
        elif isinstance(value, float):
            # Numbers with a point are Decimal; only NaN and the infinities are read as floats.
            errors.append(RuleError(path, "", "bad_number", "Expected a finite number."))
    return errors


def _path_of(root: Any, owner: dict[str, Any]) -> Path:
    """Return the path of this very object within the value."""
    stack: list[tuple[Any, Path]] = [(root, ())]
    while stack:
        value, path = stack.pop()
        if value is owner:
            return path
        if isinstance(value, dict):
            stack.extend((item, (*path, key)) for key, item in value.items())
        elif isinstance(value, list):
            stack.extend((item, (*path, index)) for index, item in enumerate(value))
    return ()
