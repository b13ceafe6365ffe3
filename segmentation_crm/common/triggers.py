"""Database triggers as data: made, compared with the database and put back after migrations, on both backends."""

import hashlib
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper


@dataclass(frozen=True)
class Trigger:
    """One trigger.

    event: what stands between the name and the action, without the table ("AFTER UPDATE OF stage_id"). granularity:
    what follows the table ("FOR EACH ROW WHEN (…)", transition tables). body: the statements, each ended by ";".
    """

    name: str
    table: str
    event: str
    granularity: str
    body: str

    def sqlite_sql(self) -> str:
        """Return the statement that makes the trigger on SQLite, as sqlite_master keeps it."""
        return f"CREATE TRIGGER {self.name} {self.event} ON {self.table} {self.granularity} BEGIN {self.body} END"

    def postgresql_body(self) -> str:
        """Return the source of the trigger's function on PostgreSQL."""
        return f"BEGIN {self.body} RETURN NULL; END"

    def fingerprint(self) -> str:
        """Return what identifies this version of the trigger."""
        text = f"{self.table} {self.event} {self.granularity} {self.body}"
        return hashlib.sha256(text.encode()).hexdigest()[:32]


def differing(connection: BaseDatabaseWrapper, triggers: Iterable[Trigger]) -> list[Trigger]:
    """Return the triggers that the database lacks or holds in another form (1 query)."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            found = dict(cursor.fetchall())
            return [t for t in triggers if found.get(t.name) != t.sqlite_sql()]
        cursor.execute(
            "SELECT t.tgname, obj_description(t.oid, 'pg_trigger'), p.prosrc, t.tgenabled "
            "FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid WHERE NOT t.tgisinternal "
            "AND t.tgrelid IN (SELECT oid FROM pg_class WHERE relnamespace = current_schema()::regnamespace)"
        )
        known = {name: (mark, source, enabled) for name, mark, source, enabled in cursor.fetchall()}
        return [t for t in triggers if known.get(t.name) != (t.fingerprint(), t.postgresql_body(), "O")]


def about_to_be_put_back() -> bool:
    """Tell whether this process is `manage.py migrate`: it checks the database first, then puts triggers back.

    Without this a program with a new form of a trigger could not migrate, as the old form would be an error.
    """
    return sys.argv[1:2] == ["migrate"]


def install(connection: BaseDatabaseWrapper, triggers: Iterable[Trigger]) -> list[Trigger]:
    """Make the triggers that differ and return them; locks only their tables."""
    changed = differing(connection, triggers)
    with connection.cursor() as cursor:
        for trigger in changed:
            _drop(connection, cursor, trigger)
            if connection.vendor == "sqlite":
                cursor.execute(trigger.sqlite_sql())
                continue
            cursor.execute(
                f"CREATE OR REPLACE FUNCTION {trigger.name}() RETURNS trigger LANGUAGE plpgsql AS "
                f"$trigger${trigger.postgresql_body()}$trigger$"
            )
            cursor.execute(
                f"CREATE TRIGGER {trigger.name} {trigger.event} ON {trigger.table} {trigger.granularity} "
                f"EXECUTE FUNCTION {trigger.name}()"
            )
            cursor.execute(f"COMMENT ON TRIGGER {trigger.name} ON {trigger.table} IS '{trigger.fingerprint()}'")
    return changed


def drop(connection: BaseDatabaseWrapper, triggers: Iterable[Trigger]) -> None:
    """Remove the triggers, those that are there."""
    tables = set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        for trigger in triggers:
            if trigger.table in tables:
                _drop(connection, cursor, trigger)


def _drop(connection: BaseDatabaseWrapper, cursor: Any, trigger: Trigger) -> None:
    on_table = "" if connection.vendor == "sqlite" else f" ON {trigger.table}"
    cursor.execute(f"DROP TRIGGER IF EXISTS {trigger.name}{on_table}")
