"""Rules over given keys, atom by atom: what a refresh asks many segments about the same touched members.

One segment alone is asked by one query (`evaluate.matching_keys`). A hundred segments share their atoms: here every
distinct atom is asked once about each touched key, by a query that is quick to plan, and the trees are set algebra.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet
from pyroaring import BitMap

from .bitmaps import atom_key, read_keys
from .clock import Clock
from .compile import compile_node, member_place, members
from .compile.verdicts import as_q
from .evaluate import restricted
from .nodes import Aggregate, Group, Node, Related, Rule, SegmentTest
from .rendered import ask


@dataclass
class _Asked:
    """For which keys an atom was asked, and for which of them it holds."""

    keys: BitMap = field(default_factory=BitMap)
    true: BitMap = field(default_factory=BitMap)


@dataclass
class GivenKeys:
    """Evaluates rules of one member type at one moment over keys that come in several portions.

    versions stands for the reference data by which the rules were validated: queries are kept under it.
    Atoms over membership are asked each time: members move while segments are refreshed one after the other.
    """

    member_type: str
    clock: Clock
    asked: dict[Any, _Asked] = field(default_factory=dict)
    versions: str = ""

    def __post_init__(self) -> None:
        self.place = member_place(self.member_type)

    def matching(self, rule: Rule, keys: BitMap) -> BitMap:
        """Return those of the keys for which the rule holds (1 query for each atom not yet asked about them)."""
        return self._node(rule.root, self._live(keys))

    def living(self) -> BitMap:
        """Return those of the keys asked so far whose record is live (0 queries)."""
        known = self.asked.get("live")
        return BitMap() if known is None else known.true

    def _live(self, keys: BitMap) -> BitMap:
        return self._known("live", keys, lambda clock: members(self.member_type, clock))

    def _node(self, node: Node, keys: BitMap) -> BitMap:
        if not keys:
            return keys
        if isinstance(node, Group):
            return self._group(node, keys)
        if names_segments(node):
            # Conditions over segments read runs while they are rendered.
            return read_keys(restricted(self._query(node, self.clock), keys).values("pk"))
        return self._known(atom_key(node), keys, lambda clock: self._query(node, clock))

    def _group(self, node: Group, keys: BitMap) -> BitMap:
        found = keys if node.combinator == "and" else BitMap()
        for rule in node.rules:
            # What is decided already is asked no further.
            if node.combinator == "and":
                found = self._node(rule, found)
            else:
                found = found | self._node(rule, keys - found)
        return keys - found if node.negated else found

    def _query(self, node: Node, clock: Clock) -> QuerySet[Any]:
        return members(self.member_type, clock).filter(as_q(compile_node(node, self.place, clock)))

    def _known(self, name: Any, keys: BitMap, build: Callable[[Clock], QuerySet[Any]]) -> BitMap:
        asked = self.asked.setdefault(name, _Asked())
        new = keys - asked.keys
        if new:
            asked.true |= ask((self.member_type, self.versions, name), build, self.clock, new)
            asked.keys |= new
        return asked.true & keys


def names_segments(node: Node) -> bool:
    """Tell whether a node reads membership of segments, itself or in a group inside it."""
    match node:
        case SegmentTest():
            return True
        case Group():
            return any(map(names_segments, node.rules))
        case Related():
            return node.group is not None and names_segments(node.group)
        case Aggregate():
            return any(names_segments(one) for one in (node.where, node.of) if isinstance(one, Group))
    return False
