"""A condition for a key among many: one parameter, however many keys; for querysets and for SQL written by hand."""

from collections.abc import Iterable
from typing import Any

from django.db.models import BooleanField, Func


def among_sql(vendor: str) -> str:
    """Return the SQL that follows a key's column: it is among the keys of one parameter, `keys_text`."""
    return "= ANY(%s::bigint[])" if vendor == "postgresql" else "IN (SELECT value FROM json_each(%s))"


def keys_text(keys: Iterable[int], vendor: str) -> str:
    """Return keys as that parameter: an array's text (PostgreSQL) or JSON (SQLite).

    As text: the driver would write an array key by key, at a thousand keys longer than the query takes.
    """
    text = ",".join(map(str, keys))
    return f"{{{text}}}" if vendor == "postgresql" else f"[{text}]"


class KeyAmong(Func):
    """The column holds one of the keys, as one array (PostgreSQL) or one JSON text (SQLite).

    Use it in filter() for hundreds of keys: `__in` writes, parses and plans a parameter for each, in every query anew.
    """

    output_field = BooleanField()

    def __init__(self, column: Any, keys: Iterable[int]) -> None:
        self.keys = list(keys)
        super().__init__(column)

    @property
    def identity(self) -> Any:
        return (*super().identity, tuple(self.keys))

    def as_sql(self, compiler: Any, connection: Any, **context: Any) -> Any:  # type: ignore[override]
        """Render the test."""
        sql, params = compiler.compile(self.get_source_expressions()[0])
        return f"{sql} {among_sql(connection.vendor)}", (*params, keys_text(self.keys, connection.vendor))
