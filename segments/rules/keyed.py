"""The evaluator over a few given records: every node exactly, at the cost of a short query for each atom."""

from collections.abc import Iterable
from typing import Any

from pyroaring import BitMap

from .bitmaps import Evaluator, read_keys
from .clock import Clock
from .compile import compile_node, members
from .compile.verdicts import as_q
from .evaluate import restricted
from .nodes import Node


class KeyedEvaluator(Evaluator):
    """Evaluates nodes over the given members only; its universe are those of them that exist.

    For explaining records one by one: an atom costs milliseconds, whatever the tables hold.
    """

    def __init__(self, member_type: str, clock: Clock, keys: Iterable[int], **options: Any) -> None:
        self.members = restricted(members(member_type, clock), list(keys))
        super().__init__(member_type, clock, **options)

    @property
    def universe(self) -> BitMap:
        """Return those of the keys whose record exists (1 query, once)."""
        if self._universe is None:
            self._universe = read_keys(self.members.values("pk"))
        return self._universe

    def atom(self, node: Node) -> BitMap:
        """Read those of the members for which an atom holds (1 query)."""
        verdict = compile_node(node, self.place, self.clock)
        return self._read(self.members.filter(as_q(verdict)).values("pk"))


__all__ = ["KeyedEvaluator"]
