"""Rows made inside PostgreSQL: INSERT … SELECT from generate_series, drawn by hashes of the row's number."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import connection, models

from segmentation_crm.common.folding import FoldedField


def uniform(salt: int, number: str = "g") -> str:
    """Return SQL for a number from 0 to below 1 that depends on the row's number alone."""
    return f"((hashint8extended(({number})::bigint, {salt}) & 1048575)::float8 / 1048576)"


def pick(values: Sequence[str | int | None], salt: int, number: str = "g") -> str:
    """Return SQL that draws one of the values; a text is quoted, None is NULL."""
    shown = ", ".join("NULL" if v is None else f"'{v}'" if isinstance(v, str) else str(v) for v in values)
    return f"(ARRAY[{shown}])[1 + floor({uniform(salt, number)} * {len(values)})::int]"


def whole(low: int, high: int, salt: int, number: str = "g") -> str:
    """Return SQL for a whole number from low to high, both included."""
    return f"({low} + floor({uniform(salt, number)} * {high - low + 1})::bigint)"


def skewed(count: int, power: float, salt: int, number: str = "g") -> str:
    """Return SQL for a key from 1 to count, the lower the more often: some records are heavy."""
    return f"(1 + floor(power({uniform(salt, number)}, {power}) * {count})::bigint)"


def days_ago(most: float, salt: int, number: str = "g", power: float = 1.0) -> str:
    """Return SQL for a moment in the last days; with a power above 1 mostly of late."""
    return f"(now() - power({uniform(salt, number)}, {power}) * interval '{int(most * 86400)} seconds')"


def insert(model: type[models.Model], count: int, values: dict[str, str], first: int = 1) -> None:
    """Insert rows number first … count with ids of that number.

    values: attribute -> SQL over the number `g`. What is not named takes its default, shadows are folded from their
    source, times of writing are now.
    """
    options = model._meta
    inner, outer, columns = ["g AS id"], ["id"], ["id"]
    for field in options.concrete_fields:
        if field.primary_key or getattr(field, "generated", False):
            continue
        columns.append(field.column)
        if field.attname in values:
            inner.append(f"{values[field.attname]} AS {field.column}")
            outer.append(field.column)
        elif isinstance(field, FoldedField):
            source = field.source
            outer.append(f"lower(btrim({source}))" if source in values else "''")
        else:
            outer.append(_default(field))
    quoted = ", ".join(connection.ops.quote_name(name) for name in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {options.db_table} ({quoted}) SELECT {', '.join(outer)} FROM "
            f"(SELECT {', '.join(inner)} FROM generate_series({first}, {count}) AS g) AS drawn"
        )
        cursor.execute(
            f"SELECT setval(pg_get_serial_sequence('{options.db_table}', 'id'), "
            f"greatest(1, (SELECT max(id) FROM {options.db_table})))"
        )


def _default(field: Any) -> str:
    if field.get_internal_type() == "DateTimeField" and not field.null:
        return "now()"
    if field.null:
        return "NULL"
    value = field.get_default()
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int):
        return str(value)
    if value in (None, ""):
        return "''"
    return f"'{value}'"


@contextmanager
def without_indexes(tables: Sequence[str]) -> Iterator[None]:
    """Drop indexes and foreign keys of the tables, and put them back: the keys are then checked as a whole."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT i.indexname, i.indexdef FROM pg_indexes i LEFT JOIN pg_constraint c ON c.conname = i.indexname "
            "WHERE i.schemaname = 'public' AND i.tablename = ANY(%s) AND c.oid IS NULL",
            [list(tables)],
        )
        indexes = cursor.fetchall()
        cursor.execute(
            "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
            "WHERE contype = 'f' AND conrelid::regclass::text = ANY(%s)",
            [list(tables)],
        )
        keys = cursor.fetchall()
        for table, name, _ in keys:
            cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
        for name, _ in indexes:
            cursor.execute(f'DROP INDEX "{name}"')
        yield
        cursor.execute("SET maintenance_work_mem = '512MB'")
        for _, definition in indexes:
            cursor.execute(definition)
        for table, name, definition in keys:
            cursor.execute(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}')
