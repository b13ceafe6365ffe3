"""Write the drafts of a batch: new records in one statement, changed ones in another, then their values."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any

from django.db import DatabaseError, DataError, IntegrityError, models, transaction
from django.utils import timezone

from segmentation_crm.common.bulk_insert import bulk_insert, bulk_rewrite
from segmentation_crm.common.folding import FoldedField

from ..models import ExternalId
from ..services.money import RateBook
from .drafts import Draft
from .tracing import Trace
from .types import ImportType

_MAX_FIELDS_AT_ONCE = 400


class Writer:
    """Writes the drafts of one import type; `source_type` is stated with every value, "" states no sources."""

    def __init__(self, import_type: ImportType, source: str, source_type: str = "") -> None:
        self.type, self.source, self.book = import_type, source, RateBook.load()
        self.model = import_type.model
        fields = [f for f in self.model._meta.concrete_fields if not getattr(f, "generated", False)]
        self.folded = [f for f in fields if isinstance(f, FoldedField)]
        self.names = {f.attname for f in fields}
        self.trace = Trace(self.model, import_type.record_type, source, source_type)

    def write(self, drafts: Sequence[Draft]) -> None:
        """Create and update; every draft gets its outcome, or is rejected where a constraint is broken."""
        new = [draft for draft in drafts if draft.record is None]
        known = [draft for draft in drafts if draft.record is not None]
        self._update(known)
        self._create(new)
        written = [draft for draft in drafts if not draft.is_rejected]
        changed = self._write_external_ids(written)
        changed |= self._write_multi(written)
        changed |= self._write_custom(written)
        for draft in written:
            if draft.outcome == "unchanged" and id(draft) in changed:
                draft.outcome = "updated"
        touched = [d.record for d in written if id(d) in changed and d in known and hasattr(d.record, "version")]
        if touched:
            # A change of values alone is a change of the record too.
            self.model._default_manager.filter(pk__in=[r.pk for r in touched]).update(updated_at=timezone.now())
        self.trace.write(written)

    def _create(self, drafts: list[Draft]) -> None:
        ready = []
        for draft in drafts:
            missing = [name for name in self.type.required if draft.columns.get(name) in (None, "")]
            if missing:
                name = missing[0].removesuffix("_id")
                draft.reject(name, "missing_key", f"A new record needs {name.replace('_', ' ')}; fill it in.")
                continue
            record = self.type.new_record(draft, self.book)
            if "source" in self.names:
                record.source = self.source  # type: ignore[attr-defined]
            self._apply(record, draft)
            self.type.complete(record, self.book)
            draft.record, draft.outcome = record, "created"
            ready.append(draft)
        self._safely(ready, lambda some: bulk_insert([d.record for d in some]))

    def _update(self, drafts: list[Draft]) -> None:
        records = self.model._default_manager.in_bulk([draft.record for draft in drafts])
        by_fields: dict[tuple[str, ...], list[Draft]] = defaultdict(list)
        for draft in drafts:
            record = records[draft.record]
            before = {name: getattr(record, name) for name in self.names}
            self._apply(record, draft)
            self.type.complete(record, self.book)
            for shadow in self.folded:
                shadow.pre_save(record, False)
            draft.record = record
            changed = tuple(sorted(name for name in self.names if getattr(record, name) != before[name]))
            draft.outcome = "updated" if changed else "unchanged"
            draft.was = {name: before[name] for name in changed}
            if changed:
                self.trace.columns(draft, record, before, changed)
                by_fields[changed].append(draft)
        for names, some in by_fields.items():
            self._update_fields(some, list(names))

    def _update_fields(self, drafts: list[Draft], names: list[str]) -> None:
        if "version" in self.names:
            names = [*names, "version"]
            for draft in drafts:
                draft.record.version += 1
        if "updated_at" in self.names:
            names = [*names, "updated_at"]
            now = timezone.now()
            for draft in drafts:
                draft.record.updated_at = now
        self._safely(drafts, lambda some: bulk_rewrite([d.record for d in some], names))

    def _apply(self, record: Any, draft: Draft) -> None:
        for name, value in draft.columns.items():
            if name not in self.names:
                continue
            if value is None and getattr(record, name) is not None:
                # Nothing in a file ever clears a value that stands.
                continue
            if draft.only_fills and getattr(record, name) not in (None, ""):
                continue
            setattr(record, name, value)

    def _safely(self, drafts: Sequence[Draft], save: Callable[[Sequence[Draft]], Any]) -> None:
        """Save all; where a constraint is broken, find the rows that break it by halving."""
        if not drafts:
            return
        try:
            with transaction.atomic():
                save(drafts)
            return
        except (IntegrityError, DataError, ValueError, OverflowError) as error:
            if len(drafts) == 1:
                draft = drafts[0]
                draft.record, draft.outcome = None, ""
                draft.reject("", "broken_constraint", self._words(error))
                return
        middle = len(drafts) // 2
        for half in (drafts[:middle], drafts[middle:]):
            for draft in half:
                if draft.outcome == "created":
                    draft.record.pk = None
                    draft.record._state.adding = True
            self._safely(half, save)

    def _words(self, error: Exception) -> str:
        text = str(error)
        for constraint in self.model._meta.constraints:
            names = {constraint.name}
            if isinstance(constraint, models.UniqueConstraint):
                table = self.model._meta.db_table
                names.add(", ".join(f"{table}.{name}" for name in constraint.fields))
            if any(name in text for name in names):
                return str(constraint.violation_error_message or constraint.name)
        if isinstance(error, DatabaseError) and "UNIQUE" in text.upper():
            return "Another record already has this value."
        return "The database refuses this row: a value does not fit its field."

    def _write_external_ids(self, drafts: list[Draft]) -> set[int]:
        if not self.type.has_external_ids or self.type.record_type == "user":
            return set()
        wanted = {(draft.external_id or draft.row_key): draft for draft in drafts}
        wanted.pop("", None)
        if not wanted:
            return set()
        known = set(
            ExternalId.objects.filter(
                record_type=self.type.record_type, source=self.source, external_id__in=wanted
            ).values_list("external_id", flat=True)
        )
        new = {text: draft for text, draft in wanted.items() if text not in known}
        rows = [
            ExternalId(
                record_type=self.type.record_type, record_id=draft.record.pk, source=self.source, external_id=text
            )
            for text, draft in new.items()
        ]
        try:
            with transaction.atomic():
                bulk_insert(rows)
        except IntegrityError:
            # Somebody else has given one of these ids since: theirs stands.
            ExternalId.objects.bulk_create(rows, ignore_conflicts=True)
        return {id(draft) for draft in new.values()}

    def _write_multi(self, drafts: list[Draft]) -> set[int]:
        """Add the values that are missing; an import never takes one away."""
        model, owner = self.type.value_model, f"{self.type.owner}_id"
        filled = [draft for draft in drafts if draft.multi]
        if model is None or not filled:
            return set()
        fields = {name for draft in filled for name, _ in draft.multi}
        rows = model._default_manager.filter(
            **{f"{owner}__in": [d.record.pk for d in filled], "field__in": fields}
        ).values_list(owner, "field", "token", "term_id", "code_id")
        known = set(rows)
        standing: dict[tuple[int, str], list[Any]] = defaultdict(list)
        for pk, name, token, term, code in known:
            standing[(pk, name)].append(token or term or code)
        new: list[Any] = []
        changed: set[int] = set()
        for draft in filled:
            for (name, kind), values in draft.multi.items():
                had = len(new)
                for value in values:
                    token = value if kind == "token" else ""
                    term = value if kind == "term" else None
                    code = value if kind == "code" else None
                    row = (draft.record.pk, name, token, term, code)
                    if row not in known:
                        known.add(row)
                        changed.add(id(draft))
                        new.append(model(**{owner: row[0]}, field=name, token=token, term_id=term, code_id=code))
                if len(new) > had and draft.outcome != "created":
                    held = standing[(draft.record.pk, name)]
                    added = [one.token or one.term_id or one.code_id for one in new[had:]]
                    self.trace.values(draft, name, held, [*held, *added])
        bulk_insert(new)
        return changed

    def _write_custom(self, drafts: list[Draft]) -> set[int]:
        model, owner = self.type.custom_model, f"{self.type.owner}_id"
        filled = [draft for draft in drafts if draft.custom]
        if model is None or not filled:
            return set()
        types, keys = self._custom_types({pk for draft in filled for pk in draft.custom})
        known: dict[tuple[int, int], list[Any]] = defaultdict(list)
        row: Any
        for row in model._default_manager.filter(**{f"{owner}__in": [d.record.pk for d in filled]}):
            known[(getattr(row, owner), row.definition_id)].append(row)
        new, update, changed = [], [], set()
        for draft in filled:
            for definition, values in draft.custom.items():
                column = _custom_column(types[definition])
                standing = known[(draft.record.pk, definition)]
                held = [getattr(row, column) for row in standing]
                if types[definition] == "multi" or not standing:
                    have = {getattr(row, column) for row in standing}
                    for value in values:
                        if value not in have:
                            row = model(**{owner: draft.record.pk, "definition_id": definition, column: value})
                            standing.append(row)
                            new.append(row)
                            changed.add(id(draft))
                elif getattr(standing[0], column) != _stored(values[0]) and not draft.only_fills:
                    setattr(standing[0], column, values[0])
                    for shadow in (f for f in model._meta.concrete_fields if isinstance(f, FoldedField)):
                        shadow.pre_save(standing[0], False)
                    update.append(standing[0])
                    changed.add(id(draft))
                self.trace.custom(
                    draft, keys[definition], types[definition], held, [getattr(r, column) for r in standing]
                )
        bulk_insert(new)
        if update:
            model._default_manager.bulk_update(
                update, ["text", "text_folded", "number", "boolean", "date", "moment"], batch_size=_MAX_FIELDS_AT_ONCE
            )
        return changed

    def _custom_types(self, ids: Iterable[int]) -> tuple[dict[int, str], dict[int, str]]:
        from ..models import CustomField

        rows = list(CustomField.objects.filter(pk__in=ids).values_list("pk", "type", "key"))
        return {pk: kind for pk, kind, _ in rows}, {pk: key for pk, _, key in rows}


def _custom_column(kind: str) -> str:
    if kind in ("integer", "decimal", "percent", "money"):
        return "number"
    return {"boolean": "boolean", "date": "date", "datetime": "moment"}.get(kind, "text")


def _stored(value: Any) -> Any:
    return round(Decimal(value), 6) if isinstance(value, int | Decimal) and not isinstance(value, bool) else value
