"""The history of fields: kept by database triggers that are put back after every migration."""

from typing import Any

from django.core.checks import CheckMessage, Error
from django.db import connections

from segmentation_crm.common.effective_time import install_clock
from segmentation_crm.common.triggers import about_to_be_put_back, differing, drop, install

from .generation import history_triggers
from .tracked import TRACKED, TrackedField

__all__ = [
    "TRACKED",
    "TrackedField",
    "check_triggers",
    "drop_before_migrations",
    "history_triggers",
    "install_after_migrations",
    "missing_triggers",
]


def missing_triggers(using: str = "default") -> list[str]:
    """Return the names of history triggers that the database lacks or holds in another form (1 query)."""
    connection = connections[using]
    return [t.name for t in differing(connection, history_triggers(connection.vendor))]


def _ready(using: str) -> bool:
    """Tell whether every table that the triggers name is there with its columns (a partial migration lacks some)."""
    connection = connections[using]
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))
        needed = {t.table for t in TRACKED} | {"accounts_fieldhistory", "accounts_stage", "common_organisation"}
        if not needed <= tables:
            return False
        for tracked in TRACKED:
            columns = {c.name for c in connection.introspection.get_table_description(cursor, tracked.table)}
            if tracked.column not in columns:
                return False
    return True


def drop_before_migrations(using: str = "default", plan: Any = (), **kwargs: Any) -> None:
    """Take the triggers away before SQLite rebuilds tables: renaming fails while a trigger names a missing table."""
    connection = connections[using]
    if plan and connection.vendor == "sqlite":
        drop(connection, history_triggers("sqlite"))


def install_after_migrations(using: str = "default", **kwargs: Any) -> None:
    """Put the triggers back; does nothing while the tables are not all there."""
    connection = connections[using]
    if connection.vendor not in ("sqlite", "postgresql") or not _ready(using):
        return
    install_clock(using)
    install(connection, history_triggers(connection.vendor))


def check_triggers(databases: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Report missing triggers to `manage.py check --database default`."""
    found: list[CheckMessage] = []
    for using in databases or []:
        if not about_to_be_put_back() and _ready(using):
            found += [
                Error(
                    f"The history trigger {name} is missing or changed in database {using}.",
                    hint="Run manage.py migrate: it puts triggers back.",
                    id="accounts.E001",
                )
                for name in missing_triggers(using)
            ]
    return found
