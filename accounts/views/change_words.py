"""What the log of changes says in words: labels, names, money; names only of what the viewer may see."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from segmentation_crm.common.access import AnyUser
from segmentation_crm.common.fields import FieldDef, registry
from segmentation_crm.common.templatetags.crm import fraction, money, number, percent

from ..choices import ChangeAction
from ..models import Account, Contact, CustomField, IndustryCode, Opportunity, RecordChange, Term
from ..queries import accounts_visible_to, contacts_visible_to, opportunities_visible_to
from ..services.changes import MODELS, logged_fields
from ..services.undoing import CUSTOM, can_undo
from .seen import HIDDEN

NOTHING = "–"
_RECORDS: dict[Any, Any] = {
    Account: accounts_visible_to,
    Contact: contacts_visible_to,
    Opportunity: opportunities_visible_to,
}
TONES = {
    ChangeAction.CREATED: "ok",
    ChangeAction.DELETED: "bad",
    ChangeAction.RESTORED: "ok",
    ChangeAction.MERGED: "info",
    ChangeAction.UNMERGED: "info",
    ChangeAction.UNDONE: "warn",
}
_FRACTIONS = frozenset({"probability", "discount", "confidence"})


@cache
def _columns(record_type: str) -> dict[str, models.Field]:
    return {field.name: field for field in logged_fields(MODELS[record_type])}


def field_label(record_type: str, name: str) -> str:
    """Return what people call a field; custom fields apart (0 queries)."""
    definition = registry.field(f"{record_type}.{name}")
    if definition is not None:
        return definition.label
    column = _columns(record_type).get(name)
    return str(column.verbose_name if column else name.replace("_", " ")).capitalize()


@dataclass(frozen=True)
class Said:
    """Values to be put into words that are no row of the log."""

    record_type: str
    changes: list[dict[str, Any]]


class ChangeWords:
    """The words of some rows of the log, for one viewer (a query for each kind of reference that occurs)."""

    def __init__(self, user: AnyUser, rows: Sequence[RecordChange | Said], record: Any = None) -> None:
        self.user, self.rows, self.record = user, rows, record
        keys = {c["field"].removeprefix(CUSTOM) for row in rows for c in row.changes if c["field"].startswith(CUSTOM)}
        found = CustomField.objects.filter(key__in=keys) if keys else []
        self.custom = {(definition.record, definition.key): definition for definition in found}
        self.names = self._names()

    def _names(self) -> dict[tuple[Any, int], str]:
        wanted: dict[Any, set[int]] = defaultdict(set)
        for row in self.rows:
            for change in row.changes:
                model = self._model(row.record_type, change["field"])
                for value in (change["old"], change["new"], change.get("now")):
                    ids = value if isinstance(value, list) else [value]
                    if model is not None:
                        wanted[model].update(pk for pk in ids if isinstance(pk, int) and not isinstance(pk, bool))
        found: dict[tuple[Any, int], str] = {}
        for model, wanted_ids in wanted.items():
            if wanted_ids:
                rows = _RECORDS[model](self.user) if model in _RECORDS else model._base_manager.all()
                for one in rows.filter(pk__in=wanted_ids):
                    found[(model, one.pk)] = getattr(one, "display_name", None) or str(one)
        return found

    def _model(self, record_type: str, name: str) -> Any:
        """Return the model that ids of a field name, None for plain values."""
        column = _columns(record_type).get(name)
        if column is not None:
            return column.related_model
        if name.startswith(CUSTOM):
            return None
        return IndustryCode if name.endswith("codes_secondary") else Term

    def label(self, record_type: str, name: str) -> str:
        """Return what people call the field."""
        if name.startswith(CUSTOM):
            key = name.removeprefix(CUSTOM)
            definition = self.custom.get((record_type, key))
            return definition.label if definition else key
        return field_label(record_type, name)

    def value(self, record_type: str, name: str, value: Any) -> str:
        """Return a value in words; a reference that the viewer may not see stays hidden."""
        if value is None or value in ("", []):
            return NOTHING
        if isinstance(value, list):
            return ", ".join(self.value(record_type, name, one) for one in value)
        model = self._model(record_type, name)
        if model is not None and isinstance(value, int):
            known = self.names.get((model, value))
            return known or (HIDDEN if model in _RECORDS else "no longer kept")
        if isinstance(value, bool):
            return "Yes" if value else "No"
        if name.startswith(CUSTOM):
            return self._custom_value(record_type, name, value)
        definition = registry.field(f"{record_type}.{name}")
        return self._typed(definition, name, value) if definition else str(value)

    def _typed(self, definition: FieldDef, name: str, value: Any) -> str:
        labels = {choice.value: choice.label for choice in definition.choices}
        if value in labels:
            return str(labels[value])
        if definition.type == "money":
            return money(value, getattr(self.record, f"{name}_currency", "") if self.record is not None else "")
        if name in _FRACTIONS:
            return fraction(value)
        if definition.type == "percent":
            return percent(value)
        if definition.type in ("integer", "decimal"):
            return str(value) if name.endswith("_year") else number(value)
        return _day(value) if definition.type in ("date", "datetime") else str(value)

    def _custom_value(self, record_type: str, name: str, value: Any) -> str:
        definition = self.custom.get((record_type, name.removeprefix(CUSTOM)))
        if definition is None:
            return str(value)
        labels = {str(c["value"]): str(c.get("label") or c["value"]) for c in definition.choices if "value" in c}
        if value in labels:
            return labels[value]
        if definition.type in ("date", "datetime"):
            return _day(value)
        return number(value) if definition.type in ("integer", "decimal", "money") else str(value)

    def lines(self, row: RecordChange) -> list[dict[str, Any]]:
        """Return field, old and new of a row in words."""
        return self.lines_of(row.record_type, row.changes)

    def lines_of(self, record_type: str, changes: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return field, old and new of changes in words; `now` and `reason` where an undo left a field."""
        return [
            {
                "field": change["field"],
                "label": self.label(record_type, change["field"]),
                "old": self.value(record_type, change["field"], change["old"]),
                "new": self.value(record_type, change["field"], change["new"]),
            }
            for change in changes
        ]

    def entries(self) -> list[dict[str, Any]]:
        """Return the rows as the page draws them."""
        return [
            {
                "row": row,
                "who": row.actor_name or "The system",
                "way": row.get_via_display(),
                "action": row.get_action_display(),
                "tone": TONES.get(ChangeAction(row.action), ""),
                "lines": self.lines(row),
                "can_undo": can_undo(row),
                "is_undone": row.undone_by_id is not None,
            }
            for row in self.rows
            if isinstance(row, RecordChange)
        ]


def names_of(user: AnyUser, rows: Iterable[RecordChange]) -> dict[tuple[str, int], str]:
    """Return the names of the records of changes that the user sees (≤ 3 queries)."""
    wanted: dict[str, set[int]] = defaultdict(set)
    for row in rows:
        wanted[row.record_type].add(row.record_id)
    return {
        (kind, one.pk): str(one)
        for kind, ids in wanted.items()
        for one in _RECORDS[MODELS[kind]](user).filter(pk__in=ids)
    }


def _day(value: Any) -> str:
    text = str(value)
    day: dt.date | None = parse_date(text) if len(text) == 10 else None
    if day is not None:
        return f"{day:%-d %b %Y}"
    moment = parse_datetime(text)
    return f"{timezone.localtime(moment):%-d %b %Y, %H:%M}" if moment else text
