"""The tree: every node of a rule as a verdict."""

from typing import assert_never

from ..clock import Clock
from ..nodes import Aggregate, Condition, Group, Node, Related, SegmentTest
from .aggregates import compile_aggregate
from .conditions import compile_condition
from .places import Place
from .related import compile_related
from .segments import compile_segments
from .verdicts import All, Any_, Not, Verdict


def compile_node(node: Node, place: Place, clock: Clock) -> Verdict:
    """Return the verdict of any node at a place (0 queries)."""
    match node:
        case Group():
            return _group(node, place, clock)
        case Condition():
            return compile_condition(node, place, clock)
        case Related():
            return compile_related(node, place, clock, compile_node)
        case Aggregate():
            return compile_aggregate(node, place, clock, compile_node)
        case SegmentTest():
            return compile_segments(node, place, clock)
    assert_never(node)


def _group(node: Group, place: Place, clock: Clock) -> Verdict:
    parts = tuple(compile_node(rule, place, clock) for rule in node.rules)
    verdict = joined(parts, node.combinator)
    return negated(verdict) if node.negated else verdict


def joined(parts: tuple[Verdict, ...], combinator: str) -> Verdict:
    """Return and / or of the parts; parts of the same kind are taken in, so that queries stay shallow."""
    kind = All if combinator == "and" else Any_
    flat: list[Verdict] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, kind) else (part,))
    return flat[0] if len(flat) == 1 else kind(tuple(flat))


def negated(verdict: Verdict) -> Verdict:
    """Return NOT of a verdict, pushed down to its tests: SQLite's parser takes few nested parentheses."""
    match verdict:
        case Not(part):
            return part
        case All(parts):
            return joined(tuple(negated(part) for part in parts), "or")
        case Any_(parts):
            return joined(tuple(negated(part) for part in parts), "and")
    return Not(verdict)
