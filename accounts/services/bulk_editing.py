"""Editing, tagging, assigning and deleting many records at once, and undoing it: chunks of a bulk act."""

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import models
from django.db.models import F

from segmentation_crm.common.bulk import Doing, Outcome
from segmentation_crm.common.bulk.actions import GONE
from segmentation_crm.common.effective_time import effective_now
from segmentation_crm.common.extensions import after_bulk_act, tell
from segmentation_crm.common.models import User

from ..choices import ChangeAction
from ..models import Contact, CustomField, Term
from ..queries.deleted import deleted_visible_to
from . import changes
from .accounts import refresh_hierarchy
from .bulk_columns import from_log, locked, write_columns
from .bulk_values import TOUCHED, change_custom, change_multi, undo_custom, undo_multi
from .deletion import restore_record

Undo = Callable[[Doing, Mapping[int, Any]], Outcome]
CUSTOM = "custom."
# What people fill by hand and many records can share; names and addresses belong to one.
EDITABLE: dict[str, tuple[str, ...]] = {
    "account": (
        "account_type", "lifecycle_stage", "tier", "industry", "sales_region", "country", "subdivision", "city",
        "ownership", "growth_stage", "relationship", "urgency", "sophistication", "purchasing_policy",
        "purchase_centralisation", "sic_code", "naics_code", "parent_account", "employee_count", "do_not_contact",
    ),
    "contact": (
        "lifecycle_stage", "lead_status", "seniority", "department", "buying_roles", "persona", "job_title", "account",
        "country", "language", "preferred_channel", "do_not_contact",
    ),
    "opportunity": (
        "stage", "forecast_category", "type", "probability", "expected_close", "opened_on", "next_step", "product",
        "primary_need", "lead_source", "lost_reason", "account",
    ),
}  # fmt: skip
# Every record has one.
NEVER_EMPTY = frozenset({"account_type", "stage"})
MULTI = frozenset({"buying_roles"})


def marking(undo: Undo) -> Undo:
    """Return the undo of an act so that the log's rows of what it takes back name the undo (2 queries a chunk)."""

    @wraps(undo)
    def marked(doing: Doing, before: Mapping[int, Any]) -> Outcome:
        after = changes.latest_change()
        outcome = undo(doing, before)
        changes.mark_undone(doing.record, doing.act.public_id, list(outcome.changed), after)
        return outcome

    return marked


def custom_field(record: str, name: str) -> CustomField | None:
    """Return the active custom field that "custom.<key>" names (1 query)."""
    return CustomField.objects.filter(record=record, key=name.removeprefix(CUSTOM), is_active=True).first()


def stored_value(record: str, field: str, value: Any) -> Any:
    """Return what a form's field gave, as the act's parameters and the log keep it: JSON."""
    if field in MULTI or field.startswith(CUSTOM):
        return changes.plain_value(value)
    return changes.plain(_column(record, field), value)


def _column(record: str, field: str) -> Any:
    return changes.MODELS[record]._meta.get_field(field)


def edit(doing: Doing, ids: Sequence[int]) -> Outcome:
    """Give one field of a chunk of records the value of the act (≤ 12 queries; fields that others follow: a save each).

    Where the value is no longer there, all are refused.
    """
    field, value = doing.params["field"], doing.params["value"]
    try:
        if field.startswith(CUSTOM):
            definition = custom_field(doing.record, field)
            if definition is None:
                return _refuse_all(ids, "The custom field is no longer there.")
            return change_custom(doing.record, doing.user, ids, definition, value)
        if field in MULTI:
            wanted = set(value or ())
            return change_multi(doing.record, doing.user, ids, field, lambda _pk, _held: wanted)
        column = _column(doing.record, field)
        if missing := _missing(column, {value}):
            return _refuse_all(ids, f"The chosen value is no longer there ({missing.pop()}).")
        values = {column.attname: from_log(column, value)}
        return write_columns(doing.record, doing.user, dict.fromkeys(ids, values))
    except (ValidationError, FieldDoesNotExist) as error:
        return _refuse_all(ids, " ".join(getattr(error, "messages", [str(error)])))


@marking
def undo_edit(doing: Doing, before: Mapping[int, Any]) -> Outcome:
    """Put back what the act wrote where it still stands; a record touched since is refused."""
    field = doing.params["field"]
    if field.startswith(CUSTOM):
        definition = custom_field(doing.record, field)
        if definition is None:
            return _refuse_all(before, "The custom field is no longer there.")
        return undo_custom(doing.record, doing.user, before, definition)
    if field in MULTI:
        return undo_multi(doing.record, doing.user, before, field)
    return _undo_columns(doing, before, field)


def _undo_columns(doing: Doing, before: Mapping[int, Any], main: str) -> Outcome:
    """Put columns back; what followed from the main field goes back only together with it."""
    outcome = Outcome()
    records = locked(doing.record, doing.user, list(before))
    outcome.refuse_missing(list(before), records)
    gone = _missing(_column(doing.record, main), {change["old"] for c in before.values() for change in c
                                                  if change["field"] == main})  # fmt: skip
    wanted: dict[int, dict[str, Any]] = {}
    for pk, row in records.items():
        values, standing = {}, {change["field"]: _stands(row, change) for change in before[pk]}
        for change in before[pk]:
            column = _column(doing.record, change["field"])
            if standing[change["field"]] == "new":
                values[column.attname] = from_log(column, change["old"])
        if standing.get(main) == "old":
            outcome.unchanged += 1
        elif standing.get(main) != "new":
            outcome.refused[pk] = TOUCHED.format(label_of(doing.record, main))
        elif any(change["field"] == main and change["old"] in gone for change in before[pk]):
            outcome.refused[pk] = "What stood here before is no longer there."
        else:
            wanted[pk] = values
    written = write_columns(doing.record, doing.user, wanted, action=str(ChangeAction.UNDONE))
    written.refused.update(outcome.refused)
    written.unchanged += outcome.unchanged
    return written


