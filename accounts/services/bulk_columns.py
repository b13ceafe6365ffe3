"""Writing columns of many records at once: what a form's save does to one, a chunk at a time.

Fields whose change moves other rows (a contact's account, a deal's stage …) are saved one by one through the same
signals as any save; all others are rewritten by one prepared statement a chunk.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import DataError, IntegrityError, connection, models, transaction
from django.utils import timezone

from segmentation_crm.common.access import can
from segmentation_crm.common.bulk import Outcome
from segmentation_crm.common.bulk_insert import bulk_rewrite
from segmentation_crm.common.folding import FoldedField
from segmentation_crm.common.models import User

from ..choices import RecordType
from ..models import Account, Contact, Opportunity, Stage
from ..queries import accounts_visible_to, contacts_visible_to, opportunities_visible_to
from . import accounts, changes, contacts, opportunities
from .money import RateBook

VISIBLE: dict[str, Callable[[Any], models.QuerySet[Any]]] = {
    RecordType.ACCOUNT: accounts_visible_to,
    RecordType.CONTACT: contacts_visible_to,
    RecordType.OPPORTUNITY: opportunities_visible_to,
}
# Their change moves other rows: hierarchies, employments, matching, customers, champions.
FOLLOWED: dict[str, frozenset[str]] = {
    RecordType.ACCOUNT: frozenset({"parent_account", "employee_count"}),
    RecordType.CONTACT: frozenset({"account", "company_name_given"}),
    RecordType.OPPORTUNITY: frozenset({"account", "stage", "lost_reason"}),
}
OUT_OF_SIGHT = "You would not see this record afterwards."
Wanted = Mapping[int, Mapping[str, Any]]


def locked(record: str, user: User, ids: Sequence[int]) -> dict[int, Any]:
    """Return those of the records that the user sees now, held until the transaction ends (1–4 queries)."""
    rows = VISIBLE[record](user).filter(pk__in=ids).order_by("pk")
    if connection.features.has_select_for_update:
        rows = rows.select_for_update(no_key=connection.features.has_select_for_no_key_update)
    return {row.pk: row for row in rows}


def write_columns(record: str, user: User, wanted: Wanted, action: str = "updated") -> Outcome:
    """Set columns of records by attribute, {id: {attname: value}}; `changed` holds what the log of changes holds.

    Refused: records the user does not see, now or afterwards without the right to hand over, and values that break a
    rule. Call in a transaction (≤ 8 queries, one statement for each combination of columns).
    """
    with transaction.atomic():
        outcome = _write(record, user, wanted, action)
        lost = set() if can(user, "records.assign") else _out_of_sight(record, user, outcome)
        if lost:
            # Who may not hand records over may not do it by another field either.
            transaction.set_rollback(True)
    if lost:
        outcome = _write(record, user, {pk: values for pk, values in wanted.items() if pk not in lost}, action)
        outcome.refused.update(dict.fromkeys(lost, OUT_OF_SIGHT))
    return outcome


def _write(record: str, user: User, wanted: Wanted, action: str) -> Outcome:
    outcome = Outcome()
    records = locked(record, user, list(wanted))
    outcome.refuse_missing(list(wanted), records)
    wanted = {pk: values for pk, values in wanted.items() if pk in records}
    names = {name.removesuffix("_id") for values in wanted.values() for name in values}
    if names & FOLLOWED[record]:
        _save_each(records, wanted, outcome)
    else:
        _rewrite(record, records, wanted, outcome, action)
    return outcome


def _out_of_sight(record: str, user: User, outcome: Outcome) -> set[int]:
    """Return those changed records that the user would not see afterwards (1–4 queries)."""
    if not outcome.changed:
        return set()
    seen = VISIBLE[record](user).filter(pk__in=list(outcome.changed)).values_list("pk", flat=True)
    return set(outcome.changed) - set(seen)


def from_log(field: Any, value: Any) -> Any:
    """Return the column's value of what the log keeps (0 queries)."""
    if value is None:
        return None if field.null else field.get_default()
    if isinstance(field, models.ForeignKey):
        return int(value)
    return field.to_python(value)


