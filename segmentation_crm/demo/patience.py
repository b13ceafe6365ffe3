"""Limits of a long transaction on PostgreSQL: those of a worker, also where a command runs with a page's."""

from django.db import connection


def be_patient() -> None:
    """Let statements of this transaction take minutes, and the pauses between them (2 queries; none on SQLite)."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = '300s'")
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = '300s'")
