"""Why a record is in a segment, or why not: the evidence tree, what stands above the rule, and what would flip it."""

from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from typing import Any

from segmentation_crm.common.access import AnyUser

from ..models import Segment
from ..rules.clock import Clock
from ..rules.describe import label
from ..rules.nodes import Aggregate, Condition, InvalidRule, Node, Related, Rule, SegmentTest
from ..rules.operators import HISTORY, MOMENTS, RANKING
from ..rules.unknowns import unknowns_of
from ..rules.validate import validate
from ..sentences import hide_records
from .flips import Change, FlipSearch, atoms_of, holds
from .standing import Standing, standing_of
from .tree import NodeEvidence, TreeBuilder

MOST_BLOCKERS = 3


@dataclass(frozen=True)
class Explanation:
    """Why one record is in or out now, as one viewer may see it.

    tree: None where there is no rule that works. changes: the smallest sets of edits that flip it, each tried.
    no_change: why there is none, "" where there are some or they were not asked for.
    """

    segment: Segment
    key: int
    name: str
    as_of: datetime
    standing: Standing
    tree: NodeEvidence | None
    changes: tuple[Change, ...] = ()
    no_change: str = ""
    problem: str = ""

    @property
    def is_in(self) -> bool:
        """Tell whether the record is a stored member."""
        return self.standing.is_member

    @property
    def is_behind(self) -> bool:
        """Tell whether the stored members do not yet say what the rule and all above it say."""
        return self.standing.expected is not None and self.standing.expected != self.standing.is_member


def explain(segment: Segment, record: Any, user: AnyUser, *, suggest: bool = True) -> Explanation:
    """Return why the record is in the segment or not (a query or two for each atom, and those of what it reads).

    The caller has checked that the user sees the record. suggest: also search the edits that flip it; these are
    written and taken back inside a savepoint.
    """
    clock = Clock.at()
    try:
        rule = validate(segment.rules, segment.member_type, segment_id=segment.pk) if segment.rules else None
        problem = ""
    except InvalidRule as broken:
        rule, problem = None, str(broken)
    if rule is None:
        standing = standing_of(segment, record.pk, None)
        return Explanation(
            segment, record.pk, str(record), clock.as_of, standing, None, no_change=standing.locked, problem=problem
        )
    hide_records(rule, user)
    builder = TreeBuilder(rule, record.pk, user, clock)
    tree = builder.root()
    standing = standing_of(segment, record.pk, tree.holds)
    changes: tuple[Change, ...] = ()
    no_change = standing.locked
    if suggest and not no_change:
        truths = {atom.path: builder.holds(atom) for atom in atoms_of(rule.root)}
        changes = tuple(FlipSearch(rule, record.pk, truths, user).run())
        if not changes:
            no_change = blocked_by(rule, truths)
    return Explanation(segment, record.pk, str(record), clock.as_of, standing, tree, changes, no_change)


def blocked_by(rule: Rule, truths: dict[Any, bool]) -> str:
    """Return why no edit of fields flips the rule: the fewest conditions to turn, and what they rest on."""
    atoms = list(atoms_of(rule.root))
    target = not holds(rule.root, truths)
    for size in range(1, min(MOST_BLOCKERS, len(atoms)) + 1):
        for chosen in combinations(atoms, size) if len(atoms) <= 40 or size == 1 else ():
            turned = truths | {atom.path: not truths[atom.path] for atom in chosen}
            if holds(rule.root, turned) == target:
                told = [f"“{label(atom, rule.member_type)}” {rests_on(atom, rule)}" for atom in chosen]
                return f"No edit of up to three fields on the record was found that flips this: {'; '.join(told)}."
    return "No edit of up to three fields on the record was found that flips this."


def rests_on(atom: Node, rule: Rule) -> str:
    """Say on what an atom rests, for one that no field on the record's page turns (0 queries)."""
    if isinstance(atom, Related | Aggregate):
        return f"rests on {atom.ref.relation.label.lower()}"
    if isinstance(atom, SegmentTest):
        return "rests on other segments"
    assert isinstance(atom, Condition)
    if atom.operator in HISTORY:
        return "rests on what the field was in the past"
    if atom.operator in RANKING:
        return "rests on how the record compares with all others"
    if any(atom in one.conditions for one in unknowns_of(rule.root, everything=True)):
        return "rests on a field that is not filled in on the record's page, or takes no value that serves"
    if atom.ref.field.type in MOMENTS:
        return "rests on what happened, and when"
    return "is computed by the system"


__all__ = ["Explanation", "blocked_by", "explain", "rests_on"]
