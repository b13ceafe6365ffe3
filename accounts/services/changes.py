"""The log of changes: who changed which field of an account, contact or opportunity, from what to what.

Every save writes one row here, in the transaction of the save; several saves and value writes of one act (a request, a
job) on the same record make one row. Bulk writers call `record_bulk`. What is computed from other columns is not
logged: it comes back with them.
"""

import datetime as dt
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from decimal import Decimal
from functools import cache
from typing import Any

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import models

from segmentation_crm.common.acting import Acting, acting
from segmentation_crm.common.bulk_insert import bulk_insert_rows
from segmentation_crm.common.effective_time import effective_now
from segmentation_crm.common.folding import FoldedField

from ..choices import ChangeAction, RecordType
from ..models import Account, Contact, Opportunity, RecordChange
from .provenance import forget_sources

Change = dict[str, Any]
Rows = Iterable[tuple[int, Sequence[Change]]]

MODELS: dict[str, type[models.Model]] = {
    RecordType.ACCOUNT: Account,
    RecordType.CONTACT: Contact,
    RecordType.OPPORTUNITY: Opportunity,
}
# Kept by the machine, or said by the action of the row itself.
_NOT_LOGGED = frozenset(
    {"id", "version", "created_at", "updated_at", "deleted_at", "merged_into", "erased_at", "source"}
)
# A band follows its figure where the figure is known.
_FOLLOWS = {"employee_band": "employee_count", "revenue_band": "annual_revenue_reporting"}
_CREATED, _UPDATED = str(ChangeAction.CREATED), str(ChangeAction.UPDATED)

_ROW = ("record_type", "record_id", "at", "actor_id", "actor_name", "action", "via", "changes", "batch")

_is_silent: ContextVar[bool] = ContextVar("changes_silent", default=False)
# The act and, of each record it wrote, the row of the log.
_act: ContextVar[tuple[Acting, dict[tuple[str, int], int]] | None] = ContextVar("changes_act", default=None)


@contextmanager
def silent() -> Iterator[None]:
    """Log nothing of what is written inside: for loads of demo data, and for services that log in their own words."""
    token = _is_silent.set(True)
    try:
        yield
    finally:
        _is_silent.reset(token)


def logged_fields(model: type[models.Model]) -> tuple[models.Field, ...]:
    """Return the columns of a record that the log keeps: what people, files and programs give, nothing computed."""
    return _logged_fields(model._meta.label)


@cache
def _logged_fields(label: str) -> tuple[models.Field, ...]:
    model = apps.get_model(label)
    return tuple(
        field
        for field in model._meta.concrete_fields
        if field.editable
        and field.name not in _NOT_LOGGED
        and not isinstance(field, FoldedField)
        and not getattr(field, "generated", False)
        and not field.name.endswith("_reporting")
    )


def snapshot_columns(model: type[models.Model]) -> list[str]:
    """Return the attributes to read of a row before it is saved, so that the change can be told afterwards."""
    return [field.attname for field in logged_fields(model)]


def plain(field: models.Field, value: Any) -> Any:
    """Return a column's value as the log keeps it: JSON, references by id, figures and moments as text."""
    if isinstance(field, models.ForeignKey):
        return value.pk if isinstance(value, models.Model) else value
    try:
        value = field.to_python(value)
    except (ValidationError, ValueError, TypeError):
        return str(value)
    if isinstance(value, Decimal) and isinstance(field, models.DecimalField):
        value = value.quantize(Decimal(1).scaleb(-field.decimal_places))
    return plain_value(value)


def plain_value(value: Any) -> Any:
    """Return any value as JSON can hold it."""
    if value is None or isinstance(value, bool | int | str | dict):
        return value
    if isinstance(value, Decimal | float):
        text = format(Decimal(str(value)), "f")
        return (text.rstrip("0").rstrip(".") or "0") if "." in text else text
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat()
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, models.Model):
        return value.pk
    if isinstance(value, list | tuple | set | frozenset):
        return sorted((plain_value(one) for one in value), key=str)
    return str(value)


def is_empty(value: Any) -> bool:
    """Tell whether the log counts a value as none: nothing, an empty text, an empty list."""
    return value is None or value == "" or value == []


def differences(record: Any, before: Mapping[str, Any] | None, columns: Iterable[str] | None = None) -> list[Change]:
    """Return what differs from the row before (0 queries); of a new record, what is filled.

    columns: names or attributes that were written, all where none are given.
    """
    written = None if columns is None else set(columns)
    found = []
    for field in logged_fields(type(record)):
        if written is not None and field.name not in written and field.attname not in written:
            continue
        follows = _FOLLOWS.get(field.name)
        if follows and getattr(record, follows, None) is not None:
            continue
        new = plain(field, getattr(record, field.attname))
        if before is None:
            old: Any = None
            if is_empty(new) or new == plain(field, field.get_default()):
                continue
        elif field.attname in before:
            old = plain(field, before[field.attname])
        else:
            continue
        if old != new and not (is_empty(old) and is_empty(new)):
            found.append({"field": field.name, "old": old, "new": new})
    return found


