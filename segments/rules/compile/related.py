"""Related conditions: how many related rows satisfy one group, all of its rules speaking of the same row."""

from collections.abc import Callable
from typing import Any

from django.db.models import Count, F, Q
from django.db.models.lookups import Exact, GreaterThanOrEqual

from ..clock import Clock
from ..nodes import Related
from .places import Place
from .relations import RelationRows, relation_rows
from .verdicts import All, Not, Verdict, as_q, constant


def compile_related(node: Related, place: Place, clock: Clock, compile_node: Callable[..., Verdict]) -> Verdict:
    """Return the verdict of a related node at a place; `all` over no rows is FALSE."""
    found = relation_rows(node.ref, place, clock)
    inner = None if node.group is None else as_q(compile_node(node.group, found.inner, clock))
    number = node.threshold or 0
    match node.mode:
        case "some":
            return found.test(inner)
        case "none":
            return Not(found.test(inner))
        case "all":
            return found.test() if inner is None else All((found.test(), Not(found.test(~inner))))
        case "at_least":
            return _at_least(found, inner, number)
        case "at_most":
            return Not(_at_least(found, inner, number + 1))
        case "exactly":
            if number == 0:
                return Not(found.test(inner))
            return _counted(found, inner, Q(Exact(F("figure"), number)))
    raise ValueError(f"No mode {node.mode}")


def _at_least(found: RelationRows, inner: Q | None, number: int) -> Verdict:
    if number <= 0:
        return constant(True)
    if number == 1:
        return found.test(inner)
    return _counted(found, inner, Q(GreaterThanOrEqual(F("figure"), number)))


def _counted(found: RelationRows, inner: Q | None, having: Q) -> Verdict:
    figures: dict[str, Any] = {"figure": Count("*")}
    return found.test(inner, figures=figures, having=having)