def _columns(model: type[models.Model]) -> list[str]:
    return [f.attname for f in model._meta.concrete_fields if not getattr(f, "generated", False)]


def _complete(row: Any, before: Mapping[str, Any], book: RateBook) -> None:
    """Normalise and compute as before every save (0 queries)."""
    match row:
        case Account():
            accounts.stamp_lifecycle(row, before["lifecycle_stage"])
            accounts.fill_computed(row, book)
        case Contact():
            accounts.stamp_lifecycle(row, before["lifecycle_stage"])
            contacts.fill_computed(row)
        case Opportunity():
            opportunities.fill_computed(row, book)


def _rewrite(record: str, records: Mapping[int, Any], wanted: Wanted, outcome: Outcome, action: str) -> None:
    model = changes.MODELS[record]
    names, book, now = _columns(model), RateBook.load(), timezone.now()
    shadows = [f for f in model._meta.concrete_fields if isinstance(f, FoldedField)]
    if record == RecordType.OPPORTUNITY:
        _load_stages(records.values())
    groups: dict[tuple[str, ...], list[tuple[Any, dict[str, Any]]]] = defaultdict(list)
    for pk, values in wanted.items():
        row = records[pk]
        before = {name: getattr(row, name) for name in names}
        for name, value in values.items():
            setattr(row, name, value)
        _complete(row, before, book)
        for shadow in shadows:
            shadow.pre_save(row, False)
        if all(getattr(row, name) == before[name] for name in values):
            outcome.unchanged += 1
            continue
        row.version, row.updated_at = before["version"] + 1, now
        groups[tuple(name for name in names if getattr(row, name) != before[name])].append((row, before))
    logged = []
    for changed, rows in groups.items():
        for row, before in _safely(rows, changed, outcome):
            found = changes.differences(row, before)
            outcome.changed[row.pk] = found
            logged.append((row.pk, found))
    changes.record_bulk(record, logged, action=action)


def _load_stages(rows: Iterable[Any]) -> None:
    """Give deals their stages, read once for all (1 query)."""
    rows = list(rows)
    stages = Stage.objects.in_bulk({row.stage_id for row in rows if row.stage_id})
    for row in rows:
        row.stage = stages.get(row.stage_id)


Pairs = list[tuple[Any, dict[str, Any]]]


def _safely(rows: Pairs, names: Sequence[str], outcome: Outcome) -> Pairs:
    """Write all; where a constraint is broken, find by halving which break it and refuse them; returns the others."""
    try:
        with transaction.atomic():
            bulk_rewrite([row for row, _ in rows], names)
        return rows
    except (IntegrityError, DataError, ValueError, OverflowError) as error:
        if len(rows) == 1:
            outcome.refused[rows[0][0].pk] = broken_rule(rows[0][0], error)
            return []
    middle = len(rows) // 2
    return _safely(rows[:middle], names, outcome) + _safely(rows[middle:], names, outcome)


def broken_rule(row: models.Model, error: Exception) -> str:
    """Return in words which rule of the database a row breaks."""
    for constraint in row._meta.constraints:
        if constraint.name and constraint.name in str(error):
            return str(constraint.violation_error_message)
    return "The value does not fit: another record holds it, or it is out of range."


def _save_each(records: Mapping[int, Any], wanted: Wanted, outcome: Outcome) -> None:
    """Save one by one; the signals compute, log and let other rows follow."""
    for pk, values in wanted.items():
        row = records[pk]
        before = {name: getattr(row, name) for name in _columns(type(row))}
        if all(before[name] == value for name, value in values.items()):
            outcome.unchanged += 1
            continue
        try:
            with transaction.atomic():
                _save(row, dict(values))
        except ValidationError as error:
            outcome.refused[pk] = " ".join(error.messages)
        except (IntegrityError, DataError) as error:
            outcome.refused[pk] = broken_rule(row, error)
        else:
            outcome.changed[pk] = changes.differences(row, before)


def _save(row: Any, values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(row, name, value)
    if isinstance(row, Opportunity) and {"stage_id", "lost_reason_id"} & set(values):
        opportunities.check_lost_reason(row.stage, row.lost_reason)
    row.save()
