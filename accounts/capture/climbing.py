"""From what was touched to the members whose verdict may differ, along the paths by which a rule reads.

Correct by induction over the paths: a record's value over a step differs only where a link changed, whose row names the
old and the new owner, or where a linked record differs that is linked now, which the step backwards finds.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.apps import apps
from django.db import connection
from django.db.models import Model
from pyroaring import BitMap

from segmentation_crm.common.fields import registry

from .taken import Taken

Step = tuple[str, str]
_CHUNK = 10_000


@dataclass
class Reads:
    """What a rule reads of one record, and the steps from it to others: a tree whose root is the member type.

    record: prefix ("contact"). tables: tables whose rows about this record are read ("accounts_contactvalue",
    "accounts_fieldhistory"; the record's own always counts); any other name in it is looked up in the `extra` of
    `climb` ("segment:tier-1"). steps: ("to_one", foreign key of the record's model: "account", "parent_account") or
    ("relation", its key: "account.contacts") -> what is read of the records there.
    """

    record: str
    tables: set[str] = field(default_factory=set)
    steps: dict[Step, "Reads"] = field(default_factory=dict)

    def step(self, kind: str, name: str, record: str) -> "Reads":
        """Return the record reached by a step, made where it is not there yet."""
        return self.steps.setdefault((kind, name), Reads(record))

    def merge(self, other: "Reads") -> None:
        """Add what another tree over the same record reads."""
        self.tables |= other.tables
        for step, below in other.steps.items():
            self.steps.setdefault(step, Reads(below.record)).merge(below)


def climb(reads: Reads, taken: Taken, extra: Mapping[str, BitMap] | None = None) -> BitMap:
    """Return the keys of the members whose verdict may differ: a superset (at most 1 query a step).

    extra: name in `Reads.tables` -> keys of the record at that place that differ for another reason: who entered or
    left a segment ("segment:<slug>"), whom a sliver of time nominates. Deleted members are among the keys.
    """
    found = BitMap(taken.own.get(_table(reads.record), ()))
    for name in reads.tables:
        found |= taken.owners.get(name, {}).get(reads.record, BitMap())
        found |= (extra or {}).get(name, BitMap())
    for (kind, name), below in reads.steps.items():
        if kind == "relation":
            # Who lost or won a row by this link: the row names its old and its new owner.
            found |= taken.owners.get(_link_table(name), {}).get(reads.record, BitMap())
        if keys := climb(below, taken, extra):
            found |= step_back(reads.record, (kind, name), keys)
    return found


def step_back(record: str, step: Step, keys: BitMap) -> BitMap:
    """Return the records from which the step leads to one of these, as links stand now (1 query)."""
    kind, name = step
    if kind == "to_one":
        model = _model(record)
        column = str(model._meta.get_field(name).column)  # type: ignore[union-attr]
        return _owners(model._meta.db_table, "id", column, keys)
    relation = registry.relations[name]
    if relation.through is None:
        return _owners(_table(relation.record), relation.owner_column, "id", keys)
    label, owner, related = relation.through
    return _owners(apps.get_model(label)._meta.db_table, owner, related, keys)


def _owners(table: str, owner: str, column: str, keys: BitMap) -> BitMap:
    found = BitMap()
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # As one text: quoting a list key by key takes longer than the query.
            sql = f"SELECT DISTINCT {owner} FROM {table} WHERE {column} = ANY(%s::bigint[]) AND {owner} IS NOT NULL"  # noqa: S608
            cursor.execute(sql, ["{" + ",".join(map(str, keys)) + "}"])
        else:
            # The numbers as one JSON text: SQLite takes a limited number of parameters.
            sql = (
                f"SELECT DISTINCT {owner} FROM {table} "  # noqa: S608 (names of our own tables)
                f"WHERE {column} IN (SELECT value FROM json_each(%s)) AND {owner} IS NOT NULL"
            )
            cursor.execute(sql, [json.dumps(list(keys))])
        while rows := cursor.fetchmany(_CHUNK):
            found.update(key for (key,) in rows)
    return found


def _model(record: str) -> type[Model]:
    return apps.get_model(registry.records[record].model)


def _table(record: str) -> str:
    return _model(record)._meta.db_table


def _link_table(relation: str) -> str:
    """Return the table whose rows say which records a relation links: the related one, or the one between."""
    found = registry.relations[relation]
    return apps.get_model(found.through[0])._meta.db_table if found.through else _table(found.record)
