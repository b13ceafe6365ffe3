"""Which tables and columns rules read, and to whom each row belongs: derived from the registry, field by field."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db import models
from django.db.models.expressions import Col
from django.db.models.sql import Query

from segmentation_crm.common.fields import (
    Column,
    Computed,
    CustomValue,
    FieldDef,
    RegistryError,
    RelatedValues,
    ValueRows,
    registry,
)

from ..models import (
    AccountCustomValue,
    AccountValue,
    Activity,
    Consent,
    ContactCustomValue,
    ContactValue,
    ExternalId,
    FieldHistory,
    OpportunityCustomValue,
    OpportunityValue,
    Provenance,
)
from . import references

ROW = "{row}"
# The records whose keys a change row can name as owners; each has a column of its own there.
OWNERS = ("account", "contact", "opportunity")
VALUE_ROWS: dict[str, Any] = {"account": AccountValue, "contact": ContactValue, "opportunity": OpportunityValue}
CUSTOM_VALUES: dict[str, Any] = {
    "account": AccountCustomValue,
    "contact": ContactCustomValue,
    "opportunity": OpportunityCustomValue,
}
# Rows that name their record by type and number.
_TYPED = (FieldHistory, Provenance, ExternalId)


@dataclass
class Source:
    """A table that rules read.

    record: its prefix where rules read its rows as records. columns: those whose change can change a verdict. owners:
    record type -> SQL over a row named {row} for the key of the record it belongs to. kinds: of rows that name their
    record by type and number, the types that rules read.
    """

    model: type[models.Model]
    record: str = ""
    columns: set[str] = field(default_factory=set)
    owners: dict[str, str] = field(default_factory=dict)
    kinds: set[str] = field(default_factory=set)

    @property
    def table(self) -> str:
        """Return the name of the table."""
        return self.model._meta.db_table

    def owned_by(self, record: str, sql: str) -> None:
        """Note how a row tells the record it belongs to.

        Raises RegistryError where a row would belong to two records of one type.
        """
        if record not in OWNERS:
            raise RegistryError(f"{self.table}: change rows have no column for the keys of {record}.")
        if self.owners.setdefault(record, sql) != sql:
            raise RegistryError(f"{self.table} belongs to {record} in two ways; change rows can name one.")

    def read(self, *names: str) -> None:
        """Note that rules read these fields of the model; of a generated column those that it is made of."""
        for name in names:
            found: Any = self.model._meta.get_field(name)
            if found.generated:
                self.columns.update(_made_of(found))
            else:
                self.columns.add(found.column)


class Collected:
    """Sources by table, as fields and relations are added; `referred` names the reference data they read."""

    def __init__(self) -> None:
        self.sources: dict[str, Source] = {}
        self.referred: dict[str, set[str]] = {}

    def source(self, model: type[models.Model]) -> Source:
        """Return the source of a model's table, made where it is not there yet."""
        return self.sources.setdefault(model._meta.db_table, Source(model))

    def record(self, prefix: str) -> Source:
        """Return the source of a kind of record: its own table, with what makes its rows live and there."""
        definition = registry.records[prefix]
        found = self.source(apps.get_model(definition.model))
        if not found.record:
            found.record = prefix
            names = [lookup.partition("__")[0] for lookup, _ in definition.live]
            names += list(definition.to_one.values())
            if definition.event_time is not None:
                names.append(definition.event_time[0])
            found.read(*names)
        return found

    def rows(self, model: type[models.Model], record: str, *names: str) -> Source:
        """Note a table whose rows belong to a record by its foreign key."""
        found = self.source(model)
        found.owned_by(record, f"{ROW}.{record}_id")
        found.read(record, *names)
        return found

    def typed(self, model: type[models.Model], record: str) -> None:
        """Note a table whose rows name their record by type and number; every column of it counts."""
        found = self.source(model)
        found.read(*(f.name for f in model._meta.concrete_fields if not f.primary_key))
        found.kinds.add(record)
        if record in OWNERS:
            found.owned_by(record, f"CASE WHEN {ROW}.record_type = '{record}' THEN {ROW}.record_id END")

    def refer(self, name: str, *columns: str) -> None:
        """Note reference data by the name of a field's target; columns: what is read besides its names."""
        self.referred.setdefault(name, set()).update(columns)

    def add_relation(self, key: str) -> None:
        """Note a relation: the link, and the related record's own table."""
        relation = registry.relations[key]
        related = self.record(relation.record)
        related.read(relation.order_by)
        if relation.through is None:
            related.owned_by(relation.owner, f"{ROW}.{relation.owner_column}")
            related.read(relation.owner_column.removesuffix("_id"))
            return
        label, owner, other = relation.through
        link = self.source(apps.get_model(label))
        link.owned_by(relation.owner, f"{ROW}.{owner}")
        link.read(owner.removesuffix("_id"), other.removesuffix("_id"))
        for extra in relation.extra:
            self.add_field(extra, link)

    def add_field(self, definition: FieldDef, link: Source | None = None) -> None:
        """Note what a field reads; link: the many-to-many rows of a field that exists inside one relation only.

        Raises RegistryError for a source or target that capture does not know.
        """
        own = self.record(definition.record)
        if definition.target and not references.is_record(definition.target):
            self.refer(definition.target)
        if definition.history:
            self.typed(FieldHistory, definition.record)
        match definition.source:
            case Column(name):
                own.read(stored_name(definition, name))
            case ValueRows():
                self._values(VALUE_ROWS, definition)
            case CustomValue():
                self._values(CUSTOM_VALUES, definition)
            case RelatedValues(relation, column, where):
                self.add_relation(relation)
                related = self.record(registry.relations[relation].record)
                related.read(column.removesuffix("_id"))
                for lookup, _ in where:
                    self._lookup(related, lookup)
            case Computed(name, args):
                if name not in COMPUTED:
                    raise RegistryError(
                        f"{definition.key}: change capture does not know what the computation {name} reads."
                    )
                COMPUTED[name](self, definition, own, args, link)

    def _values(self, models_of: dict[str, Any], definition: FieldDef) -> None:
        model = models_of[definition.record]
        self.rows(model, definition.record, *(f.name for f in model._meta.concrete_fields if not f.primary_key))

    def _lookup(self, source: Source, lookup: str) -> None:
        """Note a filter on the source's own column or on one that its foreign key points to."""
        name, _, rest = lookup.partition("__")
        found: Any = source.model._meta.get_field(name)
        source.read(name)
        if found.is_relation and rest:
            self.refer(references.name_of(found.related_model), rest.partition("__")[0])


