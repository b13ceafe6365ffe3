"""Undecided: the records whose missing data decide whether a rule holds (DESIGN §4).

Records are grouped by the set of fields they lack. For each group the domains of these fields are cut into worlds
(`worlds`), all conditions of a field answer together in each world, and the algebra of the bitmaps runs again: where
the verdicts differ, the record is undecided. With more than 3 fields missing, or too many worlds, Kleene's logic says
what cannot be excluded: an upper bound, marked as such.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any

from pyroaring import BitMap

from .bitmaps import Evaluator
from .deadline import Deadline, RuleTooExpensive
from .judging import Judge
from .nodes import Condition, Group, Node, Path, Rule
from .unknowns import Unknown, unknowns_of
from .worlds import World, worlds_of

MOST_MISSING = 3
MOST_WORLDS = 400  # combinations for one group of records
MOST_GROUPS = 600

# What cannot be excluded of a node: the records for which it certainly holds, and for which it may.
Bounds = tuple[BitMap, BitMap]
Leaf = Callable[[Node], Bounds]


@dataclass(frozen=True)
class Gap:
    """A field that undecided records lack: those records, and those that the field alone would settle."""

    unknown: Unknown
    missing: BitMap
    settles: BitMap


@dataclass(frozen=True)
class Undecided:
    """The records whose missing data decide. upper_bound: some of them may be decided after all."""

    keys: BitMap
    upper_bound: bool
    gaps: tuple[Gap, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as the API sends them, the field that settles most first."""
        fields = [
            {"field": gap.unknown.key, "missing": len(gap.missing), "settles": len(gap.settles)} for gap in self.gaps
        ]
        return {"count": len(self.keys), "upper_bound": self.upper_bound, "fields": fields}


def find_undecided(
    rule: Rule,
    evaluator: Evaluator,
    within: BitMap | None = None,
    *,
    node: Node | None = None,
    judge: Judge | None = None,
) -> Undecided:
    """Return whom missing data decide, of all records or of those within (a query or two for each field asked).

    node: a part of the rule, to be asked alone; judge: kept between such questions. Costs bitmap algebra of the rule
    for each combination of worlds; looks at the evaluator's deadline.
    """
    universe = evaluator.universe if within is None else evaluator.universe & within
    return _Search(node or rule.root, evaluator, universe, judge or Judge(evaluator.clock)).run()


