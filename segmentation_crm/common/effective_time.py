"""The effective time of a transaction: when the changes it makes are said to have happened; now, unless set.

History triggers, segment runs and imports read it. It lives in the transaction: PostgreSQL keeps it in a local
setting, SQLite in a one-row table that only the writing transaction sees filled.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

from django.db import connections, transaction
from django.utils import timezone

_moment: ContextVar[datetime | None] = ContextVar("effective_time", default=None)

SQLITE_TABLE = "common_effective_time"
# What a trigger writes as the moment of a change. On PostgreSQL the clock, not the transaction's start: under a row
# lock a later change then always has a later moment.
TRIGGER_SQL = {
    "postgresql": "COALESCE(NULLIF(current_setting('crm.effective_time', true), '')::timestamptz, clock_timestamp())",
    "sqlite": f"COALESCE((SELECT moment FROM {SQLITE_TABLE}), strftime('%Y-%m-%d %H:%M:%f', 'now'))",  # noqa: S608 (a constant)
}


def effective_now() -> datetime:
    """Return the moment that changes made here count from: the one set, else now."""
    return _moment.get() or timezone.now()


@contextmanager
def effective_time(moment: datetime, using: str = "default") -> Iterator[None]:
    """Let every change inside count from this moment; opens a transaction or savepoint (2 to 4 queries).

    Raises ValueError for a moment without time zone.
    """
    if timezone.is_naive(moment):
        raise ValueError("The effective time needs a time zone.")
    before = _moment.get()
    with transaction.atomic(using=using):
        _write(using, moment)
        token = _moment.set(moment)
        try:
            yield
        finally:
            _moment.reset(token)
        # After an error the savepoint takes the setting back with everything else.
        _write(using, before)


def install_clock(using: str = "default") -> None:
    """Make the table that holds the moment on SQLite; PostgreSQL needs none (1 query)."""
    connection = connections[using]
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute(
                f"CREATE TABLE IF NOT EXISTS {SQLITE_TABLE} "
                "(id INTEGER PRIMARY KEY CHECK (id = 1), moment TEXT NOT NULL)"
            )


def _write(using: str, moment: datetime | None) -> None:
    connection = connections[using]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT set_config('crm.effective_time', %s, true)", [moment.isoformat() if moment else ""])
            return
        cursor.execute(f"DELETE FROM {SQLITE_TABLE}")  # noqa: S608 (a constant)
        if moment is not None:
            cursor.execute(
                f"INSERT INTO {SQLITE_TABLE} (id, moment) VALUES (1, %s)",  # noqa: S608 (a constant)
                [sqlite_text(moment)],
            )


def sqlite_text(moment: datetime) -> str:
    """Return a moment as Django stores it in SQLite: UTC, without offset."""
    return str(moment.astimezone(UTC).replace(tzinfo=None))
