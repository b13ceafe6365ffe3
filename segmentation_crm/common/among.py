"""A condition for a key among many: one parameter, however many keys."""

from collections.abc import Iterable
from typing import Any

from django.db.models import BooleanField, Func


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

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Render as = ANY(array)."""
        sql, params = compiler.compile(self.get_source_expressions()[0])
        # As text: the driver would write an array key by key, at a thousand keys longer than the query takes.
        return f"{sql} = ANY(%s::bigint[])", (*params, "{" + ",".join(map(str, self.keys)) + "}")

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Render as IN (SELECT value FROM json_each(text))."""
        sql, params = compiler.compile(self.get_source_expressions()[0])
        text = "[" + ",".join(map(str, self.keys)) + "]"
        return f"{sql} IN (SELECT value FROM json_each(%s))", (*params, text)  # noqa: S608 (sql is a compiled column)
