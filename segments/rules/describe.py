"""A rule in plain English: "Accounts whose industry is under Manufacturing, with 200 to 2,000 employees, and that …".

Every clause hangs on the records it speaks of ("whose …", "with …", "that have …"), so that clauses join without
losing their meaning; where "and" meets "or", parentheses keep them apart. Negative conditions say "or unknown".
"""

from collections.abc import Iterator
from dataclasses import dataclass

from segmentation_crm.common.fields import FieldDef, RecordDef, RelationDef, registry
from segmentation_crm.common.fields.definitions import FAMILIES

from .nodes import Aggregate, Condition, FieldRef, Group, Node, Related, RelationRef, Rule, SegmentTest
from .operators import operators_of
from .phrases import (
    Parts,
    duration_words,
    listed,
    moment_words,
    noun,
    number_words,
    predicate,
    quantity,
    text,
    value,
)

_HOPS = {"parent_account": "parent account", "account": "account", "contact": "contact"}
_ENGLISH = {
    True: {"be": "are", "have": "have", "do": "do", "count": "count", "their": "their"},
    False: {"be": "is", "have": "has", "do": "does", "count": "counts", "their": "its"},
}


@dataclass(frozen=True)
class Subject:
    """The records a clause hangs on: how to refer to them, and whether they are several."""

    record: RecordDef
    plural: bool = True

    @property
    def pronoun(self) -> str:
        """Return who or that."""
        return "who" if self.record.prefix == "contact" else "that"


def describe(rule: Rule) -> str:
    """Return the rule as one sentence (0 queries)."""
    return "".join(part["text"] for part in describe_parts(rule))


def describe_parts(rule: Rule) -> list[dict[str, str]]:
    """Return the sentence in parts of kind text, value or field; joined they are `describe(rule)` (0 queries)."""
    subject = Subject(registry.records[rule.member_type])
    plural = subject.record.plural
    parts: Parts = [(plural[:1].upper() + plural[1:], "field"), text(" "), *_root(rule.root, subject), text(".")]
    return _merged(parts)


def label(node: Node, member_type: str = "account") -> str:
    """Return one node in a few words, for the funnel: "Industry is under Manufacturing" (0 queries)."""
    words = "".join(part for part, _ in _clause(node, Subject(registry.records[member_type]), 1))
    if words.startswith("(") and words.endswith(")") and isinstance(node, Group) and not node.negated:
        words = words[1:-1]
    for intro in ("whose ", "with ", "that are ", "who are ", "that have ", "who have ", "that ", "who "):
        if words.startswith(intro):
            words = words[len(intro) :]
            break
    return words[:1].upper() + words[1:]


def method_families(rule: Rule) -> list[str]:
    """Return the segmentation methods the rule rests on, in the registry's order, identity left out."""
    found = set(_families(rule.root)) - {"identity"}
    return [family for family in FAMILIES if family in found]


def _families(node: Node) -> Iterator[str]:
    if isinstance(node, Group):
        for rule in node.rules:
            yield from _families(rule)
    elif isinstance(node, Condition):
        yield node.ref.field.family
    elif isinstance(node, Related):
        yield from _families(node.group) if node.group else (node.ref.relation.family,)
    elif isinstance(node, Aggregate):
        groups = [g for g in (node.where, node.of) if isinstance(g, Group)]
        for group in groups:
            yield from _families(group)
        if isinstance(node.of, FieldRef):
            yield node.of.field.family
        elif not groups:
            yield node.ref.relation.family


def _merged(parts: Parts) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    for words, kind in parts:
        if found and found[-1]["kind"] == kind:
            found[-1]["text"] += words
        elif words:
            found.append({"text": words, "kind": kind})
    return found


# --- groups ---
def _root(group: Group, subject: Subject) -> Parts:
    if group.negated:
        return [text("except those "), *_joined(group, subject, 1)]
    if group.combinator == "or" and len(group.rules) > 1:
        return _joined(group, subject, 0)
    positive = [rule for rule in group.rules if not _is_not(rule)]
    negated = [rule for rule in group.rules if _is_not(rule)]
    parts: Parts = []
    for index, rule in enumerate(positive):
        if index:
            parts.append(text(", and " if index == len(positive) - 1 else ", "))
        parts += _clause(rule, subject, 0 if len(group.rules) == 1 else 1, root=True)
    for index, rule in enumerate(negated):
        if positive or index:
            parts.append(text(", but not those " if positive and not index else ", nor those "))
        else:
            parts.append(text("except those "))
        if isinstance(rule, Group):
            parts += _joined(rule, subject, 1)
    return parts


def _is_not(node: Node) -> bool:
    return isinstance(node, Group) and node.negated


