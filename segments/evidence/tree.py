"""The evidence tree: every node of a rule for one record, with what was read (RULES §5.9)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from segmentation_crm.common.access import AnyUser
from segmentation_crm.common.fields import registry

from ..models import Segment, SegmentMembership
from ..rules.bitmaps import inner_groups
from ..rules.clock import Clock
from ..rules.describe import label
from ..rules.judging import Judge
from ..rules.keyed import KeyedEvaluator
from ..rules.nodes import Aggregate, Condition, FieldRef, Group, Node, Path, Related, Rule, SegmentTest
from ..rules.operators import HISTORY
from ..rules.undecided import find_undecided
from ..sentences import HIDDEN
from .reading import Held, Way, hidden_records, read_fields, way_of
from .rows import RowEvidence, RowReader
from .words import labels_of, value_words

TRUE, FALSE, UNKNOWN, NOT_RECORDED = "true", "false", "unknown", "not_recorded"
KINDS: dict[type[Any], str] = {
    Group: "group",
    Condition: "condition",
    Related: "related",
    Aggregate: "aggregate",
    SegmentTest: "segment",
}


@dataclass(frozen=True)
class NodeEvidence:
    """One node for one record.

    holds: the verdict that counts; None where nothing is recorded. state: true, false, unknown (missing data decide;
    it counts as `holds`) or not_recorded. value: what was read, in words. inner: the node speaks of related rows, and
    `holds` where at least one is such a row; `rows_inside` says of how many.
    """

    path: Path
    kind: str
    words: str
    holds: bool | None
    state: str
    field: str = ""
    value: str | None = None
    rows: RowEvidence | None = None
    rows_inside: int | None = None
    inner: bool = False
    nodes: tuple["NodeEvidence", ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the node as the API sends it."""
        rows = self.rows
        return {
            "path": list(self.path),
            "kind": self.kind,
            "words": self.words,
            "field": self.field,
            "holds": self.holds,
            "state": self.state,
            "value": self.value,
            "rows_inside": self.rows_inside,
            "rows": None
            if rows is None
            else {
                "count": rows.count,
                "total": rows.total,
                "hidden": rows.hidden,
                "figure": rows.figure or None,
                "shown": [{"id": row.id, "words": row.words, "url": row.url} for row in rows.shown],
            },
            "nodes": [node.as_dict() for node in self.nodes],
        }


def group_words(node: Group) -> str:
    """Return what a group asks of its lines."""
    if len(node.rules) == 1:
        return "Not this" if node.negated else "This"
    if node.combinator == "and":
        return "Not all of these" if node.negated else "All of these"
    return "None of these" if node.negated else "At least one of these"


