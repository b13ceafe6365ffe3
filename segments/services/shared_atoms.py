"""Atoms that the segments of one rebuild of all share: a hundred rules ask many of them twice (DESIGN §4)."""

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pyroaring import BitMap

from segmentation_crm.common.effective_time import effective_now

from ..rules.bitmaps import UNIVERSE, Evaluator, atom_key
from ..rules.clock import Clock
from ..rules.deadline import whole_sets
from ..rules.given_keys import names_segments
from ..rules.nodes import Group, Node, Rule

# A bitmap of a million keys takes 125 kB at most.
KEPT = 512
# How long one moment serves: what was stored as of it is that old when the last segment is done.
KEPT_FOR = timedelta(minutes=5)


@dataclass
class SharedAtoms:
    """Evaluates rules at one moment and keeps their atoms for the next rule.

    Valid as long as no refresh has taken changes: `moment` begins anew where `taken` differs. What was written since
    and waits is asked again by the refresh that takes it. Atoms over membership are never kept: segments
    move meanwhile.
    """

    taken: int | None = None
    clock: Clock | None = None
    atoms: OrderedDict[Any, BitMap] = field(default_factory=OrderedDict)

    def moment(self, taken: int) -> datetime:
        """Return the moment to evaluate at, with atoms that stand for this count of refreshes (0 or 1 query).

        taken: read before any atom is read.
        """
        now = effective_now()
        if self.clock is None or self.taken != taken or not timedelta() <= now - self.clock.as_of <= KEPT_FOR:
            self.forget()
            self.taken, self.clock = taken, Clock.at(now)
        assert self.clock is not None
        return self.clock.as_of

    def forget(self) -> None:
        """Begin anew at the next moment."""
        self.taken, self.clock = None, None
        self.atoms.clear()

    def members(self, rule: Rule) -> BitMap:
        """Return the members at the moment (1 query or a few for each distinct atom not kept)."""
        assert self.clock is not None, "ask for the moment first"
        atoms = dict(self._kept(rule))
        with whole_sets():
            found = Evaluator(rule.member_type, self.clock, atoms).node(rule.root)
        self._keep(rule.member_type, UNIVERSE, atoms)
        for node in _leaves(rule.root):
            if not names_segments(node):
                self._keep(rule.member_type, atom_key(node), atoms)
        while len(self.atoms) > KEPT:
            self.atoms.popitem(last=False)
        return found

    def _kept(self, rule: Rule) -> list[tuple[Any, BitMap]]:
        names = [UNIVERSE, *(atom_key(node) for node in _leaves(rule.root))]
        return [(name, self.atoms[rule.member_type, name]) for name in names if (rule.member_type, name) in self.atoms]

    def _keep(self, member_type: str, name: Any, atoms: dict[Any, BitMap]) -> None:
        if name in atoms:
            self.atoms[member_type, name] = atoms[name]
            self.atoms.move_to_end((member_type, name))


def _leaves(node: Node) -> list[Node]:
    if isinstance(node, Group):
        return [leaf for rule in node.rules for leaf in _leaves(rule)]
    return [node]
