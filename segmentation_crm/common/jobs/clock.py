"""Database time: leases, due times and heartbeats never read a web or worker machine's own clock."""

from datetime import datetime, timedelta

from django.db import connection
from django.db.models import DateTimeField, ExpressionWrapper, Value
from django.db.models.functions import Now
from django.utils import timezone


def database_now() -> datetime:
    """Return the database's clock (1 query on PostgreSQL; SQLite runs in this process, 0 queries)."""
    if connection.vendor == "sqlite":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]


def later(seconds: float) -> ExpressionWrapper:
    """Return an expression for database time plus `seconds` (negative: the past)."""
    return ExpressionWrapper(Now() + Value(timedelta(seconds=seconds)), output_field=DateTimeField())
