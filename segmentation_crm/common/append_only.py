"""The audit log is append-only in the database too: triggers refuse to change or delete its entries.

One change is let through: an entry may lose the reference to its actor, because deleting a user sets it to NULL; who
it was stays in `actor_name`.
"""

from typing import Any

from django.core.checks import CheckMessage, Error
from django.db import connections

from .models import AuditEntry
from .triggers import Trigger, about_to_be_put_back, differing, drop, install

REFUSAL = "Audit entries are append-only."
_TABLE = AuditEntry._meta.db_table


def audit_triggers(vendor: str) -> list[Trigger]:
    """Return the triggers for a backend ("postgresql" or "sqlite")."""
    same = "IS NOT DISTINCT FROM" if vendor == "postgresql" else "IS"
    columns = [f.column for f in AuditEntry._meta.concrete_fields if f.column != "actor_id"]
    unchanged = " AND ".join(f"OLD.{column} {same} NEW.{column}" for column in columns)
    refusal = f"SELECT RAISE(ABORT, '{REFUSAL}');"
    if vendor == "postgresql":
        refusal = f"RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'integrity_constraint_violation';"
    changed = f"FOR EACH ROW WHEN (NOT (NEW.actor_id IS NULL AND {unchanged}))"
    return [
        Trigger("crm_audit_no_change", _TABLE, "AFTER UPDATE", changed, refusal),
        Trigger("crm_audit_no_deletion", _TABLE, "AFTER DELETE", "FOR EACH ROW", refusal),
    ]


def install_after_migrations(using: str = "default", **kwargs: Any) -> None:
    """Put the triggers back; does nothing while the table is not there."""
    connection = connections[using]
    if connection.vendor in ("sqlite", "postgresql") and _TABLE in connection.introspection.table_names():
        install(connection, audit_triggers(connection.vendor))


def drop_before_migrations(using: str = "default", plan: Any = (), **kwargs: Any) -> None:
    """Take the triggers away before SQLite rebuilds tables."""
    connection = connections[using]
    if plan and connection.vendor == "sqlite":
        drop(connection, audit_triggers("sqlite"))


def check_triggers(databases: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Report missing triggers to `manage.py check --database default`."""
    found: list[CheckMessage] = []
    for using in databases or []:
        connection = connections[using]
        if about_to_be_put_back() or _TABLE not in connection.introspection.table_names():
            continue
        found += [
            Error(
                f"The trigger {trigger.name} is missing or changed in database {using}: the audit log is not safe.",
                hint="Run manage.py migrate: it puts triggers back.",
                id="common.E001",
            )
            for trigger in differing(connection, audit_triggers(connection.vendor))
        ]
    return found