class TreeBuilder:
    """Builds the evidence of one rule for one record, as one viewer may see it.

    Costs a query or two for each atom, one for all fields read, and 4 to 7 for each related node.
    """

    def __init__(self, rule: Rule, key: int, user: AnyUser, clock: Clock) -> None:
        self.rule, self.key, self.user, self.clock = rule, key, user, clock
        self.evaluator = KeyedEvaluator(rule.member_type, clock, [key])
        self.judge = Judge(clock)
        self.rows = RowReader(rule.member_type, key, user, clock)
        self.held = read_fields(rule.member_type, key, refs_of(rule.root), clock)
        self.hidden = hidden_records(self.held, user)
        self.labels = labels_of([(h.ref.field, h.value) for h in self.held.values()], user)

    def root(self) -> NodeEvidence:
        """Return the root with everything below it."""
        return self._node(self.rule.root, self.rule.member_type)

    def holds(self, node: Node) -> bool:
        """Tell whether a node holds for the record."""
        return self.key in self.evaluator.node(node)

    def _state(self, node: Node, holds: bool) -> str:
        unknown = (
            isinstance(node, Group | Condition)
            and self.key in find_undecided(self.rule, self.evaluator, node=node, judge=self.judge).keys
        )
        return UNKNOWN if unknown else TRUE if holds else FALSE

    def _node(self, node: Node, record: str) -> NodeEvidence:
        holds = self.holds(node)
        common: dict[str, Any] = {
            "path": node.path,
            "kind": KINDS[type(node)],
            "holds": holds,
            "state": self._state(node, holds),
        }
        if isinstance(node, Group):
            parts = tuple(self._node(rule, record) for rule in node.rules)
            return NodeEvidence(**common, words=group_words(node), nodes=parts)
        words = label(node, record)
        if isinstance(node, Condition):
            return NodeEvidence(**common, words=words, field=node.ref.key, value=self.value(node))
        if isinstance(node, SegmentTest):
            return NodeEvidence(**common, words=words, field="segment", value=self._segments(node))
        inside = tuple(self._inside(group, (self._some(node),), node) for group in inner_groups(node))
        return NodeEvidence(**common, words=words, field=node.ref.key, rows=self.rows.of(node), nodes=inside)

    # --- what was read ---
    def value(self, node: Condition) -> str:
        """Return what a condition read, in words."""
        held = self.held[way_of(node.ref)]
        words = self.words_of(held)
        return f"{words} now" if node.operator in HISTORY and words != HIDDEN else words

    def words_of(self, held: Held) -> str:
        """Return a value in words; of a record that the viewer may not see nothing is said."""
        if held.at is not None and (held.ref.field.record, held.at) in self.hidden:
            return HIDDEN
        return value_words(held.ref.field, held.shown, self.labels.get(held.ref.field.target, {}))

    def _segments(self, node: SegmentTest) -> str:
        record = node.record or self.rule.member_type
        key: int | None = self.key
        if node.hops:
            definition = registry.field(f"{record}.name")
            assert definition is not None
            held = read_fields(self.rule.member_type, self.key, [FieldRef(definition, node.hops)], self.clock)
            key = next(iter(held.values())).at
        column = {"account": "account", "contact": "contact"}[record]
        rows = SegmentMembership.objects.filter(**{column: key, "segment__in": node.segment_ids})
        names = list(
            Segment.objects.filter(pk__in=rows.values("segment")).order_by("name").values_list("name", flat=True)
        )
        return f"in {', '.join(names)}" if names else "in none of them"

    # --- inside related groups ---
    def _some(self, node: Related | Aggregate) -> Related:
        return Related(node.path, node.ref, "some")

    def _inside(self, node: Node, owners: tuple[Related, ...], outer: Related | Aggregate | None) -> NodeEvidence:
        """Return a node that speaks of related rows: it holds where at least one is such a row."""
        holds = self.key in self.evaluator.inside(node, owners)
        record = owners[-1].ref.relation.record
        count = self.rows.count_inside(outer, node) if outer is not None else None
        common: dict[str, Any] = {
            "path": node.path, "kind": KINDS[type(node)], "holds": holds, "state": TRUE if holds else FALSE,
            "inner": True, "rows_inside": count,
        }  # fmt: skip
        if isinstance(node, Group):
            parts = tuple(self._inside(rule, owners, outer) for rule in node.rules)
            return NodeEvidence(**common, words=group_words(node), nodes=parts)
        inner: tuple[NodeEvidence, ...] = ()
        if isinstance(node, Related | Aggregate):
            deeper = (*owners, self._some(node))
            inner = tuple(self._inside(group, deeper, None) for group in inner_groups(node))
        key = "" if isinstance(node, SegmentTest) else node.ref.key
        return NodeEvidence(**common, words=label(node, record), field=key, nodes=inner)


def refs_of(node: Node) -> Iterator[FieldRef]:
    """Yield the fields that conditions outside related groups read."""
    if isinstance(node, Group):
        for rule in node.rules:
            yield from refs_of(rule)
    elif isinstance(node, Condition):
        yield node.ref


__all__ = ["FALSE", "NOT_RECORDED", "TRUE", "UNKNOWN", "NodeEvidence", "TreeBuilder", "Way", "group_words", "refs_of"]
