"""Random rules over the whole language, drawn from the registry, as raw JSON that validates.

`rules()` draws a rule; `World` says which references, segments and texts exist, so that rules meet real data.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from segmentation_crm.common.fields import FieldDef, RelationDef, registry
from segments.rules.operators import (
    COUNT_TESTS,
    COUNTED_MODES,
    FUNCTIONS,
    MODES,
    PERIODS,
    SEGMENT,
    UNITS,
    Operator,
    operators_of,
    result_type,
)

MEMBER_TYPES = ("account", "contact", "opportunity", "activity")
Draw = Any


@dataclass(frozen=True)
class World:
    """What exists for rules to name.

    references: by target ("user", "term:industry" …), ids or natural keys; a target without any gets presence
    operators only. segments: by member type, slugs. texts, integers, decimals, dates: values worth comparing with.
    custom: custom fields to use besides the declared ones. leave_out: keys not to use.
    """

    references: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    segments: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    texts: Sequence[str] = ("a", "Acme", "straße", "STRASSE", "100%", "a_b", "\\", "two words")
    integers: Sequence[int] = (0, 1, 2, 3, 5, 10, 50, 200, 1990, 2000)
    decimals: Sequence[float] = (0, 0.25, 0.5, 1, 2.5, 10, 99.99, 1000, -1)
    dates: Sequence[str] = ("2025-01-31", "2025-06-30", "2025-12-31", "2026-01-01", "2026-03-31T12:00:00+02:00")
    custom: Sequence[FieldDef] = ()
    leave_out: frozenset[str] = frozenset()


def reference_world() -> World:
    """Make one row for every kind of target that fields refer to, and return a world that names it by natural key."""
    from tests import factories

    account = factories.AccountFactory(name="Acme", domain="acme.example")
    stage = factories.StageFactory(name="Won", slug="won", is_won=True)
    found: dict[str, list[Any]] = {
        "user": [factories.UserFactory(username="alice").username],
        "account": [account.domain, account.pk],
        "contact": [factories.ContactFactory(email="ann@acme.example", account=account).email],
        "product": [factories.ProductFactory(name="GTX Pro").name],
        "vendor": [factories.VendorFactory().slug],
        "technology_product": [factories.TechnologyProductFactory().slug],
        "pipeline": [stage.pipeline.slug],
        "stage": [stage.slug, stage.pk],
        "persona": [factories.PersonaFactory().slug],
        "campaign": [factories.CampaignRefFactory().slug],
        "content": [factories.ContentItemFactory().title],
        "contract": [factories.ContractFactory(account=account).pk],
    }
    for system in ("sic", "naics"):
        found[f"code:{system}"] = [factories.IndustryCodeFactory(system=system, code=f"T{system.upper()}").code]
    targets = {f.target for f in registry.fields(custom=False)} | {
        f.target for relation in registry.relations.values() for f in relation.extra
    }
    for target in sorted(targets):
        kind, _, vocabulary = target.partition(":")
        if kind == "term":
            found[target] = [factories.TermFactory(vocabulary=vocabulary, name=f"First {vocabulary}").slug]
    return World(references=found)


@st.composite
def rules(
    draw: Draw, member_type: str, world: World | None = None, *, max_depth: int = 3, max_related: int = 2
) -> dict[str, Any]:
    """Draw a rule for the member type."""
    builder = _Builder(draw, world or World())
    return {"version": 1, **builder.group(member_type, None, max_depth, max_related, root=True)}


def fields_from(
    record: str, via: RelationDef | None = None, custom: Sequence[FieldDef] = ()
) -> list[tuple[str, FieldDef]]:
    """Return (key as written, field) of all fields that a group about this record can name."""
    everything = [*registry.fields(custom=False), *custom]
    found = [(f.key, f) for f in everything if f.record == record]
    if via is not None:
        found += [(f.key, f) for f in via.extra]
    for prefix in registry.records[record].to_one:
        target = prefix.split(".", 1)[0]
        found += [(f"{prefix}.{f.name}", f) for f in everything if f.record == target]
    return found


def relations_from(record: str) -> list[RelationDef]:
    """Return the relations that a group about this record can ask about."""
    owners = {record, *(p for p in registry.records[record].to_one if "." not in p)}
    return [relation for relation in registry.relations.values() if relation.owner in owners]


class _Builder:
    def __init__(self, draw: Draw, world: World) -> None:
        self.draw, self.world = draw, world

    def pick(self, options: Sequence[Any]) -> Any:
        return self.draw(st.sampled_from(list(options)))

    def group(
        self, record: str, via: RelationDef | None, depth: int, related: int, root: bool = False
    ) -> dict[str, Any]:
        found: dict[str, Any] = {"combinator": self.pick(["and", "or"])}
        if self.draw(st.booleans()):
            found["not"] = self.draw(st.booleans())
        size = self.draw(st.integers(1, 3))
        found["rules"] = [self.node(record, via, depth, related, root) for _ in range(size)]
        return found

    def node(self, record: str, via: RelationDef | None, depth: int, related: int, root: bool) -> dict[str, Any]:
        kinds = ["condition"] * 4
        if depth > 1:
            kinds.append("group")
            if related and relations_from(record):
                kinds += ["related", "aggregate"]
        if self.segment_keys(record, via):
            kinds.append("segment")
        kind = self.pick(kinds)
        if kind == "group":
            return self.group(record, via, depth - 1, related, root)
        if kind == "related":
            return self.related(record, depth, related)
        if kind == "aggregate":
            return self.aggregate(record, depth, related)
        return self.segment(record, via) if kind == "segment" else self.condition(record, via)

    # --- atoms ---
    def condition(self, record: str, via: RelationDef | None) -> dict[str, Any]:
        options = [f for f in fields_from(record, via, self.world.custom) if f[0] not in self.world.leave_out]
        key, chosen = self.pick(options)
        table = operators_of(chosen.type, history=bool(chosen.history), ranking=via is None)
        operator = self.pick([o for o in table.values() if self.possible(o, chosen)])
        return {"field": key, "operator": operator.name, **self.value(operator, chosen, chosen.type)}

    def related(self, record: str, depth: int, related: int) -> dict[str, Any]:
        relation = self.pick(relations_from(record))
        match: dict[str, Any] = {"mode": self.pick(list(MODES))}
        if match["mode"] in COUNTED_MODES:
            match["threshold"] = self.draw(st.integers(0, 3))
        found: dict[str, Any] = {"field": relation.key, "operator": "match", "match": match}
        if self.draw(st.integers(0, 4)):
            found["value"] = self.group(relation.record, relation, depth - 1, related - 1)
        return found

    def aggregate(self, record: str, depth: int, related: int) -> dict[str, Any]:
        relation = self.pick(relations_from(record))
        options = [
            entry
            for entry in fields_from(relation.record, relation, self.world.custom)
            if entry[0] not in self.world.leave_out
        ]
        types = {entry[1].type for entry in options}
        function = self.pick([f for f in FUNCTIONS.values() if f.takes != "field" or f.of & types])
        figure: dict[str, Any] = {"function": function.name}
        chosen: FieldDef | None = None
        if function.takes == "group":
            figure["of"] = self.group(relation.record, relation, depth - 1, related - 1)
        elif function.takes == "field":
            figure["of"], chosen = self.pick([entry for entry in options if entry[1].type in function.of])
        found: dict[str, Any] = {"field": relation.key, "aggregate": figure}
        if function.takes == "group" or self.draw(st.booleans()):
            found["where"] = self.group(relation.record, relation, depth - 1, related - 1)
        type_name = result_type(function.name, chosen.type if chosen else "")
        shown = chosen if function.name in ("first", "last", "min", "max", "sum", "avg") else None
        table = operators_of(type_name, ranking=False)
        operator = self.pick([o for o in table.values() if shown is None or self.possible(o, shown)])
        return {**found, "operator": operator.name, **self.value(operator, shown, type_name)}

    def segment_keys(self, record: str, via: RelationDef | None) -> list[tuple[str, str]]:
        found = []
        if via is None and self.world.segments.get(record):
            found.append(("segment", record))
        if "account" in registry.records[record].to_one and self.world.segments.get("account"):
            found.append(("account.segment", "account"))
        return found

    def segment(self, record: str, via: RelationDef | None) -> dict[str, Any]:
        key, members = self.pick(self.segment_keys(record, via))
        operator = self.pick(list(SEGMENT.values()))
        known = st.sampled_from(list(self.world.segments[members]))
        if operator.operand == "list":
            value: Any = self.draw(st.lists(known, min_size=1, max_size=2))
        elif operator.operand == "within":
            value = {"segment": self.draw(known), "within": self.duration()}
        else:
            value = {"segment": self.draw(known), "at": self.one(None, "datetime")}
        return {"field": key, "operator": operator.name, "value": value}

    # --- values ---
    def possible(self, operator: Operator, chosen: FieldDef) -> bool:
        if operator.operand not in ("one", "list", "range", "held"):
            return True
        kind = chosen.item or chosen.type
        return kind not in ("reference", "tree") or bool(self.world.references.get(chosen.target))

    def value(self, operator: Operator, chosen: FieldDef | None, type_name: str) -> dict[str, Any]:
        if operator.operand == "none":
            return {}
        return {"value": self.operand(operator, chosen, type_name)}

    def operand(self, operator: Operator, chosen: FieldDef | None, type_name: str) -> Any:
        match operator.operand:
            case "one":
                return self.one(chosen, type_name)
            case "list":
                return [self.one(chosen, type_name) for _ in range(self.draw(st.integers(1, 3)))]
            case "range":
                return self.range(type_name)
            case "share":
                return self.pick([0.5, 1, 10, 33.3, 50, 100])
            case "duration":
                return self.duration()
            case "period":
                return self.pick(list(PERIODS))
            case "number_test":
                name = self.pick(COUNT_TESTS)
                return {"operator": name, "value": self.range("small") if "between" in name else self.small()}
        return {"value": self.one(chosen, type_name), "for": self.duration()}

    def small(self) -> int:
        return self.draw(st.integers(0, 4))

    def duration(self) -> dict[str, Any]:
        return {"n": self.pick([1, 2, 7, 30, 90]), "unit": self.pick(UNITS)}

    def range(self, type_name: str) -> list[Any]:
        if type_name == "small":
            return sorted([self.small(), self.small()])
        if type_name in ("date", "datetime"):
            plain = [day for day in self.world.dates if "T" not in day]
            return sorted([self.pick(plain), self.pick(plain)])
        numbers = self.world.integers if type_name == "integer" else self.world.decimals
        return sorted([self.pick(numbers), self.pick(numbers)])

    def one(self, chosen: FieldDef | None, type_name: str) -> Any:
        kind = chosen.item if chosen is not None and type_name == "multi" else type_name
        if kind in ("reference", "tree") and chosen is not None:
            return self.pick(self.world.references[chosen.target])
        if kind == "enum" and chosen is not None:
            return self.pick([c.value for c in chosen.choices] or list(self.world.texts))
        if kind == "text":
            return self.pick(self.world.texts)
        if kind in ("date", "datetime"):
            moving = ["today", {"ago": self.duration()}, {"ahead": self.duration()}]
            return self.pick([*self.world.dates, *moving])
        return self.pick(self.world.integers if kind == "integer" else self.world.decimals)


__all__ = ["MEMBER_TYPES", "World", "fields_from", "relations_from", "rules"]
