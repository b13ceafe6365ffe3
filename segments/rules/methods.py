"""Which methods of segmentation a rule rests on, by the families of the fields it names (MISSION N10)."""

from collections.abc import Iterator

from .nodes import Aggregate, Condition, FieldRef, Group, Node, Related, Rule, SegmentTest

# They say who a company or person is; alone they say nothing of what they do or want.
WHO_THEY_ARE = frozenset({"firmographic", "demographic"})
# Names and keys are no method.
NO_METHOD = frozenset({"identity"})
WARNING = "This says who they are, not what they do or want: add behaviour or a need."


def methods_of(rule: Rule) -> list[str]:
    """Return the families of the fields that a rule names, in its order, each once; names and keys count for none."""
    found = dict.fromkeys(_families(rule.root))
    return [family for family in found if family not in NO_METHOD]


def caution_about(rule: Rule) -> str:
    """Return what is missing in a rule that is firmographic or demographic only, "" for every other.

    A rule that reads other segments is not judged: what they rest on is theirs.
    """
    methods = methods_of(rule)
    if not methods or not WHO_THEY_ARE.issuperset(methods) or any(_reads_segments(rule.root)):
        return ""
    return WARNING


def _families(node: Node) -> Iterator[str]:
    if isinstance(node, Group):
        for rule in node.rules:
            yield from _families(rule)
    elif isinstance(node, Condition):
        yield node.ref.field.family
    elif isinstance(node, Related):
        inner = list(_families(node.group)) if node.group is not None else []
        # "Has a contact with such a role" rests on the role; a relation alone rests on itself.
        yield from inner if any(family not in NO_METHOD for family in inner) else [node.ref.relation.family]
    elif isinstance(node, Aggregate):
        yield node.ref.relation.family
        if isinstance(node.of, FieldRef):
            yield node.of.field.family
        for group in (node.of, node.where):
            if isinstance(group, Group):
                yield from _families(group)


def _reads_segments(node: Node) -> Iterator[bool]:
    if isinstance(node, SegmentTest):
        yield True
    elif isinstance(node, Group):
        for rule in node.rules:
            yield from _reads_segments(rule)
    elif isinstance(node, Related) and node.group is not None:
        yield from _reads_segments(node.group)
    elif isinstance(node, Aggregate):
        for group in (node.of, node.where):
            if isinstance(group, Group):
                yield from _reads_segments(group)
