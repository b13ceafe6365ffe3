"""Values of fields in words, as the record's page shows them; what the viewer may not see is not named."""

import datetime as dt
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.utils import timezone

from segmentation_crm.common.access import AnyUser
from segmentation_crm.common.fields import FieldDef
from segmentation_crm.common.templatetags.crm import exact_date, fraction, money, number, percent

from ..rules import choices_search
from ..sentences import HIDDEN

NOTHING = "no value"
FRACTIONS = frozenset({"probability", "discount", "confidence"})


def value_words(definition: FieldDef, value: Any, labels: Mapping[Any, str] | None = None) -> str:
    """Return a value as the compiler reads it in words: "240 employees", "Germany", "no value" (0 queries).

    labels: id -> words of references; one that is missing is not visible to the viewer.
    """
    if value is None or value == "" or value == frozenset():
        return NOTHING
    if isinstance(value, frozenset | set | list | tuple):
        return ", ".join(sorted(one_words(definition, definition.item, one, labels or {}) for one in value))
    words = one_words(definition, definition.type, value, labels or {})
    return f"{words} {definition.unit}" if definition.unit and definition.type in ("integer", "decimal") else words


def one_words(definition: FieldDef, kind: str, value: Any, labels: Mapping[Any, str]) -> str:
    """Return one value of a field or of a multi field's items in words (0 queries; money: the currency's)."""
    if kind in ("reference", "tree"):
        return labels.get(value, HIDDEN)
    if kind == "enum":
        return next((choice.label for choice in definition.choices if choice.value == str(value)), str(value))
    if kind == "boolean":
        return "yes" if value else "no"
    if isinstance(value, dt.datetime):
        return f"{exact_date(value)} {timezone.localtime(value):%H:%M}"
    if isinstance(value, dt.date):
        return exact_date(value)
    if kind == "money":
        return money(value)
    if kind == "percent":
        return percent(value)
    if isinstance(value, int | float | Decimal) and kind != "text":
        if definition.name in FRACTIONS:
            return fraction(value)
        return str(value) if "year" in definition.name.split("_") else number(value)
    return str(value)


def labels_of(wanted: Iterable[tuple[FieldDef, Any]], user: AnyUser) -> dict[str, dict[Any, str]]:
    """Return, by target, id -> words of the references that the user may see (1–4 queries a target)."""
    ids: dict[str, tuple[FieldDef, set[int]]] = {}
    for definition, value in wanted:
        if (definition.item or definition.type) in ("reference", "tree"):
            held = value if isinstance(value, frozenset | set | list | tuple) else [value]
            ids.setdefault(definition.target, (definition, set()))[1].update(
                one for one in held if isinstance(one, int) and one > 0
            )
    return {
        target: {one["value"]: one["label"] for one in choices_search.labels(definition, sorted(keys), user)}
        for target, (definition, keys) in ids.items()
        if keys
    }


__all__ = ["NOTHING", "labels_of", "one_words", "value_words"]
