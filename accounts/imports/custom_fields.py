"""Custom fields as targets, and new ones from columns that nothing else takes."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from decimal import Decimal

from django.db.models import Max

from ..models import CustomField
from .dates import read_moment
from .drafts import Reading
from .numbers import read_number
from .problems import CellProblem
from .targets import Boolean, Choice, Custom, Date, Integer, Moment, Number, Target, Text
from .types import ImportType

_LIMIT = Decimal(10) ** 17
_INTEGER = re.compile(r"-?(0|[1-9]\d{0,14})(\.0+)?$")
_LEADING_ZERO = re.compile(r"[+-]?0\d")
_BOOLEANS = frozenset({"true", "false", "yes", "no"})
_KEY_LIMIT = 40


def custom_target(definition: CustomField) -> Custom:
    """Return the target of a custom field."""
    kind, key = definition.type, f"custom.{definition.key}"
    item: Target
    if kind == "integer":
        item = Integer(key, label=definition.label, low=-_LIMIT, high=_LIMIT)
    elif kind in ("decimal", "percent", "money"):
        item = Number(key, label=definition.label, low=-_LIMIT, high=_LIMIT, places=6)
    elif kind == "boolean":
        item = Boolean(key, definition.label)
    elif kind == "date":
        item = Date(key, definition.label)
    elif kind == "datetime":
        item = Moment(key, definition.label)
    elif kind in ("enum", "multi"):
        item = Choice(
            key, [(c["value"], c.get("label", c["value"])) for c in definition.choices], label=definition.label
        )
    else:
        item = Text(key, label=definition.label, limit=2000)
    return Custom(definition, item)


def custom_targets(import_type: ImportType) -> dict[str, Target]:
    """Return the targets of the record's custom fields, by "custom.<key>" (1 query)."""
    if import_type.custom_model is None:
        return {}
    found = CustomField.objects.filter(record=import_type.record_type, is_active=True)
    return {f"custom.{definition.key}": custom_target(definition) for definition in found}


def snake_case(heading: str) -> str:
    """Return a heading as a key: customerID -> customer_id, GICS Sub-Industry -> gics_sub_industry."""
    plain = unicodedata.normalize("NFKD", heading.replace("ß", "ss")).encode("ascii", "ignore").decode()
    plain = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", plain)
    plain = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", plain)
    key = re.sub(r"[^a-z0-9]+", "_", plain.lower()).strip("_")
    if not key or not key[0].isalpha():
        key = f"field_{key}".rstrip("_")
    return key[:_KEY_LIMIT].rstrip("_")


class Guess:
    """What type the values of a column allow; fed value by value."""

    def __init__(self) -> None:
        self.seen = 0
        self.possible = {"integer", "decimal", "boolean", "date", "datetime"}
        self.longest = 0

    def feed(self, text: str, decimal: str = "point") -> None:
        """Strike out the types that this value does not fit."""
        self.seen += 1
        self.longest = max(self.longest, len(text))
        if not self.possible:
            return
        if "boolean" in self.possible and text.lower() not in _BOOLEANS:
            self.possible.discard("boolean")
        if _LEADING_ZERO.match(text.replace(",", ".")) and not text.startswith(("0.", "-0.", "0,", "-0,")):
            # A leading zero is part of a code.
            self.possible -= {"integer", "decimal"}
        if "integer" in self.possible and not _INTEGER.match(text):
            self.possible.discard("integer")
        if "decimal" in self.possible:
            try:
                number = read_number(text, decimal)
                if not -_LIMIT < number < _LIMIT or "e" in text.lower():
                    self.possible.discard("decimal")
            except CellProblem:
                self.possible.discard("decimal")
        if self.possible & {"date", "datetime"}:
            self._feed_date(text)

    def _feed_date(self, text: str) -> None:
        try:
            _, moment = read_moment(text, "dmy", Reading().zone)
        except CellProblem:
            try:
                _, moment = read_moment(text, "mdy", Reading().zone)
            except CellProblem:
                self.possible -= {"date", "datetime"}
                return
        if moment is not None:
            self.possible.discard("date")

    @property
    def type(self) -> str:
        """Return the narrowest type that fits every value, "text" where none does."""
        if self.seen:
            for kind in ("boolean", "integer", "decimal", "date", "datetime"):
                if kind in self.possible:
                    return kind
        return "text"


def create_fields(import_type: ImportType, columns: Mapping[str, str]) -> dict[str, Custom]:
    """Make custom fields for columns (heading -> type); one that exists by its key is used (2 queries and 1 each).

    Two headings with the same key get _2, _3 …
    """
    record = import_type.record_type
    existing = {field.key: field for field in CustomField.objects.filter(record=record)}
    last = CustomField.objects.filter(record=record).aggregate(last=Max("position"))["last"] or 0
    taken: set[str] = set()
    found: dict[str, Custom] = {}
    for heading, kind in columns.items():
        key = _free(snake_case(heading), taken)
        taken.add(key)
        field = existing.get(key)
        if field is None:
            last += 1
            field = CustomField.objects.create(record=record, key=key, label=heading[:120], type=kind, position=last)
        found[heading] = custom_target(field)
    return found


def _free(key: str, taken: Iterable[str]) -> str:
    candidate, number = key, 2
    while candidate in taken:
        candidate = f"{key[: _KEY_LIMIT - len(str(number)) - 1]}_{number}"
        number += 1
    return candidate