def _joined(group: Group, subject: Subject, level: int) -> Parts:
    """Return the clauses of a group, its own "not" left out."""
    if len(group.rules) == 1:
        return _clause(group.rules[0], subject, level)
    comma = "," if level == 0 else ""
    parts: Parts = [text("either ")] if group.combinator == "or" else []
    for index, rule in enumerate(group.rules):
        if index:
            parts.append(text(f"{comma} {group.combinator} "))
        parts += _clause(rule, subject, level + 1)
    return parts


def _clause(node: Node, subject: Subject, level: int, root: bool = False) -> Parts:
    if isinstance(node, Group):
        return _group(node, subject, level)
    if isinstance(node, Condition):
        return _condition(node, subject, root)
    if isinstance(node, Related):
        return _related(node, subject, level)
    if isinstance(node, Aggregate):
        return _aggregate(node, subject, root)
    return _segment(node, subject)


def _group(group: Group, subject: Subject, level: int) -> Parts:
    several = len(group.rules) > 1
    inside = _joined(group, subject, max(level, 1))
    if group.negated:
        return [
            text(f"{subject.pronoun} {_ENGLISH[subject.plural]['be']} not among those "),
            *(_bracketed(inside) if several else inside),
        ]
    return _bracketed(inside) if several and (level > 1 or _nested(group)) else inside


def _nested(group: Group) -> bool:
    return any(isinstance(rule, Group) and len(rule.rules) > 1 for rule in group.rules)


def _bracketed(parts: Parts) -> Parts:
    return [text("("), *parts, text(")")]


# --- clauses ---
def _hops(ref: FieldRef | RelationRef | SegmentTest) -> str:
    """Return the records on the way, as owners: "account's parent account"."""
    return "'s ".join(_HOPS.get(hop, hop.replace("_", " ")) for hop in ref.hops)


def _unknown(root: bool) -> Parts:
    return [text(", or unknown" if root else " (or unknown)")]


def _verb(subject: Subject, via: str, words: str) -> Parts:
    """Return a clause with a verb of its own; {be}, {have} and {do} agree with what it hangs on."""
    plural = subject.plural and not via
    intro = f"whose {via} " if via else f"{subject.pronoun} "
    for name, form in _ENGLISH[plural].items():
        words = words.replace(f"{{{name}}}", form)
    return [text(intro + words)]


def _condition(node: Condition, subject: Subject, root: bool) -> Parts:
    field, via = node.ref.field, _hops(node.ref)
    if field.type == "boolean" and "|" in field.phrase and node.operator in ("is_true", "is_false"):
        yes, no = field.phrase.split("|")
        return _verb(subject, via, yes if node.operator == "is_true" else no)
    if field.unit and (amount := quantity(node.operator, node.value)):
        return [text(f"whose {via} has " if via else "with "), value(f"{amount} {field.unit}")]
    name = noun(field)
    if node.operator == "count":
        name = f"number of {name}"
    owner = f"{via}'s " if via else ""
    parts = [text(f"whose {owner}"), (name, "field"), text(" ")]
    parts += predicate(node.operator, node.value, field, field.type, node.labels)
    if operators_of(field.type, history=True)[node.operator].negative:
        parts += _unknown(root)
    return parts


def _rows(relation: RelationDef, plural: bool) -> str:
    words = relation.label if relation.key != "contact.accounts" else "Accounts"
    return words.lower() if plural else relation.singular


def _about(group: Group | None, relation: RelationDef, plural: bool, brackets: bool) -> Parts:
    """Return what the rows are like: " whose stage is Won"."""
    if group is None:
        return []
    subject = Subject(registry.records[relation.record], plural)
    inside = _joined(group, subject, 1)
    if group.negated:
        inside = [text("other than those "), *_joined(group, Subject(subject.record), 1)]
    several = len(group.rules) > 1
    return [text(" "), *(_bracketed(inside) if brackets or (several and _nested(group)) else inside)]


def _related(node: Related, subject: Subject, level: int) -> Parts:
    relation, via = node.ref.relation, _hops(node.ref)
    have = "has" if via or not subject.plural else "have"
    intro = f"whose {via} " if via else f"{subject.pronoun} "
    brackets = node.group is not None and level > 1 and len(node.group.rules) > 1
    parts: Parts = [text(f"{intro}{have} ")]
    if node.mode == "all" and node.group is not None:
        rows = _rows(relation, True)
        return [
            *parts,
            value(f"one or more {rows}"),
            text(", all of them"),
            text(" ones"),
            *_about(node.group, relation, True, brackets),
        ]
    if node.mode == "none":
        return [*parts, value(f"no {_rows(relation, True)}"), *_about(node.group, relation, True, brackets)]
    if node.mode in ("some", "all"):
        return [
            *parts,
            value(f"at least one {_rows(relation, False)}"),
            *_about(node.group, relation, False, brackets),
        ]
    n = node.threshold or 0
    amount = f"{node.mode.replace('_', ' ')} {number_words(n)}"
    return [
        *parts,
        value(f"{amount} {_rows(relation, n != 1)}"),
        *_about(node.group, relation, n != 1, brackets),
    ]


