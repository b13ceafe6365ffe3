"""JSON bodies, strictly: bounded size and depth, one meaning only, nothing a database would choke on."""

import json
import math
from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import APIException, ParseError, UnsupportedMediaType, ValidationError
from rest_framework.parsers import BaseParser

MAX_BODY_BYTES = 1024 * 1024
MAX_DEPTH = 32


class BodyTooLarge(APIException):
    """The body exceeds the route's limit (413)."""

    status_code = 413
    default_code = "body_too_large"

    def __init__(self, limit: int) -> None:
        super().__init__(f"The body is larger than {limit // 1024} KiB, the limit of this route.")


class StrictJSONParser(BaseParser):
    """Parse `application/json` in UTF-8; a view may raise the size with `max_body_bytes`."""

    media_type = "application/json"
    # A view that answers each item of its body by itself judges texts and numbers itself too.
    checks_values = True

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the parsed body.

        Raises BodyTooLarge (413), UnsupportedMediaType (another charset, 415), ParseError or ValidationError (400).
        """
        context = parser_context or {}
        limit = getattr(context.get("view"), "max_body_bytes", MAX_BODY_BYTES)
        request = context.get("request")
        declared = str(request.META.get("CONTENT_LENGTH") or "0") if request is not None else "0"
        if declared.isdigit() and int(declared) > limit:
            raise BodyTooLarge(limit)
        charset = _charset(media_type or "")
        if charset not in ("", "utf-8", "utf8"):
            raise UnsupportedMediaType(media_type or "", detail="Send JSON in UTF-8.")
        raw = stream.read(limit + 1)
        if len(raw) > limit:
            raise BodyTooLarge(limit)
        return parse_json(raw, checks_values=self.checks_values)


class ItemsJSONParser(StrictJSONParser):
    """As strict about the form; NUL, half surrogates and infinite numbers are left to the view, item by item."""

    checks_values = False


def _charset(media_type: str) -> str:
    for part in media_type.split(";")[1:]:
        name, _, value = part.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip('"').lower()
    return ""


def parse_json(raw: bytes, max_depth: int = MAX_DEPTH, *, checks_values: bool = True) -> Any:
    """Return the value of a JSON text.

    Raises ParseError where it is no JSON (broken, bad UTF-8, too deep) or names a key twice,
    ValidationError with the path of a text or number that cannot be stored (NaN and infinities too).
    """
    try:
        value = json.loads(raw.decode("utf-8"), object_pairs_hook=_object)
    except RecursionError:
        raise ParseError(f"The body is nested deeper than {max_depth} levels.", "too_deep") from None
    except UnicodeDecodeError:
        raise ParseError("The body is not valid UTF-8.", "bad_encoding") from None
    except json.JSONDecodeError as error:
        raise ParseError(
            f"The body is not valid JSON: {error.msg} at line {error.lineno}, column {error.colno}.", "bad_json"
        ) from None
    except ValueError:
        raise ParseError("The body holds a number that is too long.", "bad_number") from None
    _check(value, max_depth, checks_values)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ParseError(f'The key "{_printable(twice)}" stands twice in one object.', "duplicate_key")
    return result


def _printable(text: str) -> str:
    return text[:100].encode("ascii", "backslashreplace").decode()


def _check(root: Any, max_depth: int, checks_values: bool) -> None:
    """Walk the value without recursion; refuse depth, and where asked NUL, lone surrogates and infinite numbers."""
    stack: list[tuple[Any, tuple[Any, ...]]] = [(root, ())]
    while stack:
        value, path = stack.pop()
        if isinstance(value, dict | list):
            if len(path) >= max_depth:
                raise ParseError(f"The body is nested deeper than {max_depth} levels.", "too_deep")
            if isinstance(value, dict):
                for key in value if checks_values else ():
                    _check_text(key, path)
                stack.extend((item, (*path, key)) for key, item in value.items())
            else:
                stack.extend((item, (*path, index)) for index, item in enumerate(value))
        elif not checks_values:
            continue
        elif isinstance(value, str):
            _check_text(value, path)
        elif isinstance(value, float) and not math.isfinite(value):
            raise PathError(path, "bad_number", "Expected a finite number.")


def _check_text(text: str, path: tuple[Any, ...]) -> None:
    if "\x00" in text:
        raise PathError(path, "bad_text", "The text holds a NUL character.")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise PathError(path, "bad_text", "The text holds half of a surrogate pair.") from None


class PathError(ValidationError):
    """One fault at one place of the body; the error handler turns it into an `errors` entry."""

    def __init__(self, path: tuple[Any, ...], code: str, message: str) -> None:
        self.path = [_printable(key) if isinstance(key, str) else key for key in path]
        super().__init__(message, code)