def _made_of(generated: Any) -> set[str]:
    """Return the columns that a generated column is computed from."""
    waiting = [generated.expression.resolve_expression(Query(generated.model, alias_cols=False), allow_joins=False)]
    found: set[str] = set()
    while waiting:
        expression = waiting.pop()
        if isinstance(expression, Col):
            found.add(str(expression.target.column))
        else:
            waiting += [one for one in expression.get_source_expressions() if one is not None]
    return found


def stored_name(definition: FieldDef, name: str) -> str:
    """Return the model field that a field is compared by: the folded text, the amount in the reporting currency."""
    return (
        f"{name}_folded" if definition.type == "text" else f"{name}_reporting" if definition.type == "money" else name
    )


def _own_columns(into: Collected, definition: FieldDef, own: Source, args: Any, link: Source | None) -> None:
    own.read(*args)


def _via(into: Collected, definition: FieldDef, own: Source, args: Any, link: Source | None) -> None:
    into._lookup(own, "__".join(args))


def _is_engagement(into: Collected, definition: FieldDef, own: Source, args: Any, link: Source | None) -> None:
    own.read("direction", "type", "bot_suspected")


def _engagements(into: Collected, definition: FieldDef, own: Source, args: Any, link: Source | None) -> None:
    into.rows(Activity, definition.record, "direction", "type", "bot_suspected", "occurred_at")


def _value_rows(into: Collected, definition: FieldDef, own: Source, args: Any, link: Source | None) -> None:
    into._values(VALUE_ROWS, definition)


def _another_field(into: Collected, definition: FieldDef, own: Source, args: Any, link: Source | None) -> None:
    counted = registry.field(args[0])
    if counted is None:
        raise RegistryError(f"{definition.key} counts {args[0]}, which is no field.")
    into.add_field(counted)


def _consents(into: Collected, definition: FieldDef, own: Source, args: Any, link: Source | None) -> None:
    into.rows(Consent, definition.record, "topic", "channel", "status", "at")


def _external_ids(into: Collected, definition: FieldDef, own: Source, args: Any, link: Source | None) -> None:
    into.typed(ExternalId, definition.record)


def _through(into: Collected, definition: FieldDef, own: Source, args: Any, link: Source | None) -> None:
    if link is None:
        raise RegistryError(f"{definition.key} is read from the rows between two records, but stands in no relation.")
    link.read(*args)


def _provenance(into: Collected, definition: FieldDef, own: Source, args: Any, link: Source | None) -> None:
    into.typed(Provenance, definition.record)


# What each computation of `accounts.fields` reads. A new one without an entry makes migrate and the tests fail.
COMPUTED: dict[str, Callable[[Collected, FieldDef, Source, Any, Source | None], None]] = {
    "years_since": _own_columns,
    "via": _via,
    "is_engagement": _is_engagement,
    "last_engaged_at": _engagements,
    "engaged_within": _engagements,
    "role_groups": _value_rows,
    "count_values": _another_field,
    "consent_values": _consents,
    "external_ids": _external_ids,
    "through_values": _through,
    "provenance": _provenance,
    "provenance_age": _provenance,
}


def collect(fields: Iterable[FieldDef] | None = None) -> Collected:
    """Return every table, column and reference that these fields read, or the whole registry with all its relations.

    Custom fields need no query: the tables of their values are captured whole.
    """
    found = Collected()
    if fields is not None:
        for definition in fields:
            found.add_field(definition)
        return found
    for prefix in registry.records:
        found.record(prefix)
    for key in registry.relations:
        found.add_relation(key)
    for definition in registry.fields(custom=False):
        found.add_field(definition)
    for record, model in CUSTOM_VALUES.items():
        found._values(CUSTOM_VALUES, FieldDef(f"{record}.custom", "", "text", CustomValue(0), "", "identity"))
        assert model._meta.db_table in found.sources
    return found


def sources_of(definition: FieldDef) -> frozenset[str]:
    """Return the names of all that a field reads: tables, and reference data ("term:industry", "stage").

    These are the names that `Taken`, `Reads.tables` and `table_versions` use.
    """
    found = collect([definition])
    return frozenset(found.sources) | frozenset(found.referred)
