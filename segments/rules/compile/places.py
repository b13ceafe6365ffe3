"""Places: where the record that a node speaks of stands in the query being built."""

from dataclasses import dataclass, replace
from typing import Any

from django.apps import apps
from django.db.models import BigIntegerField, ExpressionWrapper, F, Field, Model, Q, QuerySet
from django.db.models.expressions import Expression
from django.db.models.lookups import Exact, IsNull

from segmentation_crm.common.fields import RecordDef, registry

from ..clock import Clock


def record_def(prefix: str) -> RecordDef:
    """Return the declaration of a kind of record."""
    return registry.records[prefix]


def model_of(prefix: str) -> type[Model]:
    """Return the model of a kind of record."""
    return apps.get_model(record_def(prefix).model)


class TypedColumn(ExpressionWrapper):
    """A column with its type; unlike ExpressionWrapper never cast on SQLite, where a cast hides the column's index."""

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        """Render the bare column."""
        return self.as_sql(compiler, connection, **extra)


@dataclass(frozen=True)
class Link:
    """The row of a many-to-many table through which a related record was reached."""

    model: type[Model]
    owner: str
    related: str


@dataclass(frozen=True)
class Place:
    """A record in a query: the table the query selects from, and the to-one path from it to the record.

    base: the path to the row the query is about (empty, or the related end of a many-to-many table); hops: the
    to-one path from there. Only hops can lead to nothing or to a deleted record.
    """

    model: type[Model]
    record: str
    base: tuple[str, ...] = ()
    hops: tuple[str, ...] = ()
    link: Link | None = None
    member: str = ""

    def hop(self, hops: tuple[str, ...], record: str) -> "Place":
        """Return the place reached by foreign keys."""
        return replace(self, hops=(*self.hops, *hops), record=record) if hops else self

    @property
    def path(self) -> tuple[str, ...]:
        """Return the whole path from the query's table."""
        return (*self.base, *self.hops)

    @property
    def key(self) -> str:
        """Return the path of the record's primary key."""
        return "__".join(self.path) + "_id" if self.path else "pk"

    def field(self, name: str) -> "Field[Any, Any]":
        """Return the model field of a column; `name` may itself follow foreign keys."""
        model: type[Model] = self.model
        steps = [*self.path, *name.split("__")]
        for step in steps[:-1]:
            model = model._meta.get_field(step).related_model  # type: ignore[assignment]
        return model._meta.get_field(steps[-1])  # type: ignore[return-value]

    def column(self, name: str) -> Expression:
        """Return the column of the record as an expression of known type; a foreign key gives the id."""
        field = self.field(name.removesuffix("_id") if name.endswith("__id") else name)
        path = "__".join((*self.path, name))
        if field.is_relation:
            return TypedColumn(F(path if path.endswith("_id") else f"{path}_id"), BigIntegerField())
        return TypedColumn(F(path), getattr(field, "output_field", None) or field)

    def guard(self) -> Q:
        """Return the test that every record on the way is live; empty without hops."""
        found = Q()
        model: Any = self.model
        for step in self.base:
            model = model._meta.get_field(step).related_model
        for count, step in enumerate(self.hops, start=1):
            model = model._meta.get_field(step).related_model
            path = "__".join((*self.base, *self.hops[:count]))
            for definition in registry.records.values():
                if definition.model == model._meta.label:
                    found &= live(definition, path)
        return found

    def present(self) -> Q:
        """Return the test that the record exists and is live; empty without hops."""
        if not self.hops:
            return Q()
        return Q(IsNull(F(self.key), False)) & self.guard()


def live(record: RecordDef, path: str = "") -> Q:
    """Return the test that a record at this path is not deleted, merged away or erased."""
    found = Q()
    for lookup, value in record.live:
        name, _, kind = lookup.rpartition("__") if lookup.endswith("__isnull") else (lookup, "", "")
        column = F(f"{path}__{name}" if path else name)
        found &= Q(IsNull(column, value)) if kind else Q(Exact(column, value))
    return found


def happened(record: RecordDef, clock: Clock, path: str = "") -> Q:
    """Return the test that a record's event time lies before as_of or is empty."""
    if record.event_time is None:
        return Q()
    name, kind = record.event_time
    place = f"{path}__{name}" if path else name
    column = apps.get_model(record.model)._meta.get_field(name)
    # An event time that is always there needs no second test, so that its index serves.
    empty = Q((f"{place}__isnull", True)) if getattr(column, "null", True) else None
    if kind == "datetime":
        before = Q((f"{place}__lt", clock.as_of))
        return before if empty is None else empty | before
    # A date counts as its local midnight, so today's exists once the day has begun.
    today = clock.today
    start = clock.start_of(today)
    bound = f"{place}__lte" if start is None or start < clock.as_of else f"{place}__lt"
    return Q((bound, today)) if empty is None else empty | Q((bound, today))


def members(prefix: str, clock: Clock) -> QuerySet[Any]:
    """Return the records that a rule over this member type may select: live, and there at as_of (lazy)."""
    record = record_def(prefix)
    manager = model_of(prefix)._default_manager
    return manager.filter(live(record)).filter(happened(record, clock)).order_by()


def member_place(prefix: str) -> Place:
    """Return the place of the member record itself."""
    return Place(model_of(prefix), prefix, member=prefix)