class _Search:
    """One question: the rule's tree over the records in `universe`."""

    def __init__(self, root: Node, evaluator: Evaluator, universe: BitMap, judge: Judge) -> None:
        self.root, self.evaluator, self.universe = root, evaluator, universe
        self.judge = judge
        self.deadline: Deadline | None = evaluator.deadline
        found = [(one, evaluator.node(one.is_empty()) & universe) for one in unknowns_of(root)]
        self.unknowns = [one for one, lacking in found if lacking]
        self.missing = [lacking for _, lacking in found if lacking]
        self.of_path = {c.path: n for n, one in enumerate(self.unknowns) for c in one.conditions}
        self.worlds: dict[tuple[int, str], list[World]] = {}
        self.bands = [self._bands(one, lacking) for one, lacking in zip(self.unknowns, self.missing, strict=True)]
        self.keys, self.upper_bound = BitMap(), False
        self.settled = [BitMap() for _ in self.unknowns]

    def run(self) -> Undecided:
        """Return the answer."""
        if self.unknowns:
            certain, possible = self._bounds(self.root, self._kleene, self.universe)
            open_records = possible - certain
            many = open_records & _at_least(self.missing, MOST_MISSING + 1)
            for count, (signature, keys) in enumerate(self._groups(open_records - many)):
                if count >= MOST_GROUPS or not self._by_worlds(signature, keys):
                    many |= keys
            self._by_kleene(many)
        gaps = [
            Gap(one, lacking & self.keys, settled)
            for one, lacking, settled in zip(self.unknowns, self.missing, self.settled, strict=True)
            if lacking & self.keys
        ]
        gaps.sort(key=lambda gap: (-len(gap.settles), -len(gap.missing), gap.unknown.key))
        return Undecided(self.keys, self.upper_bound, tuple(gaps))

    def _check(self) -> None:
        if self.deadline is not None and time.monotonic() > self.deadline.ends:
            raise RuleTooExpensive

    # --- the algebra ---
    def _bounds(self, node: Node, leaf: Leaf, within: BitMap) -> Bounds:
        if not isinstance(node, Group):
            return leaf(node)
        parts = [self._bounds(rule, leaf, within) for rule in node.rules]
        join = BitMap.intersection if node.combinator == "and" else BitMap.union
        certain, possible = join(*(c for c, _ in parts)), join(*(p for _, p in parts))
        return (within - possible, within - certain) if node.negated else (certain, possible)

    def _kleene(self, node: Node) -> Bounds:
        """Return the bounds where every condition on a missing field is unknown by itself."""
        held = self.evaluator.node(node) & self.universe
        number = self.of_path.get(node.path) if isinstance(node, Condition) else None
        if number is None:
            return held, held
        lacking = self.missing[number]
        return held - lacking, held | lacking

    # --- worlds ---
    def _bands(self, unknown: Unknown, lacking: BitMap) -> dict[str, BitMap]:
        """Return by stored band the records that lack the figure; "" for those without a band."""
        if unknown.band is None:
            return {"": lacking}
        found: dict[str, BitMap] = {}
        rest = lacking
        for choice in unknown.band.field.choices:
            held = self.evaluator.node(Condition((), unknown.band, "eq", choice.value)) & rest
            if held:
                found[choice.value] = held
                rest = rest - held
        return {**found, "": rest} if rest else found

    def _worlds(self, number: int, band: str) -> list[World]:
        if (number, band) not in self.worlds:
            self.worlds[number, band] = worlds_of(self.unknowns[number], self.judge, band)
        return self.worlds[number, band]

    def _groups(self, keys: BitMap) -> Iterator[tuple[tuple[tuple[int, str], ...], BitMap]]:
        """Yield the records by what they lack: ((unknown, band), …) and their keys."""
        groups: dict[tuple[tuple[int, str], ...], BitMap] = {(): keys}
        for number, bands in enumerate(self.bands):
            split: dict[tuple[tuple[int, str], ...], BitMap] = {}
            for signature, members in groups.items():
                rest = members - self.missing[number]
                if rest:
                    split[signature] = rest
                for band, lacking in bands.items():
                    if held := members & lacking:
                        split[(*signature, (number, band))] = held
            groups = split
            self._check()
        yield from ((signature, members) for signature, members in groups.items() if signature)

    def _by_worlds(self, signature: tuple[tuple[int, str], ...], keys: BitMap) -> bool:
        """Judge a group of records in every world of what they lack; False where the worlds are too many."""
        ways = [self._worlds(number, band) for number, band in signature]
        if prod(map(len, ways)) > MOST_WORLDS:
            return False
        facts: dict[Path, Bounds] = {}
        all_certain, all_possible = keys.copy(), BitMap()
        # For each unknown and each of its worlds: what holds in all, and in some, of the others' worlds.
        settling: dict[tuple[int, int], Bounds] = {}
        for chosen in product(*(enumerate(way) for way in ways)):
            self._check()
            worlds = [world for _, world in chosen]
            certain, possible = self._bounds(self.root, self._in_world(signature, worlds, keys, facts), keys)
            self.upper_bound |= certain != possible
            all_certain, all_possible = all_certain & certain, all_possible | possible
            for place, (index, world) in enumerate(chosen):
                if world.filled:
                    low, high = settling.get((place, index), (keys, BitMap()))
                    settling[place, index] = (low & certain, high | possible)
        undecided = all_possible - all_certain
        self.keys |= undecided
        for place, (number, _) in enumerate(signature):
            differing = BitMap.union(
                BitMap(), *(high - low for (at, _), (low, high) in settling.items() if at == place)
            )
            self.settled[number] |= undecided - differing
        return True

    def _in_world(
        self, signature: tuple[tuple[int, str], ...], worlds: list[World], keys: BitMap, facts: dict[Path, Bounds]
    ) -> Leaf:
        """Return the leaves of the tree where the missing fields are as in these worlds."""
        none, answers = BitMap(), {}
        for (number, _), world in zip(signature, worlds, strict=True):
            for condition, truth in zip(self.unknowns[number].conditions, world.truths, strict=True):
                answers[condition.path] = {True: (keys, keys), False: (none, none), None: (none, keys)}[truth]

        def leaf(node: Node) -> Bounds:
            if found := answers.get(node.path):
                return found
            if node.path not in facts:
                held = self.evaluator.node(node) & keys
                facts[node.path] = held, held
            return facts[node.path]

        return leaf

    # --- Kleene ---
    def _by_kleene(self, keys: BitMap) -> None:
        """Take what Kleene's logic cannot exclude; a field settles where it does so whatever the others are."""
        if not keys:
            return
        self.keys |= keys
        self.upper_bound = True
        for number, bands in enumerate(self.bands):
            for band, lacking in bands.items():
                concerned = keys & lacking
                if not concerned:
                    continue
                settled = concerned
                for world in self._worlds(number, band):
                    if world.filled and settled:
                        self._check()
                        certain, possible = self._bounds(self.root, self._fixing(number, world, settled), self.universe)
                        settled = settled - (possible - certain)
                self.settled[number] |= settled

    def _fixing(self, number: int, world: World, keys: BitMap) -> Leaf:
        """Return the leaves where one field is known for some records, the others as Kleene has them."""
        answers: Mapping[Path, bool | None] = dict(
            zip((c.path for c in self.unknowns[number].conditions), world.truths, strict=True)
        )

        def leaf(node: Node) -> Bounds:
            certain, possible = self._kleene(node)
            if node.path not in answers:
                return certain, possible
            truth = answers[node.path]
            return (certain | keys if truth else certain - keys), (
                possible - keys if truth is False else possible | keys
            )

        return leaf


def _at_least(sets: list[BitMap], number: int) -> BitMap:
    """Return the keys that lie in at least so many of the sets."""
    reached = [BitMap() for _ in range(number)]
    for one in sets:
        for level in range(number - 1, 0, -1):
            reached[level] |= reached[level - 1] & one
        reached[0] |= one
    return reached[-1]


__all__ = ["Gap", "Undecided", "find_undecided"]