_NEVER_UNKNOWN = frozenset({"count", "count_distinct", "sum"})  # 0 over no rows
_FIGURES = {"count_distinct": "number of different", "sum": "total", "avg": "average", "first": "first", "last": "last"}


def _aggregate(node: Aggregate, subject: Subject, root: bool) -> Parts:
    relation, via = node.ref.relation, _hops(node.ref)
    if node.function == "count" and (amount := quantity(node.operator, node.value)):
        plural = node.value != 1
        return [
            text(f"whose {via} has " if via else "with "),
            value(f"{amount} {_rows(relation, plural)}"),
            *_about(node.where, relation, plural, True),
        ]
    owner = f"{via}'s " if via else ""
    parts = [text(f"whose {owner}"), *_figure(node, relation), text(" ")]
    if node.function == "ratio":
        parts += _share_test(node)
    else:
        of = node.of.field if isinstance(node.of, FieldRef) else None
        parts += predicate(node.operator, node.value, _shown_as(of, node), node.result_type, node.labels)
    if operators_of(node.result_type)[node.operator].negative and node.function not in _NEVER_UNKNOWN:
        parts += _unknown(root)
    return parts


def _shown_as(of: FieldDef | None, node: Aggregate) -> FieldDef | None:
    """Return the field by which to show the figure: none for counts, which have no choices or labels."""
    return of if node.function not in ("count_distinct",) else None


def _figure(node: Aggregate, relation: RelationDef) -> Parts:
    rows = _rows(relation, True)
    where = _about(node.where, relation, True, True)
    if node.function == "count":
        return [(f"number of {rows}", "field"), *where]
    if node.function == "days_since_last":
        return [
            (f"number of days since the last {relation.singular}", "field"),
            *_about(node.where, relation, False, True),
        ]
    if isinstance(node.of, Group):
        return [
            (f"share of {rows}", "field"),
            *where,
            text(" among those"),
            *_about(node.of, relation, True, True),
        ]
    if not isinstance(node.of, FieldRef):
        return [(rows, "field"), *where]
    of = node.of.field
    dated = of.type in ("date", "datetime")
    words = {"min": "earliest" if dated else "smallest", "max": "latest" if dated else "largest", **_FIGURES}
    via = _hops(node.of)
    name = f"{words[node.function]} {via + ' ' if via else ''}{noun(of)}"
    return [(name, "field"), text(f" over {rows}"), *where]


def _share_test(node: Aggregate) -> Parts:
    operator = operators_of("decimal")[node.operator]
    if node.value is None:
        return predicate(node.operator, None, None, "decimal", {})
    ends = node.value if isinstance(node.value, tuple) else (node.value,)
    parts: Parts = [text(f"{operator.label} ")]
    for index, end in enumerate(ends):
        if index:
            parts.append(text(" and "))
        parts.append(value(f"{number_words(end * 100)} %"))
    return parts


def _segment(node: SegmentTest, subject: Subject) -> Parts:
    via = _hops(node)
    names = [node.labels.get(pk, str(pk)) for pk in node.segment_ids]
    if node.within is not None or node.at is not None:
        return _segment_history(node, subject, via, names[0])
    negative = node.operator == "not_in"
    be = "is" if via or not subject.plural else "are"
    intro = f"whose {via} {be}" if via else f"{subject.pronoun} {be}"
    several = "any of the segments " if len(names) > 1 else "the segment "
    parts = [text(f"{intro}{' not' if negative else ''} in {several}"), *listed(names, "or")]
    return [*parts, *_unknown(False)] if negative and via else parts


def _segment_history(node: SegmentTest, subject: Subject, via: str, name: str) -> Parts:
    intro = f"whose {via} " if via else f"{subject.pronoun} "
    if node.at is not None:
        were = "was" if via or not subject.plural else "were"
        on = "at the end of " if node.at.date else "at " if node.at.datetime else ""
        return [text(f"{intro}{were} in the segment "), value(name), text(f" {on}"), value(moment_words(node.at))]
    assert node.within
    verb = "entered" if node.operator == "entered_in_last" else "left"
    duration = value(duration_words(node.within))
    return [text(f"{intro}{verb} the segment "), value(name), text(" in the last "), duration]
