"""The triggers of change capture in the database: put back after migrations, compared with what they should be."""

from collections.abc import Iterable
from typing import Any

from django.core.checks import CheckMessage, Error
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from segmentation_crm.common.effective_time import install_clock
from segmentation_crm.common.triggers import Trigger, about_to_be_put_back, differing, drop, install

from ..models import ChangeRow
from .generation import CHANGES, capture_triggers
from .taking import MEMBER_TABLES
from .versions import EVERYTHING

_VENDORS = ("sqlite", "postgresql")
# Event of a row that says: writes may have been missed, rebuild.
_MISSED = "T"


def missing_triggers(using: str = "default") -> list[str]:
    """Return the names of triggers that the database lacks or holds in another form, or off (1 query)."""
    connection = connections[using]
    return [t.name for t in differing(connection, capture_triggers(connection.vendor))]


def _ready(connection: BaseDatabaseWrapper) -> bool:
    """Tell whether every table that rules read is there with all its columns (a partial migration lacks some)."""
    from django.apps import apps

    if connection.vendor not in _VENDORS:
        return False
    wanted = {t.table for t in capture_triggers(connection.vendor)} | {CHANGES, "common_organisation"}
    models = {model._meta.db_table: model for model in apps.get_models(include_auto_created=True)}
    with connection.cursor() as cursor:
        if not wanted <= set(connection.introspection.table_names(cursor)):
            return False
        for table in wanted:
            there = _columns(connection, cursor, table)
            if not {f.column for f in models[table]._meta.concrete_fields} <= there:
                return False
    return True


def _columns(connection: BaseDatabaseWrapper, cursor: Any, table: str) -> set[str]:
    if connection.vendor == "sqlite":
        # table_xinfo, unlike table_info, lists generated columns.
        cursor.execute(f'PRAGMA table_xinfo("{table}")')
        return {row[1] for row in cursor.fetchall()}
    return {column.name for column in connection.introspection.get_table_description(cursor, table)}


def drop_before_migrations(using: str = "default", plan: Any = (), **kwargs: Any) -> None:
    """Take the triggers away before SQLite rebuilds tables: renaming fails while a trigger names a missing table."""
    connection = connections[using]
    if plan and connection.vendor == "sqlite":
        drop(connection, _all_of(connection))


def _all_of(connection: BaseDatabaseWrapper) -> Iterable[Trigger]:
    """Return every capture trigger that stands in SQLite, those of an older program too."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'crm_capture_%'")
        return [Trigger(name, table, "", "", "") for name, table in cursor.fetchall()]


def install_after_migrations(using: str = "default", **kwargs: Any) -> None:
    """Put the triggers back; where any was missing, mark that everything be rebuilt: writes may have been missed."""
    connection = connections[using]
    if connection.vendor not in _VENDORS or not _ready(connection):
        return
    install_clock(using)
    if install(connection, capture_triggers(connection.vendor)) and _has_records(connection):
        ChangeRow.objects.using(using).create(source=EVERYTHING, event=_MISSED)


def _has_records(connection: BaseDatabaseWrapper) -> bool:
    with connection.cursor() as cursor:
        for table in MEMBER_TABLES.values():
            cursor.execute(f"SELECT EXISTS (SELECT 1 FROM {table})")  # noqa: S608 (names of our own tables)
            if cursor.fetchone()[0]:
                return True
    return False


def check_triggers(databases: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Report missing triggers to `manage.py check --database default`."""
    found: list[CheckMessage] = []
    for using in databases or []:
        if not about_to_be_put_back() and _ready(connections[using]):
            found += [
                Error(
                    f"The capture trigger {name} is missing or changed in database {using}: "
                    "segments would miss writes to its table.",
                    hint="Run manage.py migrate: it puts triggers back and marks that segments be rebuilt.",
                    id="accounts.E003",
                )
                for name in missing_triggers(using)
            ]
    return found
