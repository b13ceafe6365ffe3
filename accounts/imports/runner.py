"""Run an import: batches of rows through cleaning, links, keys and writing, each committed with its outcomes."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from django.db import connection, transaction
from pyroaring import BitMap64

from segmentation_crm.common.acting import acting_as
from segmentation_crm.common.bulk_insert import bulk_insert

from ..models import Account, Import, ImportRow
from ..services.changes import record_bulk
from . import statistics
from .drafts import Draft
from .error_file import plain_cell
from .later import keep_for_later, resolve_later
from .limits import BATCH_ROWS
from .matching import Matcher
from .plan import Plan
from .problems import CellProblem, CellWarning
from .resolvers import AMBIGUOUS, Deferred, Link, Lookup
from .rows import Row
from .writing import Writer

# Lets other writers of an SQLite file in between two batches (RELIABILITY 1.4).
_PAUSE_SECONDS = 0.01


@dataclass
class Tally:
    """How the rows came out."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    invalid: int = 0
    warnings: dict[str, int] = field(default_factory=dict)

    def warn(self, code: str, count: int = 1) -> None:
        """Count a warning."""
        self.warnings[code] = self.warnings.get(code, 0) + count


class Runner:
    """Runs one import; `on_batch(done)` is called inside each batch's transaction."""

    def __init__(
        self,
        record: Import,
        plan: Plan,
        lookup: Lookup,
        *,
        create_accounts: bool = False,
        source_type: str = "",
        on_batch: Callable[[int], None] | None = None,
        check_stop: Callable[[], None] | None = None,
    ) -> None:
        self.record, self.plan, self.lookup = record, plan, lookup
        self.type, self.reading = plan.type, plan.scan.reading
        self.targets = sorted(plan.mapping.targets.items())
        self.matcher = Matcher(self.type, plan.key, plan.mapping.targets.values(), record.source)
        self.writer = Writer(self.type, record.source, source_type)
        self.create_accounts = create_accounts
        self.on_batch, self.check_stop = on_batch, check_stop
        self.touched = BitMap64.deserialize(bytes(record.touched_ids)) if record.touched_ids else BitMap64()
        self.tally = Tally(
            record.rows_created, record.rows_updated, record.rows_unchanged, record.rows_invalid, dict(record.warnings)
        )
        # The drafts of the batch written last, for previews.
        self.drafts: list[Draft] = []

    def run(self, limit: int | None = None) -> None:
        """Write all rows that are not done yet, then the links to records of the same file.

        `limit` stops after so many rows (previews). What `check_stop` raises ends the run between two batches. In the
        log of changes all of it is the act of who started the import.
        """
        with acting_as(self.record.created_by, "import", self.record.public_id):
            self._run(limit)

    def _run(self, limit: int | None) -> None:
        rows: Iterator[Row] = self.plan.table.rows()
        rows = islice(rows, self.record.rows_done, limit)
        while batch := list(islice(rows, BATCH_ROWS)):
            if self.check_stop:
                self.check_stop()
            before = self.record.rows_done
            with transaction.atomic():
                statistics.prefer_ordered_indexes()
                self.write_batch(batch)
            if statistics.is_due(before, self.record.rows_done):
                statistics.refresh(self.type)
            if connection.vendor == "sqlite":
                time.sleep(_PAUSE_SECONDS)
        if self.check_stop:
            self.check_stop()
        resolve_later(self)
        with transaction.atomic():
            self.type.after_last(self.touched)
            self._save(self.record.rows_done)

    def write_batch(self, rows: Sequence[Row]) -> None:
        """Write some rows and their outcomes (a fixed number of queries, more where rows break constraints)."""
        drafts = [self._read(row) for row in rows]
        good = [draft for draft in drafts if not draft.is_rejected]
        self._resolve(good)
        self._prepare(good)
        good = self._match([draft for draft in good if not draft.is_rejected])
        self._write(good)
        self._after_write([draft for draft in drafts if not draft.is_rejected and draft.record is not None])
        self._count(drafts)
        self.drafts = drafts
        self._save(self.record.rows_done + len(rows))

    def _read(self, row: Row) -> Draft:
        """Clean every mapped cell; 0 queries."""
        draft = Draft(row)
        if row.problem:
            draft.reject("", row.code, f"Line {row.line}: {row.problem}.")
            return draft
        headings = self.plan.headings
        for index, problem in row.cell_problems.items():
            draft.reject(headings[index], "unreadable_cell", f"The cell {problem}.")
        for index, target in self.targets:
            text = plain_cell(row.cells[index].strip())
            if not text or text in self.reading.nulls or index in row.cell_problems:
                continue
            try:
                value = target.clean(text, self.reading)
            except CellProblem as problem:
                draft.reject(headings[index], problem.code, problem.message, text)
                continue
            except CellWarning as warning:
                draft.warn(headings[index], warning.code, warning.message, text)
                continue
            if isinstance(target, Deferred):
                target.take(draft, value)
            else:
                target.assign(draft, value)
        return draft

    def _resolve(self, drafts: Sequence[Draft]) -> None:
        """Look up every link and word of the batch (a few queries for each column)."""
        for index, target in self.targets:
            if not isinstance(target, Deferred):
                continue
            mine = [draft for draft in drafts if target in draft.texts]
            if not mine:
                continue
            texts = dict.fromkeys(part for draft in mine for part in target.parts(draft.texts[target]))
            found = target.resolve(texts, self.lookup)
            unknown = {text for text in texts if text not in found}
            if unknown and self.create_accounts and isinstance(target, Link) and target.model is Account:
                found = {**found, **self._create_accounts(unknown)}
            for draft in mine:
                self._take(draft, target, self.plan.headings[index], found)
        for name, text in self.lookup.added:
            self.tally.warn(f"added_{name}")
            first = next((d for d in drafts if text in self._words_of(d)), None)
            if first is not None:
                first.warn(name, f"added_{name}", f"{text!r} is new: it goes into the list.", text)
        self.lookup.added.clear()

    def _words_of(self, draft: Draft) -> set[str]:
        """Return every text of the row that was looked up."""
        return {
            part for target, text in draft.texts.items() if isinstance(target, Deferred) for part in target.parts(text)
        }

    def _take(self, draft: Draft, target: Deferred, heading: str, found: dict[str, Any]) -> None:
        values = []
        for text in target.parts(draft.texts[target]):
            value = found.get(text)
            if value is None:
                draft.warn(heading, f"unknown_{target.key}", f"{target.label} {text!r} is not known.", text)
            elif value is AMBIGUOUS:
                draft.warn(heading, f"ambiguous_{target.key}", f"{target.label} {text!r} names several records.", text)
            else:
                values.append(value)
        if not values:
            if any(part == target.key for part in self.plan.key) and self._is_ambiguous(draft, target, found):
                draft.reject(heading, "ambiguous_key", f"{target.label} of this row names several records.")
            return
        is_many = target.parts("a;b") != ["a;b"]
        target.assign(draft, values if is_many else values[0])

    def _is_ambiguous(self, draft: Draft, target: Deferred, found: dict[str, Any]) -> bool:
        return any(found.get(text) is AMBIGUOUS for text in target.parts(draft.texts[target]))

    def _create_accounts(self, names: Iterable[str]) -> dict[str, int]:
        new = [Account(name=name[:255], source=self.record.source) for name in sorted(names)]
        Account.objects.bulk_create(new)
        record_bulk("account", [(account.pk, ()) for account in new], action="created")
        self.lookup.added.extend(("account", account.name) for account in new)
        return {name: account.pk for name, account in zip(sorted(names), new, strict=True)}

    def _prepare(self, drafts: Sequence[Draft]) -> None:
        self.type.prepare(drafts, self.lookup)

    def _match(self, drafts: Sequence[Draft]) -> list[Draft]:
        """Find each row's record; of rows with one key the first holds, later ones fill what it left empty."""
        self.matcher.set_keys(drafts, self.plan.headings)
        keyed = [draft for draft in drafts if not draft.is_rejected]
        if hasattr(self.type, "write"):
            return self._complete(keyed)
        found = self.matcher.find(keyed, self.lookup)
        first: dict[Any, Draft] = {}
        leading = []
        for draft in keyed:
            ids = found.get(draft.key, [])
            if len(ids) > 1:
                draft.reject(
                    self.plan.key[0],
                    "ambiguous_key",
                    f"{len(ids)} records have this {self.matcher.label()}; make it unique, or choose another key.",
                )
                continue
            if draft.key in first:
                self._fold(draft, first[draft.key])
                continue
            first[draft.key] = draft
            draft.record = ids[0] if ids else None
            leading.append(draft)
        self.matcher.second_chance(leading, self.lookup)
        by_record: dict[int, Draft] = {}
        kept = []
        for draft in leading:
            if draft.record is not None and draft.record in by_record:
                self._fold(draft, by_record[draft.record])
                continue
            if draft.record is not None:
                by_record[draft.record] = draft
                if draft.record in self.touched:
                    draft.only_fills = True
                    draft.warn("", "duplicate_key", f"An earlier row has the same {self.matcher.label()}.")
            kept.append(draft)
        return kept

    def _complete(self, drafts: list[Draft]) -> list[Draft]:
        """Reject rows that lack what the type cannot do without."""
        for draft in drafts:
            missing = next((name for name in self.type.required if draft.columns.get(name) in (None, "")), None)
            if missing:
                name = missing.removesuffix("_id")
                draft.reject(name, "missing_key", f"The row needs a known {name.replace('_', ' ')}.")
        return [draft for draft in drafts if not draft.is_rejected]

    def _fold(self, draft: Draft, leader: Draft) -> None:
        """Let a second row with the same key fill what the first one leaves empty."""
        draft.warn("", "duplicate_key", f"Row {leader.row.number} has the same {self.matcher.label()}.")
        draft.outcome = "unchanged"
        draft.only_fills = True
        leader.followers.append(draft)

    def _write(self, drafts: Sequence[Draft]) -> None:
        write = getattr(self.type, "write", None)
        if write is not None:
            write(drafts, self.record.source)
            return
        self.writer.write(drafts)
        self._retry(drafts)
        followers = [(leader, draft) for leader in drafts for draft in leader.followers]
        for leader, draft in followers:
            if leader.is_rejected:
                draft.reject("", "duplicate_key", f"Row {leader.row.number} with the same key was rejected.")
                continue
            # One follower at a time: each sees what the one before it has filled.
            draft.record = leader.record.pk
            self.writer.write([draft])

    def _retry(self, drafts: Sequence[Draft]) -> None:
        """Update what somebody else created since the batch looked its keys up (0 queries where nothing failed)."""
        failed = [d for d in drafts if d.is_rejected and d.findings[-1].code == "broken_constraint"]
        failed = [d for d in failed if d.record is None]
        if not failed:
            return
        found = self.matcher.find(failed, self.lookup)
        for draft in failed:
            ids = found.get(draft.key, [])
            draft.record = ids[0] if len(ids) == 1 else None
        self.matcher.second_chance(failed, self.lookup)
        again = [draft for draft in failed if draft.record is not None]
        for draft in again:
            draft.is_rejected = False
            draft.findings.pop()
        if again:
            self.writer.write(again)

    def _after_write(self, drafts: Sequence[Draft]) -> None:
        if hasattr(self.type, "write"):
            return
        keep_for_later(self.record, drafts, self.plan)
        self.type.after_batch(drafts)
        self.touched.update(draft.record.pk for draft in drafts)

    def _count(self, drafts: Sequence[Draft]) -> None:
        """Count outcomes and warnings and keep the rows that have something to say (1 query)."""
        kept = []
        for draft in drafts:
            if draft.is_rejected:
                self.tally.invalid += 1
            else:
                setattr(self.tally, draft.outcome, getattr(self.tally, draft.outcome) + 1)
                for finding in draft.findings:
                    if not finding.code.startswith("added_"):
                        self.tally.warn(finding.code)
            if draft.findings:
                kept.append(self._row(draft))
        bulk_insert(kept)

    def _row(self, draft: Draft) -> ImportRow:
        findings = [
            {"column": f.column, "code": f.code, "message": _storable(f.message), "text": _storable(f.text)}
            for f in draft.findings
        ]
        return ImportRow(
            run=self.record,
            number=draft.row.number,
            line=draft.row.line,
            is_rejected=draft.is_rejected,
            record_id=getattr(draft.record, "pk", None) if not draft.is_rejected else None,
            findings=findings,
            cells=[_storable(cell) for cell in draft.row.cells] if draft.is_rejected else [],
        )

    def _save(self, done: int) -> None:
        record, tally = self.record, self.tally
        record.rows_done = done
        record.rows_created, record.rows_updated = tally.created, tally.updated
        record.rows_unchanged, record.rows_invalid = tally.unchanged, tally.invalid
        record.warnings = tally.warnings
        self.touched.run_optimize()
        record.touched_ids = self.touched.serialize()
        record.save(
            update_fields=[
                "rows_done",
                "rows_created",
                "rows_updated",
                "rows_unchanged",
                "rows_invalid",
                "warnings",
                "touched_ids",
            ]
        )
        if self.on_batch:
            self.on_batch(done)


def _storable(text: str) -> str:
    """Return the text as both databases can keep it in JSON: no NUL, no lone surrogate."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")
