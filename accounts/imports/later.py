"""Links to records of the same file (parents): kept while rows are written, resolved after the last one."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone

from segmentation_crm.common.bulk_insert import bulk_insert

from ..models import Import, ImportLater, ImportRow
from ..services.changes import MODELS, record_bulk
from .drafts import Draft
from .limits import BATCH_ROWS
from .plan import Plan
from .resolvers import AMBIGUOUS, Link

if TYPE_CHECKING:
    from .runner import Runner


def keep_for_later(record: Import, drafts: Sequence[Draft], plan: Plan) -> None:
    """Keep the texts of links that may point to rows further down (1 query)."""
    headings = {target.key: plan.headings[index] for index, target in plan.mapping.targets.items()}
    rows = [
        ImportLater(
            run=record,
            number=draft.row.number,
            line=draft.row.line,
            record_id=draft.record.pk,
            target=target.key,
            column=headings[target.key][:255],
            text=text,
            outcome=draft.outcome,
            only_if_empty=draft.only_fills,
        )
        for draft in drafts
        for target, text in draft.later.items()
    ]
    bulk_insert(rows)


def resolve_later(runner: "Runner") -> None:
    """Set the links that were kept, batch by batch; what is done is deleted in the same transaction."""
    targets = {target.key: target for target in runner.plan.mapping.targets.values() if isinstance(target, Link)}
    while True:
        with transaction.atomic():
            waiting = list(ImportLater.objects.filter(run=runner.record).order_by("id")[:BATCH_ROWS])
            if not waiting:
                return
            for key in dict.fromkeys(item.target for item in waiting):
                _resolve(runner, targets[key], [item for item in waiting if item.target == key])
            ImportLater.objects.filter(pk__in=[item.pk for item in waiting]).delete()
            runner._save(runner.record.rows_done)
        if runner.check_stop:
            runner.check_stop()


def _resolve(runner: "Runner", target: Link, items: Sequence[ImportLater]) -> None:
    found = target.resolve({item.text for item in items}, runner.lookup)
    column = f"{target.key}_id"
    records: dict[int, Any] = runner.type.model._default_manager.in_bulk([item.record_id for item in items])
    changed: dict[int, Any] = {}
    findings: dict[int, tuple[ImportLater, dict[str, str]]] = {}
    log = []
    for item in items:
        value, record = found.get(item.text), records.get(item.record_id)
        if record is None:
            continue
        code = ""
        if value is None:
            code, words = f"unknown_{target.key}", f"{target.label} {item.text!r} is not known."
        elif value is AMBIGUOUS:
            code, words = f"ambiguous_{target.key}", f"{target.label} {item.text!r} names several records."
        elif value == record.pk or _is_below(runner, target, value, record.pk, changed):
            code, words = (
                f"circular_{target.key}",
                f"{target.label} {item.text!r} is the record itself or lies below it.",
            )
        if code:
            runner.tally.warn(code)
            findings[item.number] = (
                item,
                {"column": item.column, "code": code, "message": words, "text": item.text},
            )
            continue
        standing = getattr(record, column)
        if standing == value or (item.only_if_empty and standing):
            continue
        setattr(record, column, value)
        changed[record.pk] = record
        log.append((record.pk, [{"field": target.key, "old": standing, "new": value}]))
        if item.outcome == "unchanged":
            runner.tally.unchanged -= 1
            runner.tally.updated += 1
    for record in changed.values():
        if hasattr(record, "updated_at"):
            record.updated_at = timezone.now()
    names = [target.key, *(["updated_at"] if hasattr(runner.type.model, "updated_at") else [])]
    runner.type.model._default_manager.bulk_update(changed.values(), names, batch_size=400)
    if runner.type.record_type in MODELS:
        record_bulk(runner.type.record_type, log)
    _add_findings(runner.record, findings)


def _is_below(runner: "Runner", target: Link, parent: int, child: int, changed: dict[int, Any]) -> bool:
    """Tell whether the parent already lies below the child (1 query a level, for chains only)."""
    seen = {child}
    at: int | None = parent
    while at is not None:
        if at in seen:
            return True
        seen.add(at)
        if at in changed:
            at = getattr(changed[at], f"{target.key}_id")
        else:
            rows = runner.type.model._default_manager.filter(pk=at).values_list(f"{target.key}_id", flat=True)
            at = next(iter(rows), None)
    return False


def _add_findings(record: Import, findings: dict[int, tuple[ImportLater, dict[str, str]]]) -> None:
    """Add a warning to the rows of these numbers (3 queries)."""
    known = {row.number: row for row in ImportRow.objects.filter(run=record, number__in=findings)}
    new = []
    for number, (item, finding) in findings.items():
        if number in known:
            known[number].findings = [*known[number].findings, finding]
        else:
            new.append(
                ImportRow(run=record, number=number, line=item.line, record_id=item.record_id, findings=[finding])
            )
    ImportRow.objects.bulk_update(known.values(), ["findings"])
    bulk_insert(new)
