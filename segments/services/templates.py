"""Segments to start from: each with its rule in words, the data it needs, and how much of that is here."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from pyroaring import BitMap

from segmentation_crm.common.access import AnyUser
from segmentation_crm.common.fields import registry

from ..queries import records_visible_to
from ..rules import deadline
from ..rules.bitmaps import Evaluator, read_keys
from ..rules.clock import Clock
from ..rules.describe import describe
from ..rules.nodes import Aggregate, Condition, FieldRef, Group, InvalidRule, Node, Related, Rule
from ..rules.validate import validate
from ..templates_data import BY_KEY, METHODS, TEMPLATES, Template

KEPT_SECONDS = 600
# All templates together; what is not counted by then says so.
SECONDS = 8.0
# Computed from other data, and never empty itself: what it is computed from is asked for.
INSTEAD = {
    "account.engaged_90d": "account.last_engaged_at",
    "contact.engaged_90d": "contact.last_engaged_at",
    "account.tech_count": "account.technologies",
}
# Of a related row never empty, or no data of its own.
ALWAYS_THERE = frozenset({"activity.occurred_at", "activity.bot_suspected", "activity.direction", "need.rejected_on"})


@dataclass(frozen=True)
class Need:
    """One kind of data that a template rests on. key: the field or relation, with inner fields of a relation."""

    key: tuple[str, ...]
    label: str
    probe: dict[str, Any]


@dataclass(frozen=True)
class Shown:
    """A template as the gallery shows it; `problem` says why its rule does not work here, else empty."""

    template: Template
    sentence: str
    needs: list[Need]
    problem: str = ""


def gallery() -> list[tuple[str, list[Shown]]]:
    """Return the templates under the words of their method (0 queries: no template names what users keep)."""
    found: dict[str, list[Shown]] = {method: [] for method in METHODS}
    for template in TEMPLATES:
        found[template.method].append(_shown(template))
    return [(METHODS[method], rows) for method, rows in found.items()]


def template_named(key: str) -> Template | None:
    """Return the template of this key, or None."""
    return BY_KEY.get(key)


def _shown(template: Template) -> Shown:
    try:
        rule = validate(template.rules, template.member_type)
    except InvalidRule as problem:
        return Shown(template, "", [], str(problem))
    return Shown(template, describe(rule), needs_of(rule))


def needs_of(rule: Rule) -> list[Need]:
    """Return the data that a rule reads, each once, with a condition that holds where a record has it (0 queries)."""
    found: dict[tuple[str, ...], Need] = {}
    for need in _needs(rule.root):
        found.setdefault(need.key, need)
    return list(found.values())


def _needs(node: Node) -> Iterator[Need]:
    if isinstance(node, Group):
        for rule in node.rules:
            yield from _needs(rule)
    elif isinstance(node, Condition):
        yield _need_of(node.ref)
    elif isinstance(node, Related | Aggregate):
        yield _need_of_relation(node)


def _need_of(ref: FieldRef) -> Need:
    key = INSTEAD.get(ref.field.key, ref.field.key)
    path = ref.key.removesuffix(ref.field.key) + key if ref.hops else key
    relation = registry.relation(key)
    if relation is not None:
        return Need((path,), relation.label, {"field": path, "operator": "match", "match": {"mode": "some"}})
    field = registry.field(key) or ref.field
    return Need((path,), field.label, {"field": path, "operator": "is_set"})


def _need_of_relation(node: Related | Aggregate) -> Need:
    fields = {ref.field.key: ref.field for ref in _inner(node) if ref.field.key not in ALWAYS_THERE}
    wanted = {key: field for key, field in fields.items() if field.type != "boolean" and key not in INSTEAD}
    probe: dict[str, Any] = {"field": node.ref.key, "operator": "match", "match": {"mode": "some"}}
    if wanted:
        rules = [{"field": key, "operator": "is_set"} for key in wanted]
        probe["value"] = {"combinator": "and", "rules": rules}
    words = ", ".join(field.label[:1].lower() + field.label[1:] for field in wanted.values())
    label = f"{node.ref.relation.label} ({words})" if words else node.ref.relation.label
    return Need((node.ref.key, *wanted), label, probe)


def _inner(node: Node) -> Iterator[FieldRef]:
    if isinstance(node, Group):
        for rule in node.rules:
            yield from _inner(rule)
    elif isinstance(node, Condition):
        yield node.ref
    elif isinstance(node, Related) and node.group is not None:
        yield from _inner(node.group)
    elif isinstance(node, Aggregate):
        if isinstance(node.of, FieldRef):
            yield node.of
        for group in (node.of, node.where):
            if isinstance(group, Group):
                yield from _inner(group)


# --- how much of it is here ---
@dataclass(frozen=True)
class Fill:
    """How many of the records that the viewer may see have the data; None: not counted in time."""

    count: int | None
    total: int

    @property
    def share(self) -> float | None:
        """Return the share, 0 to 1; None where nothing is there or nothing was counted."""
        return self.count / self.total if self.total and self.count is not None else None


def fills(user: AnyUser) -> dict[str, list[tuple[Need, Fill]]]:
    """Return for each template its needs with their fill, over the records that the user may see.

    One query or a few for each distinct need, at most 8 seconds for all; the figures are kept 10 minutes for the user.
    """
    kept_as = f"template-fills:{user.pk}"
    counted: dict[Any, tuple[int | None, int]] | None = cache.get(kept_as)
    shown = [one for _, rows in gallery() for one in rows]
    if counted is None:
        counted = _count({(one.template.member_type, need.key): need for one in shown for need in one.needs}, user)
        if all(count is not None for count, _ in counted.values()):
            cache.set(kept_as, counted, KEPT_SECONDS)
    return {
        one.template.key: [
            (need, Fill(*counted.get((one.template.member_type, need.key), (None, 0)))) for need in one.needs
        ]
        for one in shown
    }


def _count(needs: dict[Any, Need], user: AnyUser) -> dict[Any, tuple[int | None, int]]:
    found: dict[Any, tuple[int | None, int]] = {}
    clock = Clock.at(None)
    for member_type in sorted({kind for kind, _ in needs}):
        visible: BitMap = read_keys(records_visible_to(member_type, user).order_by().values("pk"))
        mine = {key: need for key, need in needs.items() if key[0] == member_type}
        found |= dict.fromkeys(mine, (None, len(visible)))
        try:
            with deadline.limited(SECONDS / 2) as limit:
                evaluator = Evaluator(member_type, clock, deadline=limit)
                for key, need in mine.items():
                    rule = validate({"combinator": "and", "rules": [need.probe]}, member_type)
                    found[key] = (len(evaluator.node(rule.root) & visible), len(visible))
        except deadline.RuleTooExpensive:
            continue
    return found