def record_saved(
    record: Any, before: Mapping[str, Any] | None, created: bool, columns: Iterable[str] | None = None
) -> None:
    """Log a save (2 queries, 3 where the act has written the record before; none where nothing changed).

    What was known of the source of a value goes with the value.
    """
    if _is_silent.get():
        return
    is_new = created or before is None
    found = differences(record, None if is_new else before, columns)
    action = _CREATED if is_new else _UPDATED
    if not is_new and before is not None and "deleted_at" in before:
        was, now = before["deleted_at"] is not None, record.deleted_at is not None
        if was != now:
            action = str(ChangeAction.DELETED if now else ChangeAction.RESTORED)
    if found and not is_new:
        forget_sources(str(record._meta.model_name), record.pk, [change["field"] for change in found])
    if found or action != _UPDATED:
        _write(str(record._meta.model_name), record.pk, action, found)


def record_values(record: Any, field: str, old: Any, new: Any) -> None:
    """Log that the values of a multi field or a custom field ("custom.<key>") became others (2 or 3 queries)."""
    old, new = plain_value(old), plain_value(new)
    if _is_silent.get() or old == new or (is_empty(old) and is_empty(new)):
        return
    forget_sources(str(record._meta.model_name), record.pk, [field])
    _write(str(record._meta.model_name), record.pk, _UPDATED, [{"field": field, "old": old, "new": new}])


def record_bulk(
    record_type: str, rows: Rows, batch: uuid.UUID | None = None, action: str = _UPDATED, via: str = ""
) -> int:
    """Log what a bulk write did: (id, [{"field", "old", "new"}]) of each record; returns how many rows were logged.

    Values as `plain` gives them. Rows without a change are left out, but for those made, deleted or restored. One
    statement for all rows; call it in the transaction of the write.
    """
    if _is_silent.get():
        return 0
    who = acting()
    shared = (effective_now(), who.user.pk if who.user else None, _name_of(who), str(action), via or who.via)
    made = [
        (record_type, pk, *shared, list(changes), batch or who.batch)
        for pk, changes in rows
        if changes or action != _UPDATED
    ]
    bulk_insert_rows(RecordChange, _ROW, made)
    return len(made)


def latest_change() -> int:
    """Return the key of the log's latest row, 0 for none (1 query)."""
    return RecordChange.objects.aggregate(latest=models.Max("pk"))["latest"] or 0


def mark_undone(record_type: str, batch: uuid.UUID, ids: Sequence[int], after: int) -> int:
    """Let the rows of a batch up to `after` name the row that took them back; returns how many (1 query)."""
    rows = RecordChange.objects.filter(batch=batch, record_type=record_type)
    undos = rows.filter(record_id=models.OuterRef("record_id"), pk__gt=after).order_by("-pk").values("pk")[:1]
    done = rows.filter(record_id__in=ids, pk__lte=after, undone_by__isnull=True).exclude(action=ChangeAction.UNDONE)
    return done.filter(models.Exists(undos)).update(undone_by=models.Subquery(undos))


def record_act(record_type: str, record_id: int, action: str, changes: Sequence[Change]) -> RecordChange:
    """Log one act in its own row, whatever else the request has written (1 query); for merges and undos."""
    who = acting()
    return RecordChange.objects.create(
        record_type=record_type,
        record_id=record_id,
        at=effective_now(),
        actor=who.user,
        actor_name=_name_of(who),
        action=action,
        via=who.via,
        changes=list(changes),
        batch=who.batch,
    )


def _name_of(who: Acting) -> str:
    return who.user.display_name[:200] if who.user else ""


def _write(record_type: str, record_id: int, action: str, changes: list[Change]) -> None:
    """Insert the row, or put the changes into the one that this act has written for the record."""
    who = acting()
    if who.user is None and who.via == "system":
        # Nobody acts: nothing says where one act ends and the next begins.
        record_act(record_type, record_id, action, changes)
        return
    held = _act.get()
    if held is None or held[0] is not who:
        held = (who, {})
        _act.set(held)
    key = (record_type, record_id)
    # Read again: a savepoint may have taken the row or its last changes back.
    row = (
        RecordChange.objects.filter(
            pk=held[1][key], record_type=record_type, record_id=record_id, action__in=_joined_by(action)
        ).first()
        if key in held[1]
        else None
    )
    if row is None:
        held[1][key] = record_act(record_type, record_id, action, changes).pk
        return
    row.changes = joined(row.changes, changes)
    if row.action == _UPDATED and not row.changes:
        row.delete()
        del held[1][key]
        return
    row.save(update_fields=["changes"])


def _joined_by(action: str) -> tuple[str, ...]:
    """Return the actions whose row takes such a change in; a deletion is always a row of its own."""
    return (_CREATED, _UPDATED, str(ChangeAction.UNDONE)) if action == _UPDATED else ()


def joined(first: Iterable[Change], later: Iterable[Change]) -> list[Change]:
    """Return two lists of changes as one: the oldest old and the newest new of each field, nothing that came back."""
    found = {change["field"]: dict(change) for change in first}
    for change in later:
        name = change["field"]
        if name in found:
            found[name]["new"] = change["new"]
        else:
            found[name] = dict(change)
    return [change for change in found.values() if change["old"] != change["new"]]
