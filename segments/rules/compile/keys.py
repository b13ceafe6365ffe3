"""Tests on keys that are known beforehand, read when the query is rendered: compiling stays free of queries."""

from collections.abc import Callable
from typing import Any

from django.db.models import BooleanField, Exists, F, Func
from pyroaring import BitMap

from segmentation_crm.common.among import among_sql, keys_text

KeySource = Callable[[], BitMap]
MovedSource = Callable[[], tuple[BitMap, BitMap]]


class KeyAmong(Func):
    """A key among those that a source gives, as one array (PostgreSQL) or one JSON text (SQLite); FALSE for no key."""

    output_field = BooleanField()

    def __init__(self, key: Any, source: KeySource) -> None:
        self.source = source
        super().__init__(key)

    @property
    def identity(self) -> Any:
        return (*super().identity, self.source)

    def as_sql(self, compiler: Any, connection: Any, *args: Any, **context: Any) -> Any:
        """Render the test (the queries of the source)."""
        key, params = compiler.compile(self.get_source_expressions()[0])
        test, keys = _among(key, params, self.source(), connection)
        return f"({key} IS NOT NULL AND {test})", (*params, *keys)


class StoodIn(Func):
    """Membership at an earlier moment: the stored one, put right for those who moved since.

    Where nobody moved, which is the usual case, it renders as the stored membership's Exists alone.
    """

    output_field = BooleanField()

    def __init__(self, stored: Exists, key: str, source: MovedSource) -> None:
        self.source = source
        super().__init__(stored, F(key))

    @property
    def identity(self) -> Any:
        return (*super().identity, self.source)

    def as_sql(self, compiler: Any, connection: Any, *args: Any, **context: Any) -> Any:
        """Render the test (the queries of the source)."""
        stored, column = self.get_source_expressions()
        exists, params = compiler.compile(stored)
        moved, inside = self.source()
        if not moved:
            return exists, params
        key, of_key = compiler.compile(column)
        since, since_keys = _among(key, of_key, moved, connection)
        before, before_keys = _among(key, of_key, inside, connection)
        sql = f"({key} IS NOT NULL AND (({exists} AND NOT {since}) OR {before}))"
        return sql, (*of_key, *params, *since_keys, *before_keys)


def _among(key: str, params: Any, keys: BitMap, connection: Any) -> tuple[str, tuple[Any, ...]]:
    return f"{key} {among_sql(connection.vendor)}", (*params, keys_text(keys, connection.vendor))
