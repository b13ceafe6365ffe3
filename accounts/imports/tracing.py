"""What an import leaves behind besides the records: the log of changes, and where each value came from."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.utils import timezone

from segmentation_crm.common.bulk_insert import bulk_insert_rows, bulk_rewrite
from segmentation_crm.common.folding import fold

from ..choices import ChangeAction, SourceKind
from ..models import Provenance
from ..services import changes
from ..services.custom_fields import NUMBERS
from .drafts import Draft

# Who looks after a record, and how far it has come, is decided here; it has no source.
_NO_SOURCE = frozenset(
    {"owner", "sdr", "account", "tags", "lifecycle_stage", "lead_status", "tier", "stage", "pipeline"}
)
_COLUMNS = ("record_type", "record_id", "field", "source_system", "source_system_folded", "source_type", "kind",
            "observed_on", "confidence")  # fmt: skip
_REWRITTEN = ("source_system", "source_system_folded", "source_type", "kind", "observed_on", "confidence")


class Trace:
    """Collects what the drafts of a batch changed and writes it in a few statements."""

    def __init__(self, model: Any, record_type: str, source: str, source_type: str) -> None:
        self.is_logged = record_type in changes.MODELS
        self.record_type, self.source, self.source_type = record_type, source, source_type
        self.fields = {field.attname: field for field in changes.logged_fields(model)} if self.is_logged else {}
        self.found: dict[int, list[changes.Change]] = {}
        self.custom_keys: dict[int, set[str]] = {}

    def columns(self, draft: Draft, record: Any, before: Mapping[str, Any], names: Iterable[str]) -> None:
        """Note the columns of a known record that become others."""
        for name in names:
            field = self.fields.get(name)
            if field is not None:
                old, new = changes.plain(field, before[name]), changes.plain(field, getattr(record, name))
                if old != new:
                    self.found.setdefault(id(draft), []).append({"field": field.name, "old": old, "new": new})

    def values(self, draft: Draft, field: str, old: Any, new: Any) -> None:
        """Note the values of a multi or custom field that become others."""
        if self.is_logged:
            change = {"field": field, "old": changes.plain_value(old), "new": changes.plain_value(new)}
            self.found.setdefault(id(draft), []).append(change)

    def custom(self, draft: Draft, key: str, kind: str, old: list[Any], new: list[Any]) -> None:
        """Note that the file fills a custom field, and where its value becomes another."""
        self.custom_keys.setdefault(id(draft), set()).add(f"custom.{key}")
        if kind in NUMBERS:
            old, new = ([Decimal(str(value)) for value in values] for values in (old, new))
        if draft.outcome != "created" and old != new:
            single = (old[0] if old else None, new[0] if new else None)
            self.values(draft, f"custom.{key}", *((old, new) if kind == "multi" else single))

    def write(self, drafts: Sequence[Draft]) -> None:
        """Log what was made and changed (2 statements), and where it came from where that is wanted (≤ 3)."""
        if not self.is_logged:
            return
        made = [(d.record.pk, ()) for d in drafts if d.outcome == "created"]
        changed = [(d.record.pk, self.found[id(d)]) for d in drafts if d.outcome == "updated" and id(d) in self.found]
        changes.record_bulk(self.record_type, made, action=ChangeAction.CREATED)
        changes.record_bulk(self.record_type, changed)
        if self.source_type:
            self._write_sources(drafts)
        self.found, self.custom_keys = {}, {}

    def _write_sources(self, drafts: Sequence[Draft]) -> None:
        """State the source of what was filled; a value that stood already keeps a source that somebody else gave."""
        today = timezone.localdate()
        shared = (self.source, fold(self.source), self.source_type, str(SourceKind.DATABASE), today, None)
        fresh = [d for d in drafts if d.outcome == "created"]
        rows = [(self.record_type, d.record.pk, name, *shared) for d in fresh for name in self._filled(d)]
        known = [d for d in drafts if d.outcome != "created"]
        standing = {
            (row.record_id, row.field): row
            for row in Provenance.objects.filter(
                record_type=self.record_type, record_id__in=[d.record.pk for d in known]
            )
        }
        rewritten = []
        for draft in known:
            became = {change["field"] for change in self.found.get(id(draft), ())}
            for name in self._filled(draft):
                row = standing.get((draft.record.pk, name))
                if row is None:
                    rows.append((self.record_type, draft.record.pk, name, *shared))
                elif name in became or (row.source_system == self.source and row.observed_on != today):
                    for column, value in zip(_REWRITTEN, shared, strict=True):
                        setattr(row, column, value)
                    rewritten.append(row)
        bulk_insert_rows(Provenance, _COLUMNS, rows)
        bulk_rewrite(rewritten, _REWRITTEN)

    def _filled(self, draft: Draft) -> Iterator[str]:
        """Yield the names of the fields that hold what the file says."""
        for attribute, value in draft.columns.items():
            field = self.fields.get(attribute)
            if field is None or field.name in _NO_SOURCE or value in (None, ""):
                continue
            if not draft.only_fills or getattr(draft.record, attribute) == value:
                yield field.name
        if not draft.only_fills:
            yield from (name for (name, _), values in draft.multi.items() if values and name not in _NO_SOURCE)
            yield from self.custom_keys.get(id(draft), ())
