"""A document into segments: all of it or nothing, each after those it reads; a dry run is the same, taken back."""

import re
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from segmentation_crm.common.access import AnyUser

from ..choices import SegmentStatus
from ..models import Segment
from ..queries import references_in
from ..rules.nodes import InvalidRule
from ..services.naming import RESERVED_SLUGS
from ..services.saving import check_may_write, create_segment, update_segment, validated
from .documents import KIND, VERSION

# What happens where a segment of the slug is there already.
CONFLICTS = ("skip", "update", "new")
MOST = 1000
_SLUG = re.compile(r"[-a-zA-Z0-9_]{1,120}\Z")
_HEAD = frozenset({"format", "version", "segments"})
_TEXTS = ("name", "description", "member_type", "kind", "kind_of_use", "objective", "status")
_KEYS = frozenset({"slug", "parent", "rules", *_TEXTS})
_CHANGEABLE = ("name", "description", "kind_of_use", "objective", "status", "parent", "rules")


@dataclass
class Item:
    """One definition of the document. action: created, updated, unchanged, skipped or refused; slug: as it is here."""

    position: int
    name: str
    slug: str
    action: str = "refused"
    errors: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Imported:
    """What an import did, or would do: the items in the document's order; written only without errors."""

    items: list[Item]
    errors: list[dict[str, Any]]
    dry_run: bool

    @property
    def ok(self) -> bool:
        """Tell whether nothing is wrong."""
        return not self.errors and not any(item.errors for item in self.items)

    @property
    def all_errors(self) -> list[dict[str, Any]]:
        """Return every error with its path from the document's root."""
        return self.errors + [error for item in self.items for error in item.errors]


def import_document(user: AnyUser, document: Any, *, on_conflict: str = "skip", dry_run: bool = False) -> Imported:
    """Make and change the segments of a document, in one transaction that errors undo.

    on_conflict: "skip" leaves a segment of the same slug as it is, "update" changes it, "new" makes another and lets
    the document's references point to it. Raises PermissionDenied; everything else that is wrong stands in the answer.
    """
    check_may_write(user)
    errors = _errors_of(document, on_conflict)
    if errors:
        return Imported([], errors, dry_run)
    entries: list[dict[str, Any]] = document["segments"]
    items = [
        Item(position, str(entry.get("name", ""))[:200], str(entry.get("slug", ""))[:120])
        for position, entry in enumerate(entries)
    ]
    renamed: dict[str, str] = {}
    with transaction.atomic():
        for position in _order(entries):
            try:
                with transaction.atomic():
                    _take(user, entries[position], items[position], on_conflict, renamed)
            except InvalidRule as problem:
                _refuse(items[position], [{**e.as_dict(), "path": ["rules", *e.path]} for e in problem.errors])
            except ValidationError as problem:
                _refuse(items[position], _from_validation(problem))
        found = Imported(items, [], dry_run)
        if dry_run or not found.ok:
            transaction.set_rollback(True)
    return found


def _error(path: list[Any], code: str, message: str) -> dict[str, Any]:
    names = [part for part in path if isinstance(part, str)]
    return {"path": path, "field": names[-1] if names else "", "code": code, "message": message}


def _refuse(item: Item, errors: list[dict[str, Any]]) -> None:
    item.action = "refused"
    item.errors = [{**error, "path": ["segments", item.position, *error["path"]]} for error in errors]


def _from_validation(problem: ValidationError) -> list[dict[str, Any]]:
    if hasattr(problem, "error_dict"):
        return [_error([name], "invalid", text) for name, texts in problem.message_dict.items() for text in texts]
    return [_error([], "invalid", text) for text in problem.messages]


def _errors_of(document: Any, on_conflict: str) -> list[dict[str, Any]]:
    """Return what is wrong with the document's shape."""
    if on_conflict not in CONFLICTS:
        return [_error(["on_conflict"], "unknown_choice", f"on_conflict must be one of {', '.join(CONFLICTS)}.")]
    if not isinstance(document, dict):
        return [_error([], "wrong_type", 'Expected an object with "format", "version" and "segments".')]
    errors = [_error([str(k)], "unknown_key", "There is no such key here.") for k in document.keys() - _HEAD]
    if document.get("format") != KIND:
        errors.append(_error(["format"], "unknown_choice", f"format must be {KIND}."))
    if document.get("version") != VERSION or isinstance(document.get("version"), bool):
        errors.append(_error(["version"], "unknown_choice", f"version must be {VERSION}."))
    entries = document.get("segments")
    if not isinstance(entries, list) or not entries or len(entries) > MOST:
        return [*errors, _error(["segments"], "wrong_type", f"segments must be a list of 1 to {MOST} definitions.")]
    seen: dict[str, int] = {}
    for position, entry in enumerate(entries):
        errors += [
            {**error, "path": ["segments", position, *error["path"]]}
            for error in _errors_of_entry(entry, seen, position)
        ]
    return errors


