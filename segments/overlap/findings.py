"""Segments that are one too many: inside another, with equal members, or with rules that ask the same; in words."""

from dataclasses import dataclass

from ..choices import SegmentKind
from ..models import Segment
from .rules_compared import Relation, relation_of

EQUAL_MEMBERS, INSIDE, EQUAL_RULES, RULE_INSIDE = "equal_members", "inside", "equal_rules", "rule_inside"


@dataclass(frozen=True)
class Finding:
    """One thing found about two segments. kind: equal_members, inside, equal_rules, rule_inside (first in second)."""

    kind: str
    first: Segment
    second: Segment
    text: str
    advice: str


def findings_of(first: Segment, second: Segment, in_first: int, in_second: int, both: int) -> list[Finding]:
    """Return what the members and the rules of two segments show (0 queries).

    in_first, in_second, both: how many members that the viewer may see. Empty segments give no finding by members.
    """
    if in_first > in_second:
        first, second, in_first, in_second = second, first, in_second, in_first
    relation = _by_rule(first, second)
    unit = f"{first.member_type}s" if in_first != 1 else first.member_type
    a, b = f"“{first.name}”", f"“{second.name}”"
    if in_first and in_first == in_second == both:
        return [_equal(first, second, f"{a} and {b} have the same {in_first:,} {unit}", relation)]
    if relation in (Relation.SAME, Relation.EQUAL):
        words = f"The rules of {a} and {b} ask the same, though their members differ"
        advice = "Decisions by hand, or a build that is not done yet, make the difference: keep one of the two."
        return [Finding(EQUAL_RULES, first, second, f"{words}.", advice)]
    if in_first and both == in_first:
        text = f"Every one of the {in_first:,} {unit} in {a} is also in {b}, which has {in_second:,}."
        if relation is Relation.INSIDE:
            return [Finding(INSIDE, first, second, text, "It is always so: its rule asks for all that the other does.")]
        return [Finding(INSIDE, first, second, text, "It is so today; the rules do not make it so for ever.")]
    if relation in (Relation.INSIDE, Relation.AROUND):
        inner, outer = (a, b) if relation is Relation.INSIDE else (b, a)
        text = f"The rule of {inner} asks for all that the rule of {outer} does, and for more."
        pair = (first, second) if relation is Relation.INSIDE else (second, first)
        advice = "It lies inside, but for decisions by hand and builds that are not done yet."
        return [Finding(RULE_INSIDE, *pair, text, advice)]
    return []


def _equal(first: Segment, second: Segment, words: str, relation: Relation) -> Finding:
    if relation is Relation.SAME:
        return Finding(EQUAL_MEMBERS, first, second, f"{words}, by the same rule.", "One of them is enough.")
    if relation is Relation.EQUAL:
        words = f"{words}, by rules that are written differently and ask the same."
        return Finding(EQUAL_MEMBERS, first, second, words, "One of them is enough.")
    return Finding(EQUAL_MEMBERS, first, second, f"{words}.", "By different rules: they may part when the data change.")


def _by_rule(first: Segment, second: Segment) -> Relation:
    if first.kind != SegmentKind.DYNAMIC or second.kind != SegmentKind.DYNAMIC:
        return Relation.NONE
    return relation_of(first.rules, second.rules)
