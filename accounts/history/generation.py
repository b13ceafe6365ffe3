"""The triggers that keep `FieldHistory`, generated for the backend.

Creation writes one row from the record's own date, marked reconstructed. A change at moment t removes what was said
of t and later, closes what ran until t and opens the new value; the same value again just runs on. PostgreSQL
handles creation a statement at a time (COPY), changes a row at a time, only for rows whose value differs.
"""

from segmentation_crm.common.effective_time import TRIGGER_SQL
from segmentation_crm.common.triggers import Trigger

from .tracked import TRACKED, TrackedField

# ruff: noqa: S608 (every name and template below comes from this package, nothing from users)
_COLUMNS = "record_type, record_id, field, value, valid_from, valid_to, source, is_reconstructed"


def history_triggers(vendor: str) -> list[Trigger]:
    """Return the triggers for a backend ("postgresql" or "sqlite")."""
    found: list[Trigger] = []
    for tracked in TRACKED:
        found += [_on_insert(vendor, tracked), _on_update(vendor, tracked)]
    records = {tracked.record_type: tracked.table for tracked in TRACKED}
    return found + [_on_delete(vendor, record_type, table) for record_type, table in records.items()]


def _true(vendor: str) -> str:
    return "TRUE" if vendor == "postgresql" else "1"


def _false(vendor: str) -> str:
    return "FALSE" if vendor == "postgresql" else "0"


def _insert_created(vendor: str, tracked: TrackedField, row: str, source: str) -> str:
    return (
        f"INSERT INTO accounts_fieldhistory ({_COLUMNS}) "
        f"SELECT '{tracked.record_type}', {row}.id, '{tracked.field}', {tracked.value_sql(row)}, "
        f"{tracked.start_sql(vendor, row)}, NULL, 'trigger', {_true(vendor)} "
        f"{source} {tracked.value_sql(row)} <> '';"
    )


def _on_insert(vendor: str, tracked: TrackedField) -> Trigger:
    name = f"crm_history_{tracked.record_type}_{tracked.field}_insert"
    if vendor == "postgresql":
        body = _insert_created(vendor, tracked, "made", "FROM made WHERE")
        return Trigger(name, tracked.table, "AFTER INSERT", "REFERENCING NEW TABLE AS made FOR EACH STATEMENT", body)
    body = _insert_created(vendor, tracked, "NEW", "WHERE")
    return Trigger(name, tracked.table, "AFTER INSERT", "FOR EACH ROW", body)


def _on_update(vendor: str, tracked: TrackedField) -> Trigger:
    of_record = f"record_type = '{tracked.record_type}' AND record_id = NEW.id AND field = '{tracked.field}'"
    moment, value = TRIGGER_SQL[vendor], tracked.value_sql("NEW")
    head = ""
    if vendor == "postgresql":
        # The clock moves on between statements: read it once.
        head, moment = (
            f"PERFORM set_config('crm.history_moment', ({moment})::text, true); ",
            ("current_setting('crm.history_moment')::timestamptz"),
        )
    body = (
        f"{head}DELETE FROM accounts_fieldhistory WHERE {of_record} AND valid_from >= {moment}; "
        f"UPDATE accounts_fieldhistory SET valid_to = CASE WHEN value = {value} THEN NULL ELSE {moment} END "
        f"WHERE {of_record} AND (valid_to IS NULL OR valid_to >= {moment}); "
        f"INSERT INTO accounts_fieldhistory ({_COLUMNS}) "
        f"SELECT '{tracked.record_type}', NEW.id, '{tracked.field}', {value}, {moment}, NULL, 'trigger', "
        f"{_false(vendor)} WHERE NOT EXISTS (SELECT 1 FROM accounts_fieldhistory WHERE {of_record} "
        f"AND valid_to IS NULL);"
    )
    column = tracked.column
    differs = (
        f"OLD.{column} IS DISTINCT FROM NEW.{column}" if vendor == "postgresql" else f"OLD.{column} IS NOT NEW.{column}"
    )
    return Trigger(
        f"crm_history_{tracked.record_type}_{tracked.field}_update",
        tracked.table,
        f"AFTER UPDATE OF {column}",
        f"FOR EACH ROW WHEN ({differs})",
        body,
    )


def _on_delete(vendor: str, record_type: str, table: str) -> Trigger:
    """Return the trigger that takes along what points to a record by type and number, without a foreign key."""
    body = " ".join(
        f"DELETE FROM {dependent} WHERE record_type = '{record_type}' AND record_id = OLD.id;"
        for dependent in ("accounts_fieldhistory", "accounts_provenance", "accounts_externalid")
    )
    return Trigger(f"crm_history_{record_type}_delete", table, "AFTER DELETE", "FOR EACH ROW", body)
