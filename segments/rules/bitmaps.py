"""Bitmaps of keys: an exact count at every node of a rule (DESIGN §4).

Each distinct atom is fetched once as a bitmap of primary keys; a tree is then set algebra. A node inside a related
group counts the members with at least one such related row.
"""

import sys
from array import array
from collections.abc import Iterable, MutableMapping, Sequence
from dataclasses import dataclass, field, is_dataclass, replace
from itertools import chain
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet
from pyroaring import BitMap

from segmentation_crm.common.fields import CustomValue, FieldDef, RelationDef, registry

from .clock import Clock
from .compile import compile_node, member_place, members
from .compile.verdicts import Fetch, as_bitmap
from .deadline import Deadline
from .nodes import Aggregate, Group, Node, Path, Related, Rule

CHUNK = 50_000
# Among the atoms: all members that exist.
UNIVERSE = "universe"


def read_keys(keys: QuerySet[Any]) -> BitMap:
    """Return the keys of a one-column queryset (1 query; 4 bytes a key on PostgreSQL, chunks of rows on SQLite).

    Empty keys are left out. Keys above 2,147,483,647 are refused by the database.
    """
    try:
        sql, params = keys.query.get_compiler(connection=connection).as_sql()
    except EmptyResultSet:
        return BitMap()
    return read_sql(sql, params)


def read_sql(sql: str, params: Sequence[Any]) -> BitMap:
    """Return the keys of a rendered one-column query (1 query)."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # One binary value instead of a row per key. The inner text is Django's own rendering, with parameters.
            packing = f"SELECT string_agg(int4send(k::int4), ''::bytea) FROM ({sql}) AS keys (k) WHERE k IS NOT NULL"  # noqa: S608
            cursor.execute(packing, params)
            packed = cursor.fetchone()[0]
        return _unpacked(packed) if packed else BitMap()
    found = BitMap()
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        while rows := cursor.fetchmany(CHUNK):
            found.update(key for key in chain.from_iterable(rows) if key is not None)
    return found


def _unpacked(packed: bytes) -> BitMap:
    """Return the keys of PostgreSQL's binary value: 4 bytes each, the highest first."""
    keys = array("I", bytes(packed))
    if sys.byteorder == "little":
        keys.byteswap()
    return BitMap(keys)


def atom_key(node: Node) -> Any:
    """Return what makes an atom the same as another: everything but its place in the rule and its labels."""
    return _stripped(node)


def _stripped(value: Any) -> Any:
    if isinstance(value, FieldDef) and isinstance(value.source, CustomValue):
        # A custom field that was deleted and made anew under the same key is another one.
        return (value.key, value.type, value.source.definition_id)
    if isinstance(value, FieldDef | RelationDef):
        return value.key
    if is_dataclass(value) and not isinstance(value, type):
        names = (n for n in value.__dataclass_fields__ if n not in ("path", "labels", "key"))
        return (type(value).__name__, *(_stripped(getattr(value, name)) for name in names))
    if isinstance(value, list | tuple):
        return tuple(_stripped(one) for one in value)
    return (type(value).__name__, str(value)) if value is not None else None


@dataclass
class Evaluator:
    """Evaluates nodes of rules over one member type at one moment; every distinct atom is fetched once.

    `atoms` may be shared by evaluations of the same member type, moment and data.
    """

    member_type: str
    clock: Clock
    atoms: MutableMapping[Any, BitMap] = field(default_factory=dict)
    deadline: Deadline | None = None
    fetched: int = 0

    def __post_init__(self) -> None:
        self.place = member_place(self.member_type)
        self.fetch = Fetch(members(self.member_type, self.clock), self._read)
        self._universe: BitMap | None = None

    def _read(self, keys: QuerySet[Any]) -> BitMap:
        if self.deadline is not None:
            self.deadline.check()
        self.fetched += 1
        return read_keys(keys)

    @property
    def universe(self) -> BitMap:
        """Return the keys of all members that exist (1 query, once)."""
        if self._universe is None:
            if UNIVERSE not in self.atoms:
                self.atoms[UNIVERSE] = self._read(self.fetch.members.values("pk"))
            self._universe = self.atoms[UNIVERSE]
        return self._universe

    def node(self, node: Node) -> BitMap:
        """Return the members for which the node holds (1 query or a few for each atom not yet fetched)."""
        if isinstance(node, Group):
            return self._joined(node, [self.node(rule) for rule in node.rules])
        key = atom_key(node)
        if key not in self.atoms:
            self.atoms[key] = self.atom(node)
        return self.atoms[key]

    def atom(self, node: Node) -> BitMap:
        """Read the members for which an atom holds (1 query or a few)."""
        return as_bitmap(compile_node(node, self.place, self.clock), self.universe, self.fetch)

    def _joined(self, node: Group, parts: list[BitMap]) -> BitMap:
        if node.combinator == "and":
            found = BitMap.intersection(*parts)
        else:
            found = BitMap.union(*parts)
        return self.universe - found if node.negated else found

    def inside(self, node: Node, owners: tuple[Related, ...]) -> BitMap:
        """Return the members with at least one related row for which a node inside related groups holds."""
        if isinstance(node, Group) and not node.negated and (node.combinator == "or" or len(node.rules) == 1):
            # "At least one row" distributes over or.
            return BitMap.union(*(self.inside(rule, owners) for rule in node.rules))
        wrapped: Node = node
        for owner in reversed(owners):
            group = wrapped if isinstance(wrapped, Group) else Group(node.path, "and", (wrapped,))
            wrapped = replace(owner, mode="some", threshold=None, group=group)
        return self.node(wrapped)


@dataclass(frozen=True)
class NodeResult:
    """A node's members and what they are, in words."""

    path: Path
    members: BitMap
    unit: str


def all_nodes(evaluator: Evaluator, rule: Rule) -> list[NodeResult]:
    """Return every node of the rule in its order, with the members for which that node alone holds."""
    unit = registry.records[rule.member_type].plural
    return list(_walk(evaluator, rule.root, (), unit))


def _walk(evaluator: Evaluator, node: Node, owners: tuple[Related, ...], unit: str) -> Iterable[NodeResult]:
    found = evaluator.inside(node, owners) if owners else evaluator.node(node)
    yield NodeResult(node.path, found, unit)
    if isinstance(node, Group):
        for rule in node.rules:
            yield from _walk(evaluator, rule, owners, unit)
    elif isinstance(node, Related | Aggregate):
        inner_unit = f"{registry.records[evaluator.member_type].plural} with such {_a(node.ref.relation.singular)}"
        owner = Related(node.path, node.ref, "some")
        for group in inner_groups(node):
            yield from _walk(evaluator, group, (*owners, owner), inner_unit)


def inner_groups(node: Related | Aggregate) -> list[Group]:
    """Return the groups inside a related or aggregate node."""
    if isinstance(node, Related):
        return [] if node.group is None else [node.group]
    return [group for group in (node.where, node.of) if isinstance(group, Group)]


def _a(noun: str) -> str:
    return f"{'an' if noun[:1].lower() in 'aeiou' else 'a'} {noun}"
