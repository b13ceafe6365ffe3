"""What a rule reads, as a tree over the member type: for the climb from touched rows, and for time passing.

Every atom stands at a place: the member itself, a record that a foreign key leads to, or related rows. Its tables, the
segments it names and its sliver of time are noted there; `accounts.capture.climb` finds the members from them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from accounts.capture import Reads
from accounts.capture.sources import CUSTOM_VALUES, VALUE_ROWS
from accounts.models import Consent, ExternalId, FieldHistory, Provenance
from segmentation_crm.common.fields import (
    Column,
    Computed,
    CustomValue,
    FieldDef,
    RecordDef,
    RelatedValues,
    ValueRows,
    registry,
)

from ..rules.compile.places import model_of
from ..rules.nodes import Aggregate, Condition, FieldRef, Group, Node, Related, Rule, SegmentTest
from ..rules.operators import HISTORY, RANKING
from . import slivers
from .declarations import Undeclared
from .slivers import Sliver


@dataclass(frozen=True)
class Waking:
    """One atom that time wakes: the name under which its sliver stands in `Reads.tables`, the sliver, and the node.

    top: the node at the rule's own level within which it stands, for words.
    """

    name: str
    sliver: Sliver
    node: Node
    top: Node


@dataclass
class Reading:
    """All that a rule reads.

    reads: the tree; wakings: atoms that time wakes; existing: kinds of records with an event time that stand in it;
    segments: ids that it names; rankings: "top %" conditions; targets: reference data that its fields point to; keys:
    keys of its fields, in the rule's order.
    """

    reads: Reads
    wakings: list[Waking] = field(default_factory=list)
    existing: set[str] = field(default_factory=set)
    segments: set[int] = field(default_factory=set)
    rankings: list[Condition] = field(default_factory=list)
    targets: set[str] = field(default_factory=set)
    keys: list[str] = field(default_factory=list)
    reads_money: bool = False


def reading_of(rule: Rule) -> Reading:
    """Return what a validated rule reads (0 queries).

    Raises Undeclared for a field or operator that does not say how time wakes it.
    """
    found = Reading(Reads(rule.member_type))
    walker = _Walker(rule.member_type, found)
    walker.exists(registry.records[rule.member_type], found.reads)
    for node in rule.root.rules:
        walker.top = node
        walker.node(node, found.reads)
    return found


def segment_name(segment_id: int) -> str:
    """Return the name under which a segment's moved members stand in `Reads.tables`."""
    return f"segment:{segment_id}"


def existence_name(prefix: str) -> str:
    """Return the name under which rows that came to exist stand in `Reads.tables`."""
    return f"exists:{prefix}"


