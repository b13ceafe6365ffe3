"""Moving everything that points at one record to another, and back again."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from django.apps import apps
from django.db import models
from django.db.models import Exists, OuterRef, Q

from ..models import ExternalId, Provenance
from .changes import plain

# Computed from the hierarchy: it is set anew after the move.
_COMPUTED = frozenset({"ultimate_parent"})
_CHUNK = 500


class Moved:
    """What a merge moved, dropped and added; kept as JSON so that it can be taken back."""

    def __init__(self, stored: dict[str, Any] | None = None) -> None:
        stored = stored or {}
        self.rows: dict[str, list[int]] = defaultdict(list, stored.get("rows", {}))
        self.dropped: list[dict[str, Any]] = list(stored.get("dropped", []))
        self.added: dict[str, list[int]] = defaultdict(list, stored.get("added", {}))

    def as_json(self) -> dict[str, Any]:
        """Return what JSON can hold: "table.column" -> ids, dropped rows whole, table -> ids of added rows."""
        return {
            "rows": {key: ids for key, ids in self.rows.items() if ids},
            "dropped": self.dropped,
            "added": {key: ids for key, ids in self.added.items() if ids},
        }

    def drop(self, rows: Iterable[models.Model]) -> None:
        """Delete rows of which the kept record has one like it; each is kept whole."""
        rows = list(rows)
        if rows:
            self.dropped += [_whole(row) for row in rows]
            type(rows[0])._base_manager.filter(pk__in=[row.pk for row in rows]).delete()


def relations(model: type[models.Model]) -> Iterator[tuple[type[models.Model], models.ForeignKey]]:
    """Yield every foreign key of any app that points at a kind of record."""
    found: list[Any] = list(model._meta.get_fields(include_hidden=True))
    for relation in found:
        points_here = relation.auto_created and not relation.concrete and (relation.one_to_many or relation.one_to_one)
        if points_here and not relation.related_model._meta.proxy and relation.field.name not in _COMPUTED:
            yield relation.related_model, relation.field


def unique_sets(model: type[models.Model], name: str) -> list[tuple[tuple[str, ...], Q]]:
    """Return the columns, and the condition, of each unique constraint that holds a column."""
    found = [
        (tuple(constraint.fields), constraint.condition or Q())
        for constraint in model._meta.constraints
        if isinstance(constraint, models.UniqueConstraint) and name in constraint.fields
    ]
    return [*found, *((tuple(fields), Q()) for fields in model._meta.unique_together if name in fields)]


def count_rows(gone: models.Model) -> dict[str, int]:
    """Return how many rows of each kind point at a record: plural words -> number (1 query a table)."""
    found: dict[str, int] = defaultdict(int)
    for model, field in relations(type(gone)):
        number = model._base_manager.filter(**{field.name: gone.pk}).count()
        if number:
            found[str(model._meta.verbose_name_plural)] += number
    return dict(sorted(found.items(), key=lambda pair: -pair[1]))


def move_rows(kept: models.Model, gone: models.Model, moved: Moved, leave: dict[str, list[int]]) -> None:
    """Let every row that points at the gone record point at the kept one (3 queries a table and constraint).

    leave: "table" -> ids of rows that stay where they are.
    """
    for model, field in relations(type(gone)):
        rows = model._base_manager.filter(**{field.name: gone.pk}).exclude(pk__in=leave.get(model._meta.label, []))
        if model is type(gone):
            rows = rows.exclude(pk=kept.pk)
        for columns, condition in unique_sets(model, field.name):
            same = {column: OuterRef(column) for column in columns if column != field.name}
            twin = model._base_manager.filter(condition, **same, **{field.name: kept.pk})
            moved.drop(rows.filter(condition).filter(Exists(twin)))
        ids = list(rows.order_by("pk").values_list("pk", flat=True))
        for part in _parts(ids):
            model._base_manager.filter(pk__in=part).update(**{field.attname: kept.pk})
        moved.rows[f"{model._meta.label}.{field.attname}"] += ids
    _move_numbers(kept, gone, moved)


def _move_numbers(kept: models.Model, gone: models.Model, moved: Moved) -> None:
    kind = str(gone._meta.model_name)
    rows = ExternalId.objects.filter(record_type=kind, record_id=gone.pk)
    ids = list(rows.values_list("pk", flat=True))
    rows.update(record_id=kept.pk)
    moved.rows[f"{ExternalId._meta.label}.record_id"] += ids


def move_sources(kept: models.Model, gone: models.Model, fields: Iterable[str], moved: Moved) -> None:
    """Let the sources of values that came from the gone record come along (3 queries)."""
    kind, names = str(gone._meta.model_name), list(fields)
    theirs = Provenance.objects.filter(record_type=kind, record_id=gone.pk, field__in=names)
    moved.drop(Provenance.objects.filter(record_type=kind, record_id=kept.pk, field__in=names))
    ids = list(theirs.values_list("pk", flat=True))
    theirs.update(record_id=kept.pk)
    moved.rows[f"{Provenance._meta.label}.record_id"] += ids


def move_back(kept: models.Model, gone: models.Model, moved: Moved) -> None:
    """Take a move back: rows that still point at the kept record, those dropped, without those added."""
    for label, ids in moved.added.items():
        _model(label)._base_manager.filter(pk__in=ids).delete()
    for key, ids in moved.rows.items():
        label, _, column = key.rpartition(".")
        for part in _parts(ids):
            _model(label)._base_manager.filter(pk__in=part, **{column: kept.pk}).update(**{column: gone.pk})
    for dropped in moved.dropped:
        model = _model(dropped["table"])
        if not model._base_manager.filter(pk=dropped["values"][model._meta.pk.attname]).exists():
            _made(model, dropped["values"]).save_base(raw=True, force_insert=True)


def _whole(row: models.Model) -> dict[str, Any]:
    """Return a row with all its columns as JSON, to the microsecond."""
    values = {field.attname: plain(field, getattr(row, field.attname)) for field in _columns(type(row))}
    return {"table": row._meta.label, "values": values}


def _made(model: Any, values: dict[str, Any]) -> models.Model:
    row: models.Model = model()
    for field in _columns(model):
        value = values[field.attname]
        setattr(row, field.attname, value if isinstance(field, models.ForeignKey) else field.to_python(value))
    return row


def _columns(model: type[models.Model]) -> list[models.Field]:
    return [field for field in model._meta.concrete_fields if not getattr(field, "generated", False)]


def _model(label: str) -> Any:
    return apps.get_model(label)


def _parts(ids: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(ids), _CHUNK):
        yield ids[start : start + _CHUNK]
