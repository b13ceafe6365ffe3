"""The rule language, record by record."""

import datetime as dt
from fractions import Fraction
from math import ceil
from typing import Any

from pyroaring import BitMap

from segmentation_crm.common.fields import FieldDef, registry
from segments.rules.nodes import Aggregate, Condition, FieldRef, Group, Node, Related, RelationRef, Rule, SegmentTest

from .moments import Calendar, move
from .values import Values, folded
from .world import Row, World

NEGATIVE = {
    "neq": "eq",
    "not_in": "in",
    "not_contains": "contains",
    "not_starts_with": "starts_with",
    "not_ends_with": "ends_with",
    "not_matches_word": "matches_word",
    "not_under": "under",
    "none_of": "any_of",
    "not_between": "between",
    "not_on": "on",
    "not_in_last": "in_last",
    "not_in_next": "in_next",
    "not_in_period": "in_period",
    "has_never_been": "has_ever_been",
    "is_empty": "is_set",
}
NUMBERS = ("integer", "decimal", "percent", "money")
MEMBERSHIP = {"account": "account_id", "contact": "contact_id"}


def keys_in(stored: bytes) -> BitMap:
    """Return the keys that a run has stored."""
    return BitMap.deserialize(bytes(stored))


def is_separator(character: str) -> bool:
    """Tell whether a character stands between words."""
    code = ord(character)
    if code < 0x100:
        return not character.isalnum()
    fullwidth = 0xFF01 <= code <= 0xFF65 and not character.isalnum()
    return 0x2000 <= code <= 0x206F or 0x3000 <= code <= 0x303F or fullwidth


def has_word(text: str, word: str) -> bool:
    """Tell whether the word stands in the text with nothing or a separator on both sides."""
    for start in range(len(text) - len(word) + 1):
        end = start + len(word)
        if text[start:end] == word:
            left = start == 0 or is_separator(text[start - 1])
            right = end == len(text) or is_separator(text[end])
            if left and right:
                return True
    return False


def number_holds(value: Any, operator: str, operand: Any) -> bool:
    """Tell whether a number meets a number operator, exactly."""
    figure = Fraction(value)
    if operator in NEGATIVE:
        return not number_holds(value, NEGATIVE[operator], operand)
    if operator == "between":
        return Fraction(operand[0]) <= figure <= Fraction(operand[1])
    other = Fraction(operand)
    return {
        "eq": figure == other,
        "gt": figure > other,
        "gte": figure >= other,
        "lt": figure < other,
        "lte": figure <= other,
    }[operator]


