"""Evaluation of whole rules: the members as a lazy queryset, or as bitmaps with every node."""

from collections.abc import Iterable, MutableMapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from pyroaring import BitMap

from segmentation_crm.common.among import KeyAmong

from .bitmaps import Evaluator, NodeResult, all_nodes, read_keys
from .clock import Clock
from .compile import compile_rule, members
from .deadline import Deadline
from .nodes import Path, Rule


def clock_at(as_of: datetime | Clock | None) -> Clock:
    """Return the clock of a moment (1 query unless it is a clock already)."""
    return as_of if isinstance(as_of, Clock) else Clock.at(as_of)


def member_queryset(rule: Rule, as_of: datetime | Clock | None = None) -> QuerySet[Any]:
    """Return the live records of the member type for which the rule holds (lazy, one query).

    For pages and given keys; whole sets are read faster by `evaluate`. Who looks plays no part.
    """
    clock = clock_at(as_of)
    return members(rule.member_type, clock).filter(compile_rule(rule, clock))


def matching_keys(rule: Rule, keys: Iterable[int], as_of: datetime | Clock | None = None) -> BitMap:
    """Return those of the given keys for which the rule holds: the restricted query (1 query)."""
    return read_keys(restricted(member_queryset(rule, as_of), keys).values("pk"))


def restricted(records: QuerySet[Any], keys: Iterable[int]) -> QuerySet[Any]:
    """Return the records of these keys; the keys travel as one parameter, however many they are."""
    return records.filter(KeyAmong("pk", keys))


@dataclass(frozen=True)
class Evaluation:
    """A rule evaluated over all rows: universe, members, and every node in the rule's order."""

    clock: Clock
    universe: BitMap
    members: BitMap
    nodes: tuple[NodeResult, ...]
    queries: int

    def node(self, path: Path) -> BitMap:
        """Return the members of the node at a path.

        Raises KeyError for a path without node.
        """
        for result in self.nodes:
            if result.path == path:
                return result.members
        raise KeyError(path)


def evaluate(
    rule: Rule,
    as_of: datetime | Clock | None = None,
    *,
    atoms: MutableMapping[Any, BitMap] | None = None,
    deadline: Deadline | None = None,
) -> Evaluation:
    """Return the members and the exact set of every node (1 query or a few for each distinct atom)."""
    clock = clock_at(as_of)
    evaluator = Evaluator(rule.member_type, clock, {} if atoms is None else atoms, deadline)
    nodes = tuple(all_nodes(evaluator, rule))
    return Evaluation(clock, evaluator.universe, nodes[0].members, nodes, evaluator.fetched)


def member_bitmap(rule: Rule, as_of: datetime | Clock | None = None) -> BitMap:
    """Return the members only, atom by atom: what a rebuild needs (1 query or a few for each distinct atom)."""
    clock = clock_at(as_of)
    return Evaluator(rule.member_type, clock).node(rule.root)
