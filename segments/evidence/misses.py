"""Nearest misses: the records outside a segment that the fewest conditions keep out.

Set by set: for every node two ladders of bitmaps say for whom it is met, or not met, once at most k atoms turn. A
group's ladders follow from those of its parts: "all of" adds up, "any of" takes the least.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from pyroaring import BitMap

from ..rules.bitmaps import Evaluator
from ..rules.describe import label
from ..rules.nodes import Group, Node, Rule

MOST_TURNS = 3
# Met, and not met, after at most 0, 1, 2 … turns of atoms.
Ladder = list[BitMap]


@dataclass(frozen=True)
class Miss:
    """A record outside: how many conditions keep it out, and those of the root's lines that it does not meet."""

    key: int
    turns: int
    fails: tuple[str, ...]


def nearest_misses(rule: Rule, evaluator: Evaluator, within: BitMap, limit: int = 20) -> list[Miss]:
    """Return the records within that miss the rule by the fewest conditions, at most 3 (only the queries of atoms)."""
    met, _ = _ladders(rule.root, evaluator)
    found: list[Miss] = []
    before = met[0]
    for turns in range(1, MOST_TURNS + 1):
        for key in (met[turns] - before) & within:
            if len(found) >= limit:
                return found
            found.append(Miss(key, turns, tuple(_failing(rule, evaluator, key))))
        before = met[turns]
    return found


def _ladders(node: Node, evaluator: Evaluator) -> tuple[Ladder, Ladder]:
    """Return for whom the node is met, and not met, after at most k turns."""
    universe = evaluator.universe
    if not isinstance(node, Group):
        held = evaluator.node(node)
        return [held, *[universe] * MOST_TURNS], [universe - held, *[universe] * MOST_TURNS]
    parts = [_ladders(rule, evaluator) for rule in node.rules]
    all_of = node.combinator == "and"
    met = (_added if all_of else _least)([m for m, _ in parts])
    unmet = (_least if all_of else _added)([u for _, u in parts])
    return (unmet, met) if node.negated else (met, unmet)


def _added(parts: Iterable[Ladder]) -> Ladder:
    """Return for whom all parts hold after at most k turns in sum."""
    total: Ladder | None = None
    for part in parts:
        if total is None:
            total = part
            continue
        sums = [[total[i] & part[k - i] for i in range(k + 1)] for k in range(MOST_TURNS + 1)]
        total = [BitMap.union(*several) for several in sums]
    assert total is not None
    return total


def _least(parts: Iterable[Ladder]) -> Ladder:
    """Return for whom some part holds after at most k turns."""
    return [BitMap.union(*several) for several in zip(*parts, strict=True)]


def _failing(rule: Rule, evaluator: Evaluator, key: int) -> Iterable[str]:
    """Yield the lines of the root that the record does not meet, in words."""
    if rule.root.combinator == "or" or rule.root.negated:
        yield "None of the alternatives" if rule.root.combinator == "or" and not rule.root.negated else "The whole rule"
        return
    for node in rule.root.rules:
        if key not in evaluator.node(node):
            yield label(node, rule.member_type)


__all__ = ["Miss", "nearest_misses"]
