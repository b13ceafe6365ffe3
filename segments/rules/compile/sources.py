"""Sources: where the values of a field are found, from a place in a query.

Three shapes: `OwnValue`, an expression on the record's own row; `ManyValues`, values in rows of another table;
`Figure`, one figure over such rows. `Flag` is a truth that is itself a verdict.
"""

from dataclasses import dataclass
from typing import Any

from django.db.models import Case, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.functions import Coalesce

from accounts.models import (
    AccountCustomValue,
    AccountValue,
    ContactCustomValue,
    ContactValue,
    OpportunityCustomValue,
    OpportunityValue,
)
from segmentation_crm.common.fields import Column, Computed, CustomValue, FieldDef, RelatedValues, ValueRows, registry

from ..clock import Clock
from . import scalars
from .places import Place, happened, live, model_of, record_def
from .verdicts import Verdict

VALUE_MODELS: dict[str, Any] = {"account": AccountValue, "contact": ContactValue, "opportunity": OpportunityValue}
CUSTOM_MODELS: dict[str, Any] = {
    "account": AccountCustomValue,
    "contact": ContactCustomValue,
    "opportunity": OpportunityCustomValue,
}
CUSTOM_COLUMNS = {
    "text": "text_folded",
    "enum": "text",
    "multi": "text",
    "boolean": "boolean",
    "date": "date",
    "datetime": "moment",
}


@dataclass(frozen=True)
class OwnValue:
    """An expression on the record's own row, reached by to-one joins only."""

    expression: Any


@dataclass(frozen=True)
class ManyValues:
    """The values in `rows` whose `owner` column holds the record's key."""

    rows: QuerySet[Any]
    owner: str
    value: Any


@dataclass(frozen=True)
class Figure:
    """An aggregate over the `rows` of one owner; `default` where there is no row (None: empty)."""

    rows: QuerySet[Any]
    owner: str
    aggregate: Any
    default: int | None = None


@dataclass(frozen=True)
class Flag:
    """A truth that is itself a verdict of the record, never empty."""

    verdict: Verdict


Source = OwnValue | ManyValues | Figure | Flag


def find(place: Place, field: FieldDef, clock: Clock) -> Source:
    """Return where the values of the field are found (0 queries)."""
    source = field.source
    match source:
        case Column():
            return OwnValue(own_column(place, field, source.name))
        case ValueRows():
            return value_rows(field.record, source)
        case CustomValue():
            rows = CUSTOM_MODELS[field.record]._default_manager.filter(definition_id=source.definition_id)
            name = CUSTOM_COLUMNS.get(field.type, "number")
            return ManyValues(rows.order_by(), f"{field.record}_id", row_column(rows.model, name))
        case RelatedValues():
            return related_values(source, clock)
        case Computed():
            from . import computed

            return computed.find(place, field, source, clock)
    raise TypeError(f"{field.key}: no source {source!r}")


def own_column(place: Place, field: FieldDef, name: str) -> Any:
    """Return the column that a field of this type is compared by: folded text, reporting money."""
    if field.type == "text":
        return place.column(f"{name}_folded")
    if field.type == "money":
        return place.column(f"{name}_reporting")
    return place.column(name)


def row_column(model: Any, name: str) -> Any:
    """Return a column of the table of a queryset as an expression of known type."""
    return Place(model, "").column(name)


def value_rows(record: str, source: ValueRows) -> ManyValues:
    """Return the values of a multi field kept in the record's value table."""
    model = VALUE_MODELS[record]
    name = "token" if source.kind == "token" else f"{source.kind}_id"
    rows = model._default_manager.filter(field=source.field).order_by()
    return ManyValues(rows, f"{record}_id", row_column(model, name))


def related_values(source: RelatedValues, clock: Clock) -> ManyValues:
    """Return the values of a column over the rows of a relation that meet the declared filters."""
    relation = registry.relations[source.relation]
    record = record_def(relation.record)
    rows = model_of(relation.record)._default_manager.filter(live(record)).filter(happened(record, clock)).order_by()
    for lookup in source.where:
        rows = rows.filter(Q(lookup))
    return ManyValues(rows, relation.owner_column, row_column(rows.model, source.column))


def link_values(place: Place, column: str) -> ManyValues:
    """Return the values of a column of the many-to-many rows between the owner and this related record."""
    assert place.link is not None
    link = place.link
    rows = link.model._default_manager.filter(Q((link.owner, OuterRef(link.owner)))).order_by()
    return ManyValues(rows, link.related, row_column(link.model, column))


def expression(place: Place, field: FieldDef, clock: Clock) -> Any:
    """Return the field as one expression of the record's query: NULL where empty or out of reach.

    Of several values (roles in one opportunity) the smallest.
    """
    found = find(place, field, clock)
    match found:
        case OwnValue():
            guard = place.guard() & scalars.is_set(field.type, found.expression)
            return Case(When(guard, then=found.expression))
        case ManyValues():
            rows = found.rows.filter(Q((found.owner, OuterRef(place.key))))
            rows = rows.filter(scalars.is_set(field.type, found.value)).annotate(the_value=found.value)
            value: Any = Subquery(rows.order_by("the_value").values("the_value")[:1])
        case Figure():
            rows = found.rows.filter(Q((found.owner, OuterRef(place.key)))).order_by().values(found.owner)
            value = Subquery(rows.annotate(the_value=found.aggregate).values("the_value")[:1])
            if found.default is not None:
                value = Coalesce(value, found.default)
        case Flag():
            from .verdicts import as_q

            truth = as_q(found.verdict)
            value = Case(When(truth, then=True), default=False)
    return Case(When(place.present(), then=value)) if place.hops else value
