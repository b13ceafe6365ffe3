"""react-querybuilder's spellings of operators and modes, and the keys of its own that are dropped."""

from typing import Any

# Dropped on input, whatever they hold; valueSource and disabled only where they change nothing.
IGNORED_KEYS = frozenset({"id", "path"})

MODES = {"atLeast": "at_least", "atMost": "at_most"}
RELATED = frozenset({"match", "="})

_COMMON = {"null": "is_empty", "notNull": "is_set"}
_EQUALITY = {"=": "eq", "!=": "neq", "in": "in", "notIn": "not_in"}
_ORDER = {"<": "lt", "<=": "lte", ">": "gt", ">=": "gte", "between": "between", "notBetween": "not_between"}
_TEXT = {
    "contains": "contains",
    "doesNotContain": "not_contains",
    "beginsWith": "starts_with",
    "doesNotBeginWith": "not_starts_with",
    "endsWith": "ends_with",
    "doesNotEndWith": "not_ends_with",
}
_DATE = {
    "=": "on",
    "!=": "not_on",
    "<": "before",
    "<=": "on_or_before",
    ">": "after",
    ">=": "on_or_after",
    "between": "between",
    "notBetween": "not_between",
}
_MULTI = {"in": "any_of", "notIn": "none_of"}


def _by_type() -> dict[str, dict[str, str]]:
    number = {**_COMMON, **_EQUALITY, **_ORDER}
    del number["in"], number["notIn"]
    return {
        "text": {**_COMMON, **_EQUALITY, **_TEXT},
        **{name: {**_COMMON, **_EQUALITY} for name in ("enum", "reference", "tree")},
        "multi": {**_COMMON, **_MULTI},
        **dict.fromkeys(("integer", "decimal", "percent", "money"), number),
        "boolean": dict(_COMMON),
        **{name: {**_COMMON, **_DATE} for name in ("date", "datetime")},
    }


_BY_TYPE = _by_type()


def operator_name(written: str, type_name: str, value: Any) -> str:
    """Return our name of an operator as react-querybuilder writes it for this type, or what was written."""
    if type_name == "boolean" and written in ("=", "eq") and isinstance(value, bool):
        return "is_true" if value else "is_false"
    return _BY_TYPE[type_name].get(written, written)


def mode_name(written: str) -> str:
    """Return our name of a match mode."""
    return MODES.get(written, written)
