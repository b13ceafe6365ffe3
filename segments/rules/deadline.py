"""A time limit for rules that people write: the database itself stops what takes too long (RELIABILITY R42)."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import OperationalError, connection, transaction

SECONDS = 5.0


class RuleTooExpensive(Exception):
    """A rule that takes longer than it may; the API answers 422 rule_too_expensive."""

    message = (
        "This rule takes too long to count. Narrow it: use shorter time windows, fewer conditions on related rows, "
        "or 'starts with' instead of 'contains'."
    )

    def __init__(self) -> None:
        super().__init__(self.message)


@dataclass
class Deadline:
    """When to stop; `check()` also tells the database how much time is left."""

    ends: float

    def check(self, *, tell: bool = True) -> None:
        """Pass on the time left to PostgreSQL; tell: False where no query follows that could take long.

        Raises RuleTooExpensive when none is left.
        """
        left = self.ends - time.monotonic()
        if left <= 0:
            raise RuleTooExpensive
        if tell and connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('statement_timeout', %s, true)", [f"{max(1, int(left * 1000))}ms"])


@contextmanager
def limited(seconds: float = SECONDS) -> Iterator[Deadline]:
    """Run read-only queries under a time limit, in a transaction of their own that leaves nothing behind.

    PostgreSQL: read only, statement_timeout, work_mem 64 MB, at most one parallel worker, random pages at their price
    on whole tables; all undone by the rollback of the savepoint or transaction. SQLite: a progress handler.
    Raises RuleTooExpensive.
    """
    deadline = Deadline(time.monotonic() + seconds)
    watch = _sqlite_watch(deadline) if connection.vendor == "sqlite" else _postgresql_limits()
    try:
        with watch:
            yield deadline
    except OperationalError as error:
        if _stopped(error):
            raise RuleTooExpensive from error
        raise


@contextmanager
def _postgresql_limits() -> Iterator[None]:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('transaction_read_only', 'on', true), set_config('work_mem', '64MB', true),"
                " set_config('max_parallel_workers_per_gather', '1', true), set_config('jit', 'off', true),"
                " set_config('random_page_cost', '4', true)"
            )
        yield
        transaction.set_rollback(True)


@contextmanager
def whole_sets() -> Iterator[None]:
    """Let PostgreSQL plan for atoms read whole, until the end of the block (1 query; a savepoint or transaction).

    The sessions' low price of a random page suits pages of few rows: a million rows in the order of an index, each
    fetched from its place, take minutes where one pass and a sort in memory take seconds.
    """
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor, transaction.atomic():
        cursor.execute(
            "SELECT current_setting('work_mem'), current_setting('random_page_cost'),"
            " set_config('work_mem', '64MB', true), set_config('random_page_cost', '4', true)"
        )
        work_mem, page_cost = cursor.fetchone()[:2]
        yield
        # A savepoint that is released keeps what was set in it.
        cursor.execute(
            "SELECT set_config('work_mem', %s, true), set_config('random_page_cost', %s, true)", [work_mem, page_cost]
        )


@contextmanager
def _sqlite_watch(deadline: Deadline) -> Iterator[None]:
    connection.ensure_connection()
    raw: Any = connection.connection
    raw.set_progress_handler(lambda: int(time.monotonic() > deadline.ends), 20_000)
    try:
        yield
    finally:
        raw.set_progress_handler(None, 0)


def _stopped(error: OperationalError) -> bool:
    cause = error.__cause__
    return getattr(cause, "sqlstate", None) == "57014" or "interrupted" in str(error)
