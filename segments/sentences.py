"""The words of a rule for somebody who sees a part of the records: what they may not see is not named."""

from collections.abc import Iterator
from typing import Any

from accounts.queries import accounts_visible_to, contacts_visible_to
from segmentation_crm.common.access import AnyUser, visibility

from .models import Segment, SegmentVersion
from .rules.describe import describe
from .rules.nodes import Aggregate, Condition, FieldRef, Group, InvalidRule, Node, Related, Rule
from .rules.validate import validate

HIDDEN = "a record not visible to you"
NOT_SHOWN = "This rule names records that are not visible to you."
VISIBLE = {"account": accounts_visible_to, "contact": contacts_visible_to}


def sentence_for(source: Segment | SegmentVersion, user: AnyUser) -> str:
    """Return the stored sentence, with "a record not visible to you" in place of names the user may not see.

    No query more than `visibility` for rules that name no accounts or contacts, else those of validating it and 2.
    """
    if not _may_name_records(source.rules) or visibility(user).everything:
        return source.sentence
    segment = source.segment if isinstance(source, SegmentVersion) else source
    try:
        rule = validate(source.rules, segment.member_type, segment_id=segment.pk)
    except InvalidRule:
        return NOT_SHOWN
    return describe(rule) if _hide(rule, user) else source.sentence


def words_for(rule: Rule, user: AnyUser) -> str:
    """Return a validated rule in words, hidden records unnamed (up to 2 queries, and those of `visibility`)."""
    if not visibility(user).everything:
        _hide(rule, user)
    return describe(rule)


def hide_records(rule: Rule, user: AnyUser) -> Rule:
    """Take names that the user may not see out of a rule's labels; returns the rule (up to 2 queries)."""
    if not visibility(user).everything:
        _hide(rule, user)
    return rule


def _hide(rule: Rule, user: AnyUser) -> bool:
    """Take the names of hidden records out of the rule's labels; tell whether there were any (1 query a kind)."""
    named: dict[str, list[dict[Any, str]]] = {"account": [], "contact": []}
    for target, labels in _named(rule.root):
        named[target].append(labels)
    hidden = False
    for target, several in named.items():
        ids = {pk for labels in several for pk in labels}
        seen = set(VISIBLE[target](user).filter(pk__in=ids).values_list("pk", flat=True)) if ids else set()
        for labels in several:
            for pk in labels.keys() - seen:
                labels[pk] = HIDDEN
                hidden = True
    return hidden


def _named(node: Node) -> Iterator[tuple[str, dict[Any, str]]]:
    """Yield (account or contact, labels) of every condition that names records."""
    if isinstance(node, Group):
        for rule in node.rules:
            yield from _named(rule)
    elif isinstance(node, Condition):
        if node.ref.field.target in VISIBLE:
            yield node.ref.field.target, node.labels
    elif isinstance(node, Related):
        if node.group is not None:
            yield from _named(node.group)
    elif isinstance(node, Aggregate):
        if isinstance(node.of, FieldRef) and node.of.field.target in VISIBLE:
            yield node.of.field.target, node.labels
        for group in (node.of, node.where):
            if isinstance(group, Group):
                yield from _named(group)


def _may_name_records(raw: Any) -> bool:
    """Tell whether any key of a stored rule may be a reference to an account or contact."""
    if isinstance(raw, list):
        return any(_may_name_records(item) for item in raw)
    if not isinstance(raw, dict):
        return False
    key = raw.get("field") or raw.get("of")
    ends = ("account", "contact", "parent")
    return (isinstance(key, str) and key.endswith(ends)) or any(_may_name_records(item) for item in raw.values())