class Oracle:
    """Judges records of one world at one moment."""

    def __init__(self, world: World, as_of: dt.datetime) -> None:
        self.world = world
        self.calendar = Calendar(as_of, world.zone, world.fiscal_month)
        self.values = Values(world, self.calendar)

    def members(self, rule: Rule) -> set[int]:
        """Return the keys of the members for which the rule holds."""
        return self.holding(rule.root, rule.member_type)

    def universe(self, member_type: str) -> list[Row]:
        """Return the live records of a member type that exist at as_of."""
        record = registry.records[member_type]
        return [row for row in self.world.rows(record.model) if self.values.exists(record, row)]

    def holding(self, node: Node, member_type: str) -> set[int]:
        """Return the keys of the members for which one node holds."""
        self.member_type = member_type
        return {row["id"] for row in self.universe(member_type) if self.holds(node, member_type, row, None)}

    def holds(self, node: Node, record: str, row: Row, link: list[Row] | None) -> bool:
        """Tell whether a node holds for a record."""
        if isinstance(node, Group):
            results = [self.holds(rule, record, row, link) for rule in node.rules]
            result = all(results) if node.combinator == "and" else any(results)
            return not result if node.negated else result
        if isinstance(node, Condition):
            return self.condition(node, record, row, link)
        if isinstance(node, Related):
            return self.related(node, record, row)
        if isinstance(node, Aggregate):
            return self.aggregate(node, record, row)
        return self.segment(node, record, row)

    # --- conditions ---
    def condition(self, node: Condition, record: str, row: Row, link: list[Row] | None) -> bool:
        """Tell whether a condition holds; negative operators are NOT of their positive."""
        field, operator = node.ref.field, node.operator
        if operator in NEGATIVE:
            return not self.positive(field, node.ref, NEGATIVE[operator], node.value, record, row, link)
        return self.positive(field, node.ref, operator, node.value, record, row, link)

    def positive(
        self,
        field: FieldDef,
        ref: FieldRef,
        operator: str,
        operand: Any,
        record: str,
        row: Row,
        link: list[Row] | None,
    ) -> bool:
        """Tell whether a positive operator holds."""
        target = self.values.hop(record, row, ref.hops)
        if operator in ("has_ever_been", "has_been", "changed_in_last"):
            return target is not None and self.history(field, target, operator, operand)
        if operator in ("top_percent", "bottom_percent"):
            return self.ranked(field, ref, operator, operand, row)
        value = self.values.read(field, target, link if not ref.hops else None)
        if field.type == "multi":
            return self.several(field, value, operator, operand) if target is not None else False
        if isinstance(value, set):
            return any(self.single(field.type, field.target, one, operator, operand) for one in value)
        return value is not None and self.single(field.type, field.target, value, operator, operand)

    def single(self, type_name: str, target: str, value: Any, operator: str, operand: Any) -> bool:
        """Tell whether a value that is not empty meets a positive operator."""
        if operator == "is_set":
            return True
        if type_name == "text":
            if operator in ("eq", "in"):
                return value in [folded(o) for o in (operand if operator == "in" else [operand])]
            other = folded(operand)
            return {
                "contains": other in value,
                "starts_with": value[: len(other)] == other,
                "ends_with": value[len(value) - len(other) :] == other if len(other) <= len(value) else False,
                "matches_word": has_word(value, other),
            }[operator]
        if type_name in NUMBERS:
            return number_holds(value, operator, operand)
        if type_name in ("date", "datetime"):
            return self.calendar.holds(value, operator, operand)
        if type_name == "boolean":
            return value is (operator == "is_true")
        wanted = list(operand) if isinstance(operand, list | tuple | set | frozenset) else [operand]
        if operator == "under":
            return any(self.is_under(target, value, node) for node in wanted)
        return value in wanted

    def is_under(self, target: str, node_id: int, top: int) -> bool:
        """Climb from a node to its root, looking for the other."""
        nodes = self.world.tables["accounts.IndustryCode" if target.startswith("code:") else "accounts.Term"]
        current: int | None = node_id
        while current is not None:
            if current == top:
                return True
            current = nodes[current]["parent_id"]
        return False

    def several(self, field: FieldDef, values: set[Any], operator: str, operand: Any) -> bool:
        """Tell whether a set of values meets a positive operator."""
        if operator == "is_set":
            return len(values) > 0
        if operator == "count":
            return len(values) > 0 and number_holds(len(values), operand.operator, operand.value)
        wanted = {folded(o) if field.item == "text" else o for o in operand}
        return {
            "any_of": len(values & wanted) > 0,
            "all_of": wanted <= values,
            "only_of": len(values) > 0 and values <= wanted,
        }[operator]

    def ranked(self, field: FieldDef, ref: FieldRef, operator: str, percent: Any, row: Row) -> bool:
        """Tell whether the value is among the best p percent of all members that have one, ties in."""

        def value_of(member: Row) -> Any:
            return self.values.read(field, self.values.hop(self.member_type, member, ref.hops))

        population = [v for v in map(value_of, self.universe(self.member_type)) if v is not None]
        own = value_of(row)
        if own is None:
            return False
        population.sort(reverse=operator == "top_percent")
        threshold = population[ceil(Fraction(percent) * len(population) / 100) - 1]
        return bool(own >= threshold if operator == "top_percent" else own <= threshold)

    def history(self, field: FieldDef, row: Row, operator: str, operand: Any) -> bool:
        """Judge the values that a field had before as_of."""
        rows = [
            r
            for r in self.world.where("accounts.FieldHistory", "record_id", row["id"])
            if r["record_type"] == field.record and r["field"] == field.history
            if r["valid_from"] < self.calendar.as_of
        ]

        def is_one_of(r: Row, wanted: list[Any]) -> bool:
            if field.type == "reference":
                return r["value"] in [self.world.tables["accounts.Stage"][w]["slug"] for w in wanted]
            return r["value"] in wanted

        if operator == "has_ever_been":
            return any(is_one_of(r, list(operand)) for r in rows)
        if operator == "has_been":
            start = self.midnight(move(self.calendar.today, -operand.duration.n, operand.duration.unit))
            reached = start
            for r in sorted((r for r in rows if is_one_of(r, [operand.value])), key=lambda r: r["valid_from"]):
                if r["valid_from"] <= reached:
                    reached = max(reached, r["valid_to"] or self.calendar.as_of)
            return reached >= self.calendar.as_of
        start = self.midnight(move(self.calendar.today, -operand.n, operand.unit))
        first = min((r["valid_from"] for r in rows), default=None)

        def is_change(r: Row) -> bool:
            # The value that a record is made with is marked; an empty one leaves no row.
            return r["valid_from"] > first or (r["source"] == "trigger" and not r["is_reconstructed"])

        return any(r["valid_from"] >= start and is_change(r) for r in rows)

    def midnight(self, day: dt.date) -> dt.datetime:
        """Return the moment at which a local day begins."""
        return dt.datetime(day.year, day.month, day.day, tzinfo=self.world.zone)

    # --- related rows ---
    def related_rows(self, ref: RelationRef, record: str, row: Row) -> list[tuple[Row, list[Row]]]:
        """Return the related records that exist, each once, with the rows that tie them."""
        owner = self.values.hop(record, row, ref.hops)
        relation, kind = ref.relation, registry.records[ref.relation.record]
        if owner is None:
            return []
        if relation.through is None:
            rows = self.world.where(kind.model, relation.owner_column, owner["id"])
            return [(r, []) for r in rows if self.values.exists(kind, r)]
        label, owner_column, related_column = relation.through
        links: dict[int, list[Row]] = {}
        for link in self.world.where(label, owner_column, owner["id"]):
            links.setdefault(link[related_column], []).append(link)
        found = [(self.world.tables[kind.model][key], tied) for key, tied in links.items()]
        return [(r, tied) for r, tied in found if self.values.exists(kind, r)]

    def related(self, node: Related, record: str, row: Row) -> bool:
        """Count the related rows that satisfy the group."""
        rows = self.related_rows(node.ref, record, row)
        kind = node.ref.relation.record
        good = [r for r, link in rows if node.group is None or self.holds(node.group, kind, r, link)]
        number = node.threshold or 0
        return {
            "some": len(good) > 0,
            "none": len(good) == 0,
            "all": len(rows) > 0 and len(good) == len(rows),
            "at_least": len(good) >= number,
            "at_most": len(good) <= number,
            "exactly": len(good) == number,
        }[node.mode]

    def aggregate(self, node: Aggregate, record: str, row: Row) -> bool:
        """Compute the figure over the related rows and compare it."""
        kind = node.ref.relation.record
        rows = self.related_rows(node.ref, record, row)
        if node.function == "ratio":
            assert isinstance(node.of, Group)
            rows = [(r, link) for r, link in rows if self.holds(node.of, kind, r, link)]
        good = [(r, link) for r, link in rows if node.where is None or self.holds(node.where, kind, r, link)]
        if node.function in ("first", "last"):
            return self.picked(node, kind, good)
        value = self.figure(node, kind, rows, good)
        operator = NEGATIVE.get(node.operator, node.operator)
        result = value is not None and self.single(node.result_type, "", value, operator, node.value)
        return not result if node.operator in NEGATIVE else result

    def figure(self, node: Aggregate, kind: str, rows: list[Any], good: list[Any]) -> Any:
        """Return the figure, None where it is empty."""
        if node.function == "count":
            return len(good)
        if node.function == "ratio":
            return Fraction(len(good), len(rows)) if rows else None
        order = node.ref.relation.order_by
        if node.function == "days_since_last":
            dates = [r[order] for r, _ in good if r[order] is not None]
            days = [self.calendar.local_day(d) if isinstance(d, dt.datetime) else d for d in dates]
            return (self.calendar.today - max(days)).days if days else None
        assert isinstance(node.of, FieldRef)
        values = []
        for r, link in good:
            hopped = self.values.hop(kind, r, node.of.hops)
            value = self.values.read(node.of.field, hopped, link if not node.of.hops else None)
            if isinstance(value, set):
                value = min(value, default=None)
            if value is not None:
                values.append(value)
        if node.function == "count_distinct":
            return len(set(values))
        if node.function == "sum":
            return sum(map(Fraction, values), Fraction(0))
        if not values:
            return None
        if node.function == "avg":
            return sum(map(Fraction, values)) / len(values)
        return min(values) if node.function == "min" else max(values)

    def picked(self, node: Aggregate, kind: str, good: list[tuple[Row, list[Row]]]) -> bool:
        """Compare the field of the first or last row: dated rows before undated ones, then by date, then by id."""
        order = node.ref.relation.order_by
        dated = [one for one in good if one[0][order] is not None] or good
        operator = NEGATIVE.get(node.operator, node.operator)
        result = False
        if dated:
            choose = min if node.function == "first" else max
            undated = dated[0][0][order] is None
            r, link = choose(dated, key=lambda one: (0 if undated else one[0][order], one[0]["id"]))
            assert isinstance(node.of, FieldRef)
            result = self.positive(node.of.field, node.of, operator, node.value, kind, r, link)
        return not result if node.operator in NEGATIVE else result

    # --- segments ---
    def segment(self, node: SegmentTest, record: str, row: Row) -> bool:
        """Judge a segment condition by the stored memberships and the runs."""
        target = self.values.hop(record, row, node.hops)
        column = MEMBERSHIP[node.record or record]
        if node.operator in ("in", "not_in"):
            found = target is not None and any(self.was_in(pk, column, target["id"]) for pk in node.segment_ids)
            return not found if node.operator == "not_in" else found
        if target is None:
            return False
        runs = [run for run in self.runs(node.segment_ids[0]) if run["as_of"] <= self.calendar.as_of]
        if node.operator == "was_in_at":
            asked = self.calendar.operand(node.at)
            if asked == dt.date.max:
                return self.replayed(runs, target["id"])
            if not isinstance(asked, dt.datetime):
                asked = self.midnight(asked + dt.timedelta(days=1)) - dt.timedelta(microseconds=1)
            return self.replayed([run for run in runs if run["as_of"] <= asked], target["id"])
        start = self.midnight(move(self.calendar.today, -node.within.n, node.within.unit))
        kind = "entered" if node.operator == "entered_in_last" else "left"
        return any(target["id"] in keys_in(run[kind]) for run in runs if run["as_of"] >= start)

    def runs(self, segment_id: int) -> list[Row]:
        """Return the runs of a segment in the order in which they were stored."""
        rows = self.world.where("segments.SegmentRun", "segment_id", segment_id)
        return sorted((run for run in rows if not run["error"]), key=lambda run: run["id"])

    def was_in(self, segment_id: int, column: str, key: int) -> bool:
        """Tell whether a record is in a segment at as_of: by the runs where some are later, else as stored."""
        runs = self.runs(segment_id)
        past = [run for run in runs if run["as_of"] <= self.calendar.as_of]
        if len(past) < len(runs):
            return self.replayed(past, key)
        rows = self.world.where("segments.SegmentMembership", column, key)
        return any(r["segment_id"] == segment_id for r in rows)

    def replayed(self, runs: list[Row], key: int) -> bool:
        """Play runs one after the other."""
        inside = False
        for run in runs:
            if key in keys_in(run["entered"]):
                inside = True
            elif key in keys_in(run["left"]):
                inside = False
        return inside
