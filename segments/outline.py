"""A rule as lines, one a condition, and what changed between two rules as lines that went and lines that came."""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from segmentation_crm.common.access import AnyUser

from .rules.describe import label
from .rules.nodes import Group, InvalidRule, Node
from .rules.validate import validate
from .sentences import words_for


@dataclass(frozen=True)
class Line:
    """One line of a rule: how deep it stands, its words, and what a comparison says: same, gone or new."""

    depth: int
    text: str
    mark: str = "same"


def outline(rules: Any, member_type: str, user: AnyUser, segment_id: int | None = None) -> list[Line]:
    """Return a stored rule as lines; records that the user may not see are not named (queries: those of validating).

    A rule that no longer validates is one line that says so.
    """
    if not rules:
        return [Line(0, "No rule: kept by hand.")]
    try:
        rule = validate(rules, member_type, segment_id=segment_id)
    except InvalidRule:
        return [Line(0, "A rule that no longer works.")]
    # Takes the names of hidden records out of the rule.
    words_for(rule, user)
    return list(_lines(rule.root, rule.member_type, 0))


def _lines(node: Node, member_type: str, depth: int) -> Iterator[Line]:
    if not isinstance(node, Group):
        yield Line(depth, label(node, member_type))
        return
    words = "All of these" if node.combinator == "and" else "At least one of these"
    if node.negated:
        words = "Not all of these" if node.combinator == "and" else "None of these"
    if len(node.rules) == 1:
        words = "Not" if node.negated else ""
    if words:
        yield Line(depth, words)
    for rule in node.rules:
        yield from _lines(rule, member_type, depth + bool(words))


def compared(old: list[Line], new: list[Line]) -> list[Line]:
    """Return both rules as one list: what stayed, what went and what came, in the order of reading."""
    found: list[Line] = []
    keys = ([(line.depth, line.text) for line in old], [(line.depth, line.text) for line in new])
    for tag, a, b, c, d in SequenceMatcher(None, *keys, autojunk=False).get_opcodes():
        if tag == "equal":
            found += new[c:d]
            continue
        found += [Line(line.depth, line.text, "gone") for line in old[a:b]]
        found += [Line(line.depth, line.text, "new") for line in new[c:d]]
    return found
