"""Capture follows the registry: every field's tables and columns have triggers, and a missing trigger is seen."""

import datetime as dt
import re
from decimal import Decimal
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection, models, transaction
from django.test.utils import CaptureQueriesContext

from accounts import capture
from accounts.capture.generation import collected
from accounts.models import ChangeRow, Contact
from segmentation_crm.common.fields import Computed, FieldDef, RegistryError, registry
from segmentation_crm.common.triggers import drop, install
from segments.rules.clock import Clock
from segments.rules.evaluate import evaluate
from segments.rules.validate import validate
from tests import factories as make
from tests.segments.asking import condition, group, related

pytestmark = pytest.mark.django_db
# Not read of any row: which tables a query names besides data (members and settings are read by all).
TABLES = re.compile(r'"((?:accounts|common|segments|campaigns|scoring)_\w+)"')
CAPTURED = {trigger.table for trigger in capture.capture_triggers(connection.vendor)}
FIELDS = [field.key for field in registry.fields(custom=False)]


def tables_read(rule: dict[str, Any], member: str) -> set[str]:
    """Return the tables that the evaluation of a rule names in its SQL."""
    checked = validate(group(rule), member)
    clock = Clock.at(None)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        evaluate(checked, clock)
    return {table for query in asked.captured_queries for table in TABLES.findall(query["sql"])}


def rule_over(field: FieldDef) -> tuple[dict[str, Any], str]:
    """Return a rule that reads a field, and its member type: inside a relation where its record is no member."""
    test = condition(field.key, "is_set")
    if registry.records[field.record].member:
        return test, field.record
    way = next(r for r in registry.relations.values() if r.record == field.record)
    return related(way.key, "some", test), way.owner


@pytest.mark.parametrize("key", FIELDS)
def test_every_table_that_a_field_reads_has_triggers(key):
    field = registry.field(key)
    assert field is not None
    read = tables_read(*rule_over(field))
    assert read <= CAPTURED, f"{key} reads tables without capture: {read - CAPTURED}"
    # What the cache of atoms asks for holds the same tables; reference data goes by the name of the target.
    tables = {name for name in capture.sources_of(field) if name in CAPTURED}
    member_tables = {apps.get_model(r.model)._meta.db_table for r in registry.records.values()}
    references = {table for table in read if table not in collected().sources}
    assert read - member_tables - references <= tables


@pytest.mark.parametrize("key", list(registry.relations))
def test_every_table_that_a_relation_reads_has_triggers(key):
    assert tables_read(related(key, "some"), registry.relations[key].owner) <= CAPTURED


def test_history_is_captured_for_every_field_that_keeps_one():
    for field in registry.fields(custom=False):
        if field.history:
            assert "accounts_fieldhistory" in capture.sources_of(field)


def test_a_computation_that_capture_does_not_know_is_refused():
    new = FieldDef("account.moon", "Moon", "integer", Computed("phase_of_the_moon"), "Who they are", "identity")
    with pytest.raises(RegistryError, match="phase_of_the_moon"):
        capture.sources_of(new)


# --- Each column of each table ---

COLUMNS = [
    (source.table, column) for source in collected().sources.values() for column in sorted(source.columns)
]  # fmt: skip


def another(field: Any, row: Any) -> Any:
    """Return a value of the column that differs from the row's own."""
    now = getattr(row, field.attname)
    if field.is_relation:
        return None if now is not None else factory_of(field.related_model)().pk
    if field.choices:
        return next(str(value) for value, _ in field.flatchoices if value and value != now)
    if isinstance(field, models.BooleanField):
        return not now
    if isinstance(field, models.DateTimeField):
        return dt.datetime(2020, 1, 1 if now is None or now.day != 1 else 2, tzinfo=dt.UTC)
    if isinstance(field, models.DateField):
        return dt.date(2020, 1, 1 if now is None or now.day != 1 else 2)
    if isinstance(field, models.DecimalField):
        return Decimal("0.25") if now != Decimal("0.25") else Decimal("0.5")
    if isinstance(field, models.IntegerField):
        return 2 if now != 2 else 3
    return "zz" if now != "zz" else "yy"


def factory_of(model: Any) -> Any:
    """Return the factory of a model of records."""
    return make.UserFactory if model._meta.model_name == "user" else getattr(make, f"{model.__name__}Factory")


@pytest.mark.parametrize(("table", "column"), COLUMNS, ids=[f"{t}.{c}" for t, c in COLUMNS])
def test_a_change_of_any_column_that_rules_read_is_captured(table, column):
    """By raw SQL, one column alone; NULL where no other value can be given."""
    model = next(m for m in apps.get_models() if m._meta.db_table == table)
    row = factory_of(model)()
    row.refresh_from_db()
    field = next(f for f in model._meta.concrete_fields if f.column == column)
    value = another(field, row)
    ChangeRow.objects.all().delete()
    quote = connection.ops.quote_name
    if value is None and not field.null:
        value = factory_of(field.related_model)().pk
        ChangeRow.objects.all().delete()
    with connection.cursor() as cursor, transaction.atomic():
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA ignore_check_constraints = ON")
        else:
            # A table with waiting checks of foreign keys cannot be altered.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            for constraint in model._meta.constraints:
                if isinstance(constraint, models.CheckConstraint):
                    cursor.execute(f"ALTER TABLE {quote(table)} DROP CONSTRAINT {quote(constraint.name)}")
        prepared = field.get_db_prep_save(value, connection)
        cursor.execute(f"UPDATE {quote(table)} SET {quote(column)} = %s WHERE id = %s", [prepared, row.pk])
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA ignore_check_constraints = OFF")
    assert ChangeRow.objects.filter(source=table, event="U").exists(), (column, value)


# --- Triggers that are missing, switched off or of an older form ---


def test_a_dropped_trigger_is_reported_and_put_back_and_marks_a_rebuild():
    make.ContactFactory()
    ChangeRow.objects.all().delete()
    wanted = capture.capture_triggers(connection.vendor)
    assert capture.missing_triggers() == []
    assert capture.check_triggers(databases=["default"]) == []
    gone = next(t for t in wanted if t.name == "crm_capture_accounts_contact_update")
    with transaction.atomic():
        drop(connection, [gone])
        # The proof that the other tests here would see it.
        Contact.objects.update(seniority="manager")
        assert not capture.pending()
        assert capture.missing_triggers() == [gone.name]
        assert [message.id for message in capture.check_triggers(databases=["default"])] == ["accounts.E003"]
        before = capture.table_versions(["accounts_contact"])
        call_command("migrate", verbosity=0)
        assert capture.missing_triggers() == []
        assert capture.take().rebuild_all
        assert capture.table_versions(["accounts_contact"]) != before


@pytest.mark.skipif(connection.vendor != "postgresql", reason="only PostgreSQL switches triggers off")
def test_a_trigger_switched_off_is_reported():
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE accounts_contact DISABLE TRIGGER crm_capture_accounts_contact_insert")
    assert capture.missing_triggers() == ["crm_capture_accounts_contact_insert"]


def test_every_trigger_is_needed():
    """Each one is reported alone when it is gone."""
    wanted = capture.capture_triggers(connection.vendor)
    assert len({t.name for t in wanted}) == len(wanted) > 70
    for trigger in wanted[:: max(1, len(wanted) // 12)]:
        with transaction.atomic():
            drop(connection, [trigger])
            assert capture.missing_triggers() == [trigger.name]
            install(connection, [trigger])
            assert capture.missing_triggers() == []