def _stands(row: Any, change: Mapping[str, Any]) -> str:
    """Tell whether a column still holds what the act wrote ("new"), what stood before ("old"), or another value."""
    field = row._meta.get_field(change["field"])
    current = changes.plain(field, getattr(row, field.attname))
    for name in ("new", "old"):
        if current == change[name] or (changes.is_empty(current) and changes.is_empty(change[name])):
            return name
    return ""


def _missing(column: Any, ids: set[Any]) -> set[Any]:
    """Return which references name nothing that is there (1 query, 0 for other columns)."""
    ids = {pk for pk in ids if pk is not None}
    if not isinstance(column, models.ForeignKey) or not ids:
        return set()
    return ids - set(column.related_model._default_manager.filter(pk__in=ids).values_list("pk", flat=True))


def _refuse_all(ids: Sequence[int] | Mapping[int, Any], words: str) -> Outcome:
    return Outcome(refused=dict.fromkeys(ids, words))


def label_of(record: str, field: str) -> str:
    """Return what people call a field (1 query for a custom field)."""
    if field.startswith(CUSTOM):
        definition = custom_field(record, field)
        return definition.label if definition else field
    if field in MULTI:
        return field.replace("_", " ").capitalize()
    return str(_column(record, field).verbose_name).capitalize()


def change_tags(doing: Doing, ids: Sequence[int]) -> Outcome:
    """Add the act's tags to a chunk of records, or take them away (≤ 9 queries)."""
    chosen = set(Term.objects.filter(pk__in=doing.params["tags"]).values_list("pk", flat=True))
    if not chosen:
        return _refuse_all(ids, "The tag is no longer there.")
    if doing.params["way"] == "remove":
        return change_multi(doing.record, doing.user, ids, "tags", lambda _pk, held: held - chosen)
    return change_multi(doing.record, doing.user, ids, "tags", lambda _pk, held: held | chosen)


@marking
def undo_tags(doing: Doing, before: Mapping[int, Any]) -> Outcome:
    """Take the tags away again, or put them back."""
    return undo_multi(doing.record, doing.user, before, "tags")


def assign(doing: Doing, ids: Sequence[int]) -> Outcome:
    """Hand a chunk of records to the act's owner, or to nobody (≤ 10 queries)."""
    owner = doing.params["owner"]
    if owner is not None and not User.objects.filter(pk=owner, is_active=True).exists():
        return _refuse_all(ids, "The new owner was deactivated meanwhile.")
    return write_columns(doing.record, doing.user, {pk: {"owner_id": owner} for pk in ids})


@marking
def undo_assign(doing: Doing, before: Mapping[int, Any]) -> Outcome:
    """Give records back to whom they belonged, where they were not handed on since."""
    return _undo_columns(doing, before, "owner")


def delete(doing: Doing, ids: Sequence[int]) -> Outcome:
    """Take a chunk of records out of every list, segment and figure; their rows stay (≤ 6 queries, and hierarchies)."""
    outcome, now = Outcome(), effective_now()
    records = locked(doing.record, doing.user, ids)
    outcome.refuse_missing(ids, records)
    rows = changes.MODELS[doing.record]._default_manager.filter(pk__in=list(records))
    rows.update(deleted_at=now, version=F("version") + 1, updated_at=now)
    changes.record_bulk(doing.record, [(pk, []) for pk in records], action=str(ChangeAction.DELETED))
    if doing.record == "account":
        refresh_hierarchy(list(records))
    outcome.changed = {pk: {"deleted_at": now.isoformat()} for pk in records}
    return outcome


@marking
def undo_delete(doing: Doing, before: Mapping[int, Any]) -> Outcome:
    """Bring back what the act deleted, one by one; refused where somebody has taken its domain or address."""
    outcome = Outcome()
    model = changes.MODELS[doing.record]
    found: dict[int, Any] = {row.pk: row for row in model._default_manager.filter(pk__in=list(before))}
    seen = set(deleted_visible_to(doing.user, model).filter(pk__in=list(before)).values_list("pk", flat=True))
    for pk in before:
        row = found.get(pk)
        if row is None or row.merged_into_id is not None or (isinstance(row, Contact) and row.erased_at is not None):
            outcome.refused[pk] = "It is gone for good: erased, or merged into another record."
        elif row.deleted_at is None:
            outcome.unchanged += 1
        elif pk not in seen:
            outcome.refused[pk] = GONE
        else:
            try:
                restore_record(row, doing.user)
            except ValidationError as error:
                outcome.refused[pk] = " ".join(error.messages)
            else:
                outcome.changed[pk] = {}
    return outcome


def after_act(doing: Doing) -> None:
    """Let segments and the like follow."""
    tell(after_bulk_act)