class _Walker:
    def __init__(self, member_type: str, found: Reading) -> None:
        self.member_type = member_type
        self.found = found
        self.top: Node | None = None

    def node(self, node: Node, at: Reads) -> None:
        match node:
            case Group():
                for rule in node.rules:
                    self.node(rule, at)
            case Condition():
                self.condition(node, at)
            case Related():
                below = self.relation(self.hop(at, node.ref.hops), node.ref.relation.key)
                if node.group is not None:
                    self.node(node.group, below)
            case Aggregate():
                self.aggregate(node, at)
            case SegmentTest():
                place = self.hop(at, node.hops)
                place.tables.update(segment_name(pk) for pk in node.segment_ids)
                self.found.segments.update(node.segment_ids)
                self.wake(place, slivers.of_segments(node), node)

    def condition(self, node: Condition, at: Reads) -> None:
        place = self.hop(at, node.ref.hops)
        self.field(node.ref.field, place, at)
        if node.operator in HISTORY:
            place.tables.add(FieldHistory._meta.db_table)
        ranked = node.operator in RANKING
        if ranked:
            self.found.rankings.append(node)
        self.wake(self.found.reads if ranked else place, slivers.of_condition(node, self.member_type), node)

    def aggregate(self, node: Aggregate, at: Reads) -> None:
        below = self.relation(self.hop(at, node.ref.hops), node.ref.relation.key)
        for inner in (node.where, node.of):
            if isinstance(inner, Group):
                self.node(inner, below)
        place = below
        if isinstance(node.of, FieldRef):
            place = self.hop(below, node.of.hops)
            self.field(node.of.field, place, below)
        self.wake(place, slivers.of_figure(node, self.member_type), node)

    def hop(self, at: Reads, hops: tuple[str, ...]) -> Reads:
        for name in hops:
            to_one = registry.records[at.record].to_one
            target = next(prefix for prefix, key in to_one.items() if key == name)
            at = at.step("to_one", name, "account" if target == "account.parent" else target)
            self.exists(registry.records[at.record], at)
        return at

    def relation(self, at: Reads, key: str) -> Reads:
        relation = registry.relations[key]
        below = at.step("relation", key, relation.record)
        self.exists(registry.records[relation.record], below)
        return below

    def exists(self, record: RecordDef, at: Reads) -> None:
        """Note that rows of this kind come into existence at their event time."""
        if record.event_time is not None:
            self.found.existing.add(record.prefix)
            at.tables.add(existence_name(record.prefix))

    def wake(self, at: Reads, sliver: Sliver | None, node: Node) -> None:
        if sliver is not None:
            name = f"time:{len(self.found.wakings)}"
            at.tables.add(name)
            self.found.wakings.append(Waking(name, sliver, node, self.top or node))

    def field(self, definition: FieldDef, at: Reads, around: Reads) -> None:
        """Note where the values of a field stand; around: where the node that names it stands."""
        self.found.keys.append(definition.key)
        self.found.reads_money |= definition.type == "money"
        if definition.target:
            self.found.targets.add(definition.target)
        source = definition.source
        match source:
            case Column():
                pass
            case ValueRows():
                at.tables.add(VALUE_ROWS[definition.record]._meta.db_table)
            case CustomValue():
                at.tables.add(CUSTOM_VALUES[definition.record]._meta.db_table)
            case RelatedValues():
                self.relation(at, source.relation)
            case Computed():
                self.computed(definition, source, at)
            case _:
                raise Undeclared(f"{definition.key}: segments.wakes does not know where {source!r} stands.")

    def computed(self, definition: FieldDef, source: Computed, at: Reads) -> None:
        match source.name:
            case "years_since" | "is_engagement":
                pass
            case "via":
                # The flags of a stage, the vendor of a product: reference data, whose change rebuilds.
                model = model_of(definition.record)._meta.get_field(source.args[0]).related_model
                self.found.targets.add(_reference(model))
            case "last_engaged_at" | "engaged_within":
                self.relation(at, f"{definition.record}.activities")
            case "role_groups":
                at.tables.add(VALUE_ROWS[definition.record]._meta.db_table)
            case "count_values":
                counted = registry.field(source.args[0])
                assert counted is not None
                self.field(counted, at, at)
            case "consent_values":
                at.tables.add(Consent._meta.db_table)
            case "external_ids":
                at.tables.add(ExternalId._meta.db_table)
            case "through_values":
                # The rows of the relation itself, which the step to this record reads.
                pass
            case "provenance" | "provenance_age":
                at.tables.add(Provenance._meta.db_table)
            case _:
                raise Undeclared(f"{definition.key}: segments.wakes does not know what {source.name} reads.")


def _reference(model: object) -> str:
    from accounts.capture.references import name_of

    return name_of(model)


def conditions_in(node: Node) -> Iterator[Condition]:
    """Yield the conditions of a tree, those inside related rows too."""
    match node:
        case Condition():
            yield node
        case Group():
            for rule in node.rules:
                yield from conditions_in(rule)
        case Related():
            if node.group is not None:
                yield from conditions_in(node.group)
        case Aggregate():
            for inner in (node.where, node.of):
                if isinstance(inner, Group):
                    yield from conditions_in(inner)
