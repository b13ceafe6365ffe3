"""Writing multi fields and custom fields of many records at once: a few statements a chunk."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from django.db import models
from django.db.models import F
from django.utils import timezone

from segmentation_crm.common.bulk import Outcome
from segmentation_crm.common.models import User

from ..models import AccountValue, ContactValue, CustomField, OpportunityValue
from . import changes
from .bulk_columns import locked
from .custom_fields import VALUE_MODELS, clean_value, value_column

MULTI_MODELS: dict[str, type[models.Model]] = {
    "account": AccountValue,
    "contact": ContactValue,
    "opportunity": OpportunityValue,
}
TOUCHED = "{} was changed since; it stays as it is."


def change_multi(
    record: str, user: User, ids: Sequence[int], field: str, wanted: Callable[[int, set[Any]], set[Any]],
    action: str = "updated",
) -> Outcome:  # fmt: skip
    """Make the values of a multi field of each record what `wanted(id, held)` returns: tokens, or ids of terms.

    `changed` holds [{"field", "old", "new"}] of each. Call in a transaction (≤ 9 queries).
    """
    outcome, owner = Outcome(), f"{record}_id"
    records = locked(record, user, ids)
    outcome.refuse_missing(ids, records)
    model = MULTI_MODELS[record]
    held: dict[int, dict[Any, int]] = defaultdict(dict)
    rows = model._default_manager.filter(**{f"{owner}__in": list(records), "field": field})
    for pk, owner_id, token, term in rows.values_list("pk", owner, "token", "term_id"):
        held[owner_id][token or term] = pk
    gone, new = [], []
    for pk in records:
        have = set(held[pk])
        keep = wanted(pk, set(have))
        if keep == have:
            outcome.unchanged += 1
            continue
        gone += [held[pk][value] for value in have - keep]
        new += [model(**{owner: pk, "field": field, **_value(value)}) for value in sorted(keep - have, key=str)]
        old_and_new = {"old": changes.plain_value(have), "new": changes.plain_value(keep)}
        outcome.changed[pk] = [{"field": field, **old_and_new}]
    model._default_manager.filter(pk__in=gone).delete()
    # Somebody else may have added the same value in this moment; on SQLite nobody can.
    model._default_manager.bulk_create(new, ignore_conflicts=True)
    _stamp(record, outcome, action)
    return outcome


def _value(value: Any) -> dict[str, Any]:
    return {"token": value} if isinstance(value, str) else {"term_id": value}


def undo_multi(record: str, user: User, before: Mapping[int, Any], field: str) -> Outcome:
    """Take away what the act added and put back what it took, whatever else was added since."""
    added: dict[int, set[Any]] = {}
    taken: dict[int, set[Any]] = {}
    for pk, logged in before.items():
        old, new = set(logged[0]["old"] or ()), set(logged[0]["new"] or ())
        added[pk], taken[pk] = new - old, old - new
    return change_multi(
        record, user, list(before), field, lambda pk, held: (held - added[pk]) | taken[pk], action="undone"
    )


def change_custom(record: str, user: User, ids: Sequence[int], definition: CustomField, value: Any) -> Outcome:
    """Give a custom field of many records one value, or none; the value as a form or JSON has it (≤ 9 queries).

    Raises ValidationError for a value that does not fit the field.
    """
    wanted = clean_value(definition, value)
    return _write_custom(record, user, dict.fromkeys(ids, wanted), definition, "updated")


def undo_custom(record: str, user: User, before: Mapping[int, Any], definition: CustomField) -> Outcome:
    """Put back the values of a custom field where it still holds what the act wrote."""
    rows = VALUE_MODELS[record]._default_manager.filter(**{f"{record}_id__in": list(before)}, definition=definition)
    column = value_column(definition.type)
    current: dict[int, list[Any]] = defaultdict(list)
    for pk, value in rows.values_list(f"{record}_id", column):
        current[pk].append(value)
    wanted, outcome = {}, Outcome()
    for pk, logged in before.items():
        if _same(_logged(current[pk], definition), logged[0]["new"]):
            old = logged[0]["old"]
            wanted[pk] = clean_value(definition, old)
        elif _same(_logged(current[pk], definition), logged[0]["old"]):
            outcome.unchanged += 1
        else:
            outcome.refused[pk] = TOUCHED.format(definition.label)
    written = _write_custom(record, user, wanted, definition, "undone")
    written.refused.update(outcome.refused)
    written.unchanged += outcome.unchanged
    return written


def _same(first: Any, second: Any) -> bool:
    return (changes.is_empty(first) and changes.is_empty(second)) or first == second


def _logged(values: Iterable[Any], definition: CustomField) -> Any:
    """Return values as the log keeps them: a list of a multi field, else the one value or none."""
    plain = changes.plain_value(list(values))
    if definition.type == "multi":
        return plain
    return plain[0] if plain else None


def _write_custom(
    record: str, user: User, wanted: Mapping[int, list[Any]], definition: CustomField, action: str
) -> Outcome:
    outcome, owner = Outcome(), f"{record}_id"
    records = locked(record, user, list(wanted))
    outcome.refuse_missing(list(wanted), records)
    model, column = VALUE_MODELS[record], value_column(definition.type)
    held: dict[int, dict[Any, int]] = defaultdict(dict)
    rows = model._default_manager.filter(**{f"{owner}__in": list(records)}, definition=definition)
    for pk, owner_id, value in rows.values_list("pk", owner, column):
        held[owner_id][value] = pk
    gone, new = [], []
    for pk in records:
        have, keep = held[pk], wanted[pk]
        if set(have) == set(keep):
            outcome.unchanged += 1
            continue
        gone += [key for value, key in have.items() if value not in keep]
        new += [
            model(**{owner: pk, "definition_id": definition.pk, column: value}) for value in keep if value not in have
        ]
        change = {"old": _logged(have, definition), "new": _logged(keep, definition)}
        outcome.changed[pk] = [{"field": f"custom.{definition.key}", **change}]
    model._default_manager.filter(pk__in=gone).delete()
    model._default_manager.bulk_create(new, ignore_conflicts=True)
    _stamp(record, outcome, action)
    return outcome


def _stamp(record: str, outcome: Outcome, action: str) -> None:
    """Count the versions up and log: a change of values is a change of the record."""
    if not outcome.changed:
        return
    rows = changes.MODELS[record]._default_manager.filter(pk__in=list(outcome.changed))
    rows.update(version=F("version") + 1, updated_at=timezone.now())
    changes.record_bulk(record, list(outcome.changed.items()), action=action)
