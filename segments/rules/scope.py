"""Which keys a group may name: the fields and relations reachable from the record its rules speak of (RULES §2)."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache

from segmentation_crm.common.fields import FieldDef, Registry, RelationDef

from .nodes import FieldRef, RelationRef
from .parse import printable
from .values import Problem

_KEY = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+){1,3}\Z", re.ASCII)
_SEGMENT_RECORDS = ("account", "contact")


@dataclass(frozen=True)
class Scope:
    """The record that the keys of a group start from.

    inner: whether the group speaks of related rows. via: the relation that leads to them. custom: the custom fields
    as they are now, read only when a key asks for one.
    """

    registry: Registry
    record: str
    custom: Callable[[], Mapping[str, FieldDef]]
    inner: bool = False
    via: RelationDef | None = None

    def within(self, relation: RelationDef) -> "Scope":
        """Return the scope of a group about rows of this relation."""
        return replace(self, record=relation.record, inner=True, via=relation)

    def field(self, key: str) -> FieldRef:
        """Return the field that a key names from here.

        Raises Problem with what would be right.
        """
        self._check_key(key)
        if extra := next((f for f in (self.via.extra if self.via else ()) if f.key == key), None):
            return FieldRef(extra, (), key)
        for prefix, hops, target in _prefixes(self.registry, self.record):
            if key.startswith(prefix + "."):
                found = self._lookup(f"{target}.{key[len(prefix) + 1 :]}")
                if found is not None:
                    return FieldRef(found, hops, prefix + found.key[len(target) :])
        if self.registry.relation(key):
            raise Problem(
                "relation_key",
                f'"{key}" is a relation: ask how many of its rows match ("match") or for a figure ("aggregate").',
            )
        raise Problem("unknown_field", self._hint(key))

    def relation(self, key: str) -> RelationRef:
        """Return the relation that a key names from here.

        Raises Problem with what would be right.
        """
        self._check_key(key)
        relation = self.registry.relation(key)
        if relation is not None:
            if relation.owner == self.record:
                return RelationRef(relation, (), key)
            hop = self.registry.records[self.record].to_one.get(relation.owner)
            if hop is not None:
                return RelationRef(relation, (hop,), key)
        here = sorted(k for k, r in self.registry.relations.items() if self._reaches(r))
        raise Problem(
            "unknown_relation", f'"{printable(key)}" is no relation here; there are {", ".join(here) or "none"}.'
        )

    def segment(self, key: str) -> tuple[str, tuple[str, ...]]:
        """Return the record whose segments a key means, and the hops to it.

        Raises Problem where it means none here.
        """
        if key == "segment":
            if self.inner:
                raise Problem(
                    "unknown_field",
                    'About related rows only "account.segment" can be asked, where the row has an account.',
                )
            if self.record not in _SEGMENT_RECORDS:
                raise Problem("unknown_field", "Segments hold accounts or contacts; use account.segment.")
            return self.record, ()
        owner = key[: -len(".segment")]
        hop = self.registry.records[self.record].to_one.get(owner)
        if owner == "account" and hop is not None:
            return "account", (hop,)
        hint = 'Write "segment".' if owner == self.record and not self.inner else "It is not known here."
        raise Problem("unknown_field", f'"{printable(key)}" is not a field. {hint}')

    def _check_key(self, key: str) -> None:
        if len(key) > 120 or not _KEY.match(key):
            raise Problem("unknown_field", f'"{printable(key)}" is not a field.')

    def _lookup(self, key: str) -> FieldDef | None:
        if ".custom." in key:
            return self.custom().get(key) if key.count(".") == 2 else None
        return self.registry.field(key)

    def _reaches(self, relation: RelationDef) -> bool:
        return relation.owner == self.record or relation.owner in self.registry.records[self.record].to_one

    def _hint(self, key: str) -> str:
        record = key.split(".", 1)[0]
        known = self.registry.field(key) if ".custom." not in key else None
        if known is not None and record != self.record:
            ways = [k for k, r in self.registry.relations.items() if r.record == record and self._reaches(r)]
            if ways:
                return f'"{key}" belongs to related rows; put it inside {" or ".join(sorted(ways))}.'
            return f'"{key}" cannot be reached from {self.registry.records[self.record].plural}.'
        return f'"{printable(key)}" is not a field of {self.registry.records[self.record].plural}.'


@cache
def _prefixes(registry: Registry, record: str) -> list[tuple[str, tuple[str, ...], str]]:
    """Return (prefix as written, hops, record) of all that is one row from a record, the longest prefix first."""
    records = registry.records
    found: list[tuple[str, tuple[str, ...], str]] = [(record, (), record)]
    for prefix, hop in records[record].to_one.items():
        if "." in prefix:
            found.append((prefix, (hop,), record))
            continue
        found.append((prefix, (hop,), prefix))
        for further, second in records[prefix].to_one.items():
            if "." in further:
                found.append((further, (hop, second), prefix))
    return sorted(found, key=lambda entry: -len(entry[0]))
