"""Taking a change back: the old values return to the fields that nobody touched since; the others are named."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models, transaction

from segmentation_crm.common.access import AnyUser, can
from segmentation_crm.common.services import audit

from ..choices import ChangeAction
from ..models import Account, Contact, CustomField, IndustryCode, Opportunity, RecordChange, Term
from ..queries import accounts_visible_to, contacts_visible_to, opportunities_visible_to
from .changes import MODELS, Change, is_empty, logged_fields, plain, plain_value, record_act, silent
from .custom_fields import set_custom_values, value_column
from .multi_values import set_multi_values
from .provenance import forget_sources

VISIBLE = {"account": accounts_visible_to, "contact": contacts_visible_to, "opportunity": opportunities_visible_to}
UNDOABLE = frozenset({ChangeAction.UPDATED, ChangeAction.UNDONE})
CUSTOM = "custom."
_CODE_FIELDS = frozenset({"sic_codes_secondary", "naics_codes_secondary"})
SINCE = "changed since"


@dataclass
class Undone:
    """What an undo did: its own row in the log, and the fields it left with the reason of each."""

    row: RecordChange | None = None
    restored: list[Change] = field(default_factory=list)
    left: list[dict[str, Any]] = field(default_factory=list)


def can_undo(change: RecordChange) -> bool:
    """Tell whether this kind of change can be taken back and was not yet (0 queries)."""
    return change.action in UNDOABLE and change.undone_by_id is None and bool(change.changes)


def current_values(record: Any, names: Iterable[str]) -> dict[str, Any]:
    """Return fields of a record as the log keeps them; unknown names are left out (≤ 3 queries)."""
    wanted = set(names)
    found = {f.name: plain(f, getattr(record, f.attname)) for f in logged_fields(type(record)) if f.name in wanted}
    custom = {name.removeprefix(CUSTOM) for name in wanted if name.startswith(CUSTOM)}
    multi = wanted - set(found) - {f"{CUSTOM}{key}" for key in custom}
    if multi:
        found.update({name: [] for name in multi})
        for row in record.values_multi.filter(field__in=multi):
            found[row.field].append(row.token or row.term_id or row.code_id)
        found.update({name: plain_value(found[name]) for name in multi})
    if custom:
        found.update(_custom_values(record, custom))
    return found


def _custom_values(record: Any, keys: Iterable[str]) -> dict[str, Any]:
    kind = str(record._meta.model_name)
    found: dict[str, Any] = {}
    definitions = {d.pk: d for d in CustomField.objects.filter(record=kind, key__in=list(keys), is_active=True)}
    for definition in definitions.values():
        found[f"{CUSTOM}{definition.key}"] = [] if definition.type == "multi" else None
    for row in record.custom_values.filter(definition__in=definitions):
        definition = definitions[row.definition_id]
        value = plain_value(getattr(row, value_column(definition.type)))
        name = f"{CUSTOM}{definition.key}"
        found[name] = sorted([*found[name], value]) if definition.type == "multi" else value
    return found


@transaction.atomic
def undo_change(change: RecordChange, user: AnyUser | None) -> Undone:
    """Restore the old values of the fields that still hold the new ones; the undo is a change itself.

    The caller has checked that the user sees the record. Raises PermissionDenied where the role does not write
    records, ValidationError where the change cannot be undone or an old value cannot return (a domain taken since).
    """
    if user is not None and not can(user, "records.write"):
        raise PermissionDenied("Your role may read records but not change them.")
    held = RecordChange.objects.select_for_update().get(pk=change.pk)
    if not can_undo(held):
        raise ValidationError("This change was undone already, or there is nothing in it that could be taken back.")
    record: Any = MODELS[held.record_type]._default_manager.select_for_update().get(pk=held.record_id)
    done = _sorted_out(record, held, user)
    if done.restored:
        with silent():
            restore_values(record, {one["field"]: one["old"] for one in done.restored})
        if user is not None and not can(user, "records.assign") and not _sees(user, record):
            raise ValidationError("You would not see this record afterwards; ask a manager to undo this.")
        forget_sources(held.record_type, held.record_id, [one["field"] for one in done.restored])
        turned = [{"field": one["field"], "old": one["new"], "new": one["old"]} for one in done.restored]
        done.row = record_act(held.record_type, held.record_id, ChangeAction.UNDONE, turned)
        RecordChange.objects.filter(pk=held.pk).update(undone_by=done.row)
        audit.record(user, f"{held.record_type}.change_undone", record, change=held.pk)
    return done


def _sees(user: AnyUser, record: Any) -> bool:
    return VISIBLE[record._meta.model_name](user).filter(pk=record.pk).exists()


def _sorted_out(record: Any, held: RecordChange, user: AnyUser | None) -> Undone:
    """Tell which fields return and which stay, with the reason (≤ 3 queries and one a reference)."""
    now = current_values(record, [change["field"] for change in held.changes])
    done = Undone()
    for change in held.changes:
        name = change["field"]
        if name not in now:
            reason = "no longer kept"
        elif now[name] != change["new"] and not (is_empty(now[name]) and is_empty(change["new"])):
            reason = SINCE
        else:
            reason = _refusal(record, name, change["old"], user)
        if reason:
            done.left.append({**change, "now": now.get(name), "reason": reason})
        else:
            done.restored.append(change)
    return done


def _refusal(record: Any, name: str, old: Any, user: AnyUser | None) -> str:
    """Return why an old value cannot return, "" where it can."""
    column = next((f for f in logged_fields(type(record)) if f.name == name), None)
    if not isinstance(column, models.ForeignKey):
        return ""
    if user is not None and name in ("owner", "sdr") and not can(user, "records.assign"):
        return "your role does not hand records to others"
    if old is None:
        return ""
    related: Any = column.related_model
    rows = related._base_manager.filter(pk=old)
    if related in (Account, Contact, Opportunity):
        rows = VISIBLE[related._meta.model_name](user).filter(pk=old) if user else related.objects.live().filter(pk=old)
    return "" if rows.exists() else "what it referred to is gone, or not visible to you"


def restore_values(record: Any, values: dict[str, Any]) -> None:
    """Write values as the log keeps them: columns in one save, then multi and custom fields.

    Raises ValidationError naming the field whose value another record has taken, or that breaks a rule.
    """
    columns = {f.name: f for f in logged_fields(type(record))}
    plain_names = [name for name in values if name in columns]
    for name in plain_names:
        column = columns[name]
        value = values[name]
        if value is None and not column.null:
            value = column.get_default()
        setattr(record, column.attname, value if isinstance(column, models.ForeignKey) else column.to_python(value))
    if plain_names:
        record.clean()
        record.validate_constraints()
        record.save()
    custom = {name.removeprefix(CUSTOM): value for name, value in values.items() if name.startswith(CUSTOM)}
    for name, value in values.items():
        if name not in columns and not name.startswith(CUSTOM):
            set_multi_values(record, name, _items(name, value or []))
    if custom:
        set_custom_values(record, custom)


def _items(name: str, values: list[Any]) -> list[Any]:
    ids = [value for value in values if isinstance(value, int)]
    if not ids:
        return list(values)
    model: Any = IndustryCode if name in _CODE_FIELDS else Term
    return list(model.objects.filter(pk__in=ids))
