"""Write many rows of one table at once: COPY on PostgreSQL, one prepared statement on SQLite.

Django's own bulk insert writes a statement as long as the data; building it costs more than the database's work.
"""

from collections.abc import Callable, Sequence
from typing import Any

from django.db import connections, models, router, transaction

# Fields whose usual Python values both drivers take as they are.
_AS_IT_STANDS: tuple[tuple[Any, type], ...] = (
    (models.CharField, str),
    (models.TextField, str),
    (models.BooleanField, bool),
    (models.IntegerField, int),
    (models.ForeignKey, int),
)

Row = list[Any]


def bulk_insert(objects: Sequence[Any]) -> None:
    """Insert new objects of one model and give them their ids; as `bulk_create`, without signals (2 queries).

    `pre_save` of the fields (shadows, time stamps) and the database's triggers run. All or nothing: raises the
    database's IntegrityError or DataError, or ValueError for a value that no driver can send.
    """
    if not objects:
        return
    model = type(objects[0])
    options = model._meta
    fields = [f for f in options.concrete_fields if not f.primary_key]
    if (
        options.parents
        or not isinstance(options.pk, models.AutoField | models.BigAutoField)
        or any(f.generated or f.has_db_default() for f in fields)
        or any(one.pk is not None for one in objects)
    ):
        model._default_manager.bulk_create(objects)
        return
    alias = router.db_for_write(model)
    with transaction.atomic(using=alias, savepoint=False):
        rows = _rows(objects, fields, connections[alias])
        write = _copy if connections[alias].vendor == "postgresql" else _execute_many
        ids = write(connections[alias], options, [f.column for f in fields], rows)
    for one, pk in zip(objects, ids, strict=True):
        one.pk = pk
        one._state.adding = False
        one._state.db = alias


def bulk_insert_rows(model: type[models.Model], attributes: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Insert rows given as values of these attributes, the cheapest way there is; nobody learns their ids (1 query).

    Every column without a default of the database must be named; `pre_save` of fields does not run: shadows are given.
    """
    if not rows:
        return
    options = model._meta
    by_name: dict[str, Any] = {field.attname: field for field in options.concrete_fields}
    fields = [by_name[name] for name in attributes]
    connection = connections[router.db_for_write(model)]
    quote = connection.ops.quote_name
    names = ", ".join(quote(field.column) for field in fields)
    known: dict[tuple[int, type, Any], Any] = {}

    def ready(at: int, value: Any) -> Any:
        if value is None or type(value) in (str, int, bool):
            return value
        if isinstance(value, list | dict):
            return fields[at].get_db_prep_save(value, connection)
        # Moments, numbers and ids of a batch are the same for many rows.
        key = (at, type(value), value)
        if key not in known:
            known[key] = fields[at].get_db_prep_save(value, connection)
        return known[key]

    written = ([ready(at, value) for at, value in enumerate(row)] for row in rows)
    table = quote(options.db_table)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with connection.wrap_database_errors, cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for row in written:
                    copy.write_row(row)
        else:
            marks = ", ".join(["%s"] * len(fields))
            cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(written))  # noqa: S608


def bulk_rewrite(objects: Sequence[Any], attributes: Sequence[str]) -> None:
    """Update some columns of rows of one model, by their attributes; shadows must be set (1 prepared statement).

    Raises what the database raises; call inside a transaction.
    """
    if not objects:
        return
    options = type(objects[0])._meta
    fields = [field for field in options.concrete_fields if field.attname in set(attributes)]
    connection = connections[router.db_for_write(type(objects[0]))]
    quote = connection.ops.quote_name
    columns = ", ".join(f"{quote(field.column)} = %s" for field in fields)
    values = [
        [f.get_db_prep_save(getattr(one, f.attname), connection) for f in (*fields, options.pk)] for one in objects
    ]
    with connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE {quote(options.db_table)} SET {columns} WHERE {quote(options.pk.column)} = %s",  # noqa: S608
            values,
        )


def _rows(objects: Sequence[Any], fields: Sequence[Any], connection: Any) -> list[Row]:
    plan = [_column(field, connection) for field in fields]
    rows = []
    for one in objects:
        values = one.__dict__
        row: Row = []
        for name, pre_save, usual, convert in plan:
            value = values[name] if pre_save is None else pre_save(one, True)
            row.append(value if type(value) in usual else convert(value))
        rows.append(row)
    return rows


def _column(field: Any, connection: Any) -> tuple[str, Callable[..., Any] | None, set[type], Callable[[Any], Any]]:
    """Return attribute, `pre_save` where the field sets a value, the types that need no conversion, the conversion."""
    if isinstance(field, models.DateField | models.TimeField):
        sets_value = field.auto_now or field.auto_now_add
    else:
        sets_value = type(field).pre_save is not models.Field.pre_save
    usual = {python for kind, python in _AS_IT_STANDS if isinstance(field, kind)}
    if not isinstance(field, models.JSONField):
        usual.add(type(None))

    def convert(value: Any) -> Any:
        return field.get_db_prep_save(value, connection)

    return field.attname, field.pre_save if sets_value else None, usual, convert


def _copy(connection: Any, options: Any, columns: Sequence[str], rows: Sequence[Row]) -> list[int]:
    quote = connection.ops.quote_name
    names = ", ".join(quote(name) for name in [options.pk.column, *columns])
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, %s)) FROM generate_series(1, %s)",
            [quote(options.db_table), options.pk.column, len(rows)],
        )
        ids = [pk for (pk,) in cursor.fetchall()]
        with (
            connection.wrap_database_errors,
            cursor.copy(f"COPY {quote(options.db_table)} ({names}) FROM STDIN") as copy,
        ):
            for pk, row in zip(ids, rows, strict=True):
                copy.write_row([pk, *row])
    return ids


def _execute_many(connection: Any, options: Any, columns: Sequence[str], rows: Sequence[Row]) -> list[int]:
    """Insert with ids counted on from the table's last one: the transaction holds the only write lock."""
    quote = connection.ops.quote_name
    names = ", ".join(quote(name) for name in [options.pk.column, *columns])
    marks = ", ".join(["%s"] * (len(columns) + 1))
    with connection.cursor() as cursor:
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [options.db_table])
        last = (cursor.fetchone() or (0,))[0]
        ids = list(range(last + 1, last + 1 + len(rows)))
        cursor.executemany(
            f"INSERT INTO {quote(options.db_table)} ({names}) VALUES ({marks})",  # noqa: S608
            [[pk, *row] for pk, row in zip(ids, rows, strict=True)],
        )
    return ids