def _errors_of_entry(entry: Any, seen: dict[str, int], position: int) -> list[dict[str, Any]]:
    if not isinstance(entry, dict):
        return [_error([], "wrong_type", "A definition is an object.")]
    errors = [_error([str(k)], "unknown_key", "There is no such key here.") for k in entry.keys() - _KEYS]
    slug = entry.get("slug")
    if not isinstance(slug, str) or not _SLUG.match(slug) or slug.isdigit():
        errors.append(
            _error(["slug"], "wrong_value", "slug must be 1 to 120 letters, digits, - or _, not digits alone.")
        )
    elif slug in RESERVED_SLUGS:
        errors.append(_error(["slug"], "reserved", f"“{slug}” is a word of the product's addresses; choose another."))
    elif slug in seen:
        errors.append(_error(["slug"], "duplicate", f"The slug “{slug}” stands at segments {seen[slug]} too."))
    else:
        seen[slug] = position
    for name in _TEXTS:
        required = name in ("name", "member_type")
        if (required or entry.get(name) is not None) and not isinstance(entry.get(name), str):
            errors.append(_error([name], "wrong_type", f"{name} must be a text."))
    if entry.get("parent") is not None and not isinstance(entry["parent"], str):
        errors.append(_error(["parent"], "wrong_type", "parent must be the slug of a segment, or null."))
    if entry.get("rules") is not None and not isinstance(entry["rules"], dict):
        errors.append(_error(["rules"], "wrong_type", "rules must be an object of the rule language, or null."))
    return errors


def _order(entries: list[dict[str, Any]]) -> list[int]:
    """Return the positions so that each comes after those of the document that it reads; a circle is cut."""
    by_slug = {entry["slug"]: position for position, entry in enumerate(entries)}
    ordered: list[int] = []
    seen: set[int] = set()
    # Depth first without recursion: chains may be as long as the document.
    for start in range(len(entries)):
        waiting = [(start, False)]
        while waiting:
            position, is_done = waiting.pop()
            if is_done:
                ordered.append(position)
            elif position not in seen:
                seen.add(position)
                waiting.append((position, True))
                reads = {*references_in(entries[position].get("rules")), entries[position].get("parent")}
                waiting += [(by_slug[slug], False) for slug in reads if isinstance(slug, str) and slug in by_slug]
    return ordered


def _take(user: AnyUser, entry: dict[str, Any], item: Item, on_conflict: str, renamed: dict[str, str]) -> None:
    values = {name: entry[name] for name in _TEXTS if entry.get(name) is not None}
    values["rules"] = _pointed(entry.get("rules"), renamed)
    parent = entry.get("parent")
    values["parent"] = _parent(renamed.get(parent, parent)) if parent else None
    standing = Segment.objects.filter(slug=entry["slug"]).first()
    if standing is not None and on_conflict == "skip":
        item.action = "skipped"
        return
    if standing is not None and on_conflict == "update":
        _update(user, standing, values, item)
        return
    made, _ = create_segment(user, **values)
    if standing is None:
        Segment.objects.filter(pk=made.pk).update(slug=entry["slug"])
    else:
        renamed[entry["slug"]] = item.slug = made.slug
    item.action = "created"


def _update(user: AnyUser, standing: Segment, values: dict[str, Any], item: Item) -> None:
    if standing.status == SegmentStatus.ARCHIVED:
        raise ValidationError({"slug": f"“{standing.slug}” is archived here. Restore it first, or import it as new."})
    for name in ("member_type", "kind"):
        if name in values and values[name] != getattr(standing, name):
            raise ValidationError({name: f"It is {getattr(standing, name)} here, and that stays. Import it as new."})
    if values["rules"] is not None:
        # As it would be stored: another spelling of the same rule is no change.
        values["rules"] = validated(values["rules"], standing.member_type, user, standing.pk).canonical
    changes = {name: values[name] for name in _CHANGEABLE if name in values and values[name] != getattr(standing, name)}
    if values["rules"] is None or values["rules"] == standing.rules:
        changes.pop("rules", None)
    if not changes:
        item.action = "unchanged"
        return
    before = standing.version
    saved, _ = update_segment(user, standing, changes, before)
    item.action = "updated"
    item.slug = saved.slug


def _parent(slug: str) -> Segment:
    found = Segment.objects.filter(slug=slug).exclude(status=SegmentStatus.ARCHIVED).first()
    if found is None:
        raise ValidationError({"parent": f"There is no segment “{slug}” in use."})
    return found


def _pointed(node: Any, renamed: dict[str, str]) -> Any:
    """Return a rule whose references to renamed segments name them as they are called here."""
    if not renamed or node is None:
        return node
    if isinstance(node, list):
        return [_pointed(item, renamed) for item in node]
    if not isinstance(node, dict):
        return node
    key = node.get("field")
    if isinstance(key, str) and (key == "segment" or key.endswith(".segment")):
        return {**node, "value": _renamed_value(node.get("value"), renamed)}
    return {name: _pointed(value, renamed) for name, value in node.items()}


def _renamed_value(value: Any, renamed: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [_renamed_value(item, renamed) for item in value]
    if isinstance(value, dict) and isinstance(value.get("segment"), str):
        return {**value, "segment": renamed.get(value["segment"], value["segment"])}
    return renamed.get(value, value) if isinstance(value, str) else value
