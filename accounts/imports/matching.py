"""Find the record that a row speaks of, by the import's key: a few queries for a whole batch."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from ..models import ExternalId
from .drafts import Draft
from .resolvers import Deferred, Lookup, among
from .targets import Custom, FullName
from .types import ROW_KEY, ImportType

ROW_PREFIX = "row:"


class Matcher:
    """Matches drafts with records by one key."""

    def __init__(self, import_type: ImportType, key: tuple[str, ...], targets: Iterable[Any], source: str) -> None:
        self.type, self.key, self.source = import_type, key, source
        self.by_key = {target.key: target for target in targets}
        self.columns = self._columns()

    def _columns(self) -> tuple[str, ...]:
        """Return the columns of the model that make up a key of plain columns and links."""
        found: list[str] = []
        for part in self.key:
            target = self.by_key.get(part) or self.type.targets().get(part)
            if isinstance(target, FullName):
                found += ["first_name", "last_name"]
            elif isinstance(target, Deferred):
                found.append(f"{part}_id")
            else:
                found.append(part)
        return tuple(dict.fromkeys(found))

    def label(self) -> str:
        """Return the key in words."""
        return " + ".join(self.key)

    def set_keys(self, drafts: Sequence[Draft], headings: list[str]) -> None:
        """Give every draft its key; a row without one is rejected."""
        for draft in drafts:
            if draft.is_rejected:
                continue
            if self.key == ROW_KEY:
                draft.row_key = draft.key = row_key(headings, draft.row.cells)
                continue
            if self.key == ("external_id",):
                draft.key = draft.external_id or None
            elif isinstance(self.by_key.get(self.key[0]), Custom):
                target = self.by_key[self.key[0]]
                found = draft.custom.get(target.definition.pk)
                draft.key = found[0] if found else None
            else:
                values = tuple(draft.columns.get(column) for column in self.columns)
                draft.key = values if any(value not in (None, "") for value in self._must(values)) else None
            if draft.key is None:
                draft.reject(
                    self.key[0],
                    "missing_key",
                    f"The row has no {self.label()}, by which this import finds its record; fill it in.",
                )

    def _must(self, values: tuple[Any, ...]) -> Iterable[Any]:
        """Return the values of which one has to be there: the account alone names no contact or deal."""
        if len(values) > 1 and self.columns[-1] == "account_id":
            return values[:-1]
        return values

    def find(self, drafts: Sequence[Draft], lookup: Lookup) -> dict[Any, list[int]]:
        """Return key -> ids of the records that bear it (1–3 queries)."""
        keys = {draft.key for draft in drafts}
        records = lookup.queryset(self.type.model)
        found: dict[Any, list[int]] = defaultdict(list)
        if self.key in (ROW_KEY, ("external_id",)):
            if not self.type.has_external_ids or self.type.record_type == "user":
                rows = records.filter(external_source=self.source, external_id__in=keys)
                for text, pk in rows.values_list("external_id", "pk"):
                    found[text].append(pk)
                return found
            ids = dict(
                ExternalId.objects.filter(
                    record_type=self.type.record_type, source=self.source, external_id__in=keys
                ).values_list("external_id", "record_id")
            )
            live = set(records.filter(pk__in=ids.values()).values_list("pk", flat=True)) if ids else set()
            for text, pk in ids.items():
                if pk in live:
                    found[text].append(pk)
            return found
        first = self.by_key.get(self.key[0])
        if isinstance(first, Custom):
            self._find_custom(first, keys, records, found)
            return found
        # The widest column narrows the rows; the rest is compared here.
        column = max(self.columns, key=lambda c: len({draft.columns.get(c) for draft in drafts}))
        values = {draft.columns.get(column) for draft in drafts} - {None}
        rows = records.filter(among(self.type.model, column, values)).values_list("pk", *self.columns)
        for pk, *row in rows:
            key = tuple(row)
            if key in keys:
                found[key].append(pk)
        return found

    def _find_custom(self, target: Custom, keys: set[Any], records: Any, found: dict[Any, list[int]]) -> None:
        model, owner = self.type.custom_model, self.type.owner
        assert model is not None
        column = "number" if target.definition.type in ("integer", "decimal", "percent", "money") else "text"
        rows = model._default_manager.filter(definition=target.definition, **{f"{column}__in": keys})
        live = set(records.filter(pk__in=rows.values(f"{owner}_id")).values_list("pk", flat=True))
        for value, pk in rows.values_list(column, f"{owner}_id"):
            if pk in live:
                found[value].append(pk)

    def second_chance(self, drafts: Sequence[Draft], lookup: Lookup) -> None:
        """Find records for drafts whose key found none by the type's other unique columns (1 query each)."""
        for column in self.type.second_chance:
            if self.columns == (column,):
                continue
            open_drafts = [d for d in drafts if d.record is None and d.columns.get(column)]
            if not open_drafts:
                continue
            values = {d.columns[column] for d in open_drafts}
            rows = lookup.queryset(self.type.model).filter(among(self.type.model, column, values))
            known = dict(rows.values_list(column, "pk"))
            for draft in open_drafts:
                draft.record = known.get(draft.columns[column])


def row_key(headings: list[str], cells: list[str]) -> str:
    """Return the key of a whole row: a digest of its cells by heading, in any order of columns."""
    pairs = sorted((h, c.strip()) for h, c in zip(headings, cells, strict=True))
    digest = hashlib.sha256(json.dumps(pairs, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    return ROW_PREFIX + digest.hexdigest()[:40]
