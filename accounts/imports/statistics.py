"""Keep the planner's figures in step with a table that an import fills."""

from typing import Any

from django.db import connection

from ..models import ExternalId
from .types import ImportType

# PostgreSQL plans by the size it last saw: on a table that was empty then, each foreign key of each row would be
# checked by reading the whole table.
_AT = (1_000, 10_000, 100_000, 1_000_000)


def is_due(before: int, after: int) -> bool:
    """Tell whether a run that went from so many rows to so many has outgrown the figures."""
    return connection.vendor == "postgresql" and any(before < mark <= after for mark in _AT)


def refresh(type_: ImportType) -> None:
    """Take the figures of the tables that the type fills anew (1 query); tables somebody else locks are left out."""
    models: list[Any] = [type_.model, ExternalId, type_.value_model, type_.custom_model]
    tables = [connection.ops.quote_name(model._meta.db_table) for model in models if model is not None]
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE (SKIP_LOCKED) {', '.join(dict.fromkeys(tables))}")


def prefer_ordered_indexes() -> None:
    """Keep this transaction's look-ups of a thousand values off the trigram indexes of search (1 query).

    They answer "is one of" too, and what lies in their unmerged list is read again for each value: seconds a batch
    where an index on the same column takes milliseconds. Until the next VACUUM the planner holds them to be empty.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # Trigram indexes know bitmap scans only.
            cursor.execute("SET LOCAL enable_bitmapscan = off")
