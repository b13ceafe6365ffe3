"""Which segments and saved views name a custom field, a term or a catalogue entry in their rules."""

from collections.abc import Iterator
from typing import Any

from django.urls import reverse

from segmentation_crm.common.models import SavedView

from ..choices import MemberType, SegmentKind
from ..models import Segment
from ..rules.nodes import Aggregate, Condition, FieldRef, Group, InvalidRule, Node, Related
from ..rules.validate import validate


def users_of(kind: str, key: str) -> list[tuple[str, str]]:
    """Return (name, address) of every rule that names the thing.

    kind: "custom" with the field's key, "custom_choice" with "key=choice", else a target of rules ("term:tag",
    "stage") with the row's id. Reads all rules; a handful of queries for each one that holds references.
    """
    found = []
    for segment in Segment.objects.exclude(kind=SegmentKind.STATIC).only("pk", "name", "slug", "rules", "member_type"):
        if _names(segment.rules, segment.member_type, kind, key):
            found.append((f"Segment “{segment.name}”", reverse("segments:detail", args=[segment.slug])))
    for view in SavedView.objects.exclude(rules=None).only("pk", "name", "record", "rules"):
        if _names(view.rules, view.record, kind, key):
            found.append((f"Saved view “{view.name}”", ""))
    return found


def _names(rules: Any, member_type: str, kind: str, key: str) -> bool:
    if kind == "custom":
        return key in _field_keys(rules)
    if kind == "custom_choice":
        field, _, choice = key.partition("=")
        return choice in _values_of(rules, field)
    if member_type not in MemberType.values or not rules:
        return False
    try:
        root = validate(rules, member_type).root
    except InvalidRule:
        return False
    return any(_refers(ref, value, kind, int(key)) for ref, value in _comparisons(root))


def _field_keys(node: Any) -> set[str]:
    """Return every field that a stored rule names, hops to the record left out."""
    found: set[str] = set()
    if isinstance(node, dict):
        for name, value in node.items():
            if name in ("field", "of") and isinstance(value, str):
                found.add(value)
                # `contact.account.custom.x` speaks of `account.custom.x`.
                parts = value.split(".")
                if "custom" in parts[1:]:
                    found.add(".".join(parts[parts.index("custom") - 1 :]))
            else:
                found |= _field_keys(value)
    elif isinstance(node, list):
        for one in node:
            found |= _field_keys(one)
    return found


def _values_of(node: Any, field: str) -> set[str]:
    """Return the texts that a stored rule compares a custom field with."""
    found: set[str] = set()
    if isinstance(node, list):
        for one in node:
            found |= _values_of(one, field)
    elif isinstance(node, dict):
        if field in _field_keys({name: node.get(name) for name in ("field", "of")}):
            value = node.get("value")
            found |= {one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)}
        for one in node.values():
            found |= _values_of(one, field)
    return found


def _comparisons(node: Node) -> Iterator[tuple[FieldRef, Any]]:
    """Yield every field that is compared, with the value."""
    if isinstance(node, Group):
        for rule in node.rules:
            yield from _comparisons(rule)
    elif isinstance(node, Condition):
        yield node.ref, node.value
    elif isinstance(node, Related) and node.group is not None:
        yield from _comparisons(node.group)
    elif isinstance(node, Aggregate):
        if isinstance(node.of, FieldRef):
            yield node.of, node.value
        elif node.of is not None:
            yield from _comparisons(node.of)
        if node.where is not None:
            yield from _comparisons(node.where)


def _refers(ref: FieldRef, value: Any, kind: str, pk: int) -> bool:
    if ref.field.target != kind:
        return False
    value = getattr(value, "value", value)
    return pk in value if isinstance(value, tuple | list | set | frozenset) else value == pk
