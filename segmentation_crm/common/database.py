"""What differs between databases: functions that SQLite lacks, added to each connection."""

from datetime import date, datetime, time
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connections
from django.db.backends.signals import connection_created

from .effective_time import sqlite_text


@lru_cache(maxsize=4096)
def local_midnight_text(day: str | None, time_zone: str | None) -> str | None:
    """Return the start of a local day as SQLite stores moments, or None for an empty or unreadable day."""
    if not day:
        return None
    try:
        start = datetime.combine(date.fromisoformat(day[:10]), time.min, ZoneInfo(time_zone or "UTC"))
    except (ValueError, KeyError):
        return None
    return sqlite_text(start)


def add_sqlite_functions(connection: Any, **kwargs: Any) -> None:
    """Give a new SQLite connection `crm_local_midnight(day, time_zone)`; triggers use it."""
    if connection.vendor == "sqlite":
        connection.connection.create_function("crm_local_midnight", 2, local_midnight_text, deterministic=True)


def local_midnight_sql(vendor: str, day: str) -> str:
    """Return the SQL for the moment at which a day begins in the organisation's time zone."""
    zone = "COALESCE((SELECT time_zone FROM common_organisation WHERE id = 1), 'UTC')"
    if vendor == "sqlite":
        return f"crm_local_midnight({day}, {zone})"
    return f"(({day})::timestamp AT TIME ZONE {zone})"


def forget_plans() -> None:
    """Let PostgreSQL plan anew what triggers do in this session: their plans date from when the tables were small.

    Without it a long job that fills a table goes on with plans for an empty one until the next ANALYZE (1 query).
    """
    default = connections["default"]
    if default.vendor == "postgresql":
        with default.cursor() as cursor:
            cursor.execute("DISCARD PLANS")


def connect_signals() -> None:
    """Add the functions to every connection from now on; called once, by the app's ready()."""
    connection_created.connect(add_sqlite_functions, dispatch_uid="common.database.add_sqlite_functions")
