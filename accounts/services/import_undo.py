"""Taking an import back: what it made is deleted, what it changed restored, where nobody touched it since."""

import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from segmentation_crm.common.acting import acting_as
from segmentation_crm.common.effective_time import effective_now
from segmentation_crm.common.extensions import after_import, tell
from segmentation_crm.common.models import User
from segmentation_crm.common.services import audit

from ..choices import ChangeAction
from ..models import Account, Activity, Contact, Import, ImportState, Note, Opportunity, RecordChange, Task
from .accounts import refresh_hierarchy
from .changes import MODELS, record_bulk
from .undoing import undo_change

CHUNK = 200
# What people hang on a record; a row made after the import keeps the record.
_HANGS_ON: dict[str, tuple[tuple[type[Any], str], ...]] = {
    "account": tuple((model, "account") for model in (Contact, Opportunity, Activity, Note, Task)),
    "contact": tuple((model, "contact") for model in (Activity, Note, Task)),
    "opportunity": tuple((model, "opportunity") for model in (Activity, Note, Task)),
}


@dataclass
class Tally:
    """What an undo did: records deleted, records with values restored, and those left as they are."""

    deleted: int = 0
    restored: int = 0
    left: int = 0


def can_be_undone(record: Import) -> bool:
    """Tell whether an import has ended and its changes were logged (0 queries)."""
    return record.state in (ImportState.DONE, ImportState.CANCELLED, ImportState.FAILED) and record.rows_done > 0


def changes_of_import(record: Import) -> "QuerySet[RecordChange]":
    """Return what an import logged, in order."""
    return RecordChange.objects.filter(batch=record.public_id, via="import").order_by("id")


def left_by_undo(record: Import) -> "QuerySet[RecordChange]":
    """Return what an undo left as it is, because it was touched since."""
    return changes_of_import(record).filter(undone_by__isnull=True)


def undo_import(
    record: Import,
    actor: User | None,
    *,
    after: int = 0,
    tally: Tally | None = None,
    on_chunk: Callable[[int, Tally], None] | None = None,
    check_stop: Callable[[], None] | None = None,
) -> Tally:
    """Take an import back, chunk by chunk, newest of a record last; may be run again where it was stopped.

    `on_chunk(last id, tally)` runs inside each chunk's transaction. What `check_stop` raises ends it between two.
    """
    tally, last = tally or Tally(), after
    batch = uuid.uuid5(record.public_id, "undo")
    with acting_as(actor, "import", batch):
        while True:
            if check_stop:
                check_stop()
            with transaction.atomic():
                rows = list(changes_of_import(record).filter(pk__gt=last, undone_by__isnull=True)[:CHUNK])
                if not rows:
                    break
                last = rows[-1].pk
                _undo_chunk(record, rows, tally)
                if on_chunk:
                    on_chunk(last, tally)
        audit.record(actor, "import.undone", record, **asdict(tally))
    tell(after_import)
    return tally


def _undo_chunk(record: Import, rows: list[RecordChange], tally: Tally) -> None:
    for kind in MODELS:
        made = [row for row in rows if row.record_type == kind and row.action == ChangeAction.CREATED]
        _delete_untouched(record, kind, made, tally)
    made_here = set(
        changes_of_import(record)
        .filter(action=ChangeAction.CREATED, record_id__in=[row.record_id for row in rows])
        .values_list("record_type", "record_id")
    )
    for row in rows:
        # What was made here goes as a whole, or stays as a whole.
        if row.action != ChangeAction.UPDATED or (row.record_type, row.record_id) in made_here:
            continue
        if not MODELS[row.record_type].objects.live().filter(pk=row.record_id).exists():  # type: ignore[attr-defined]
            tally.left += 1
            continue
        try:
            with transaction.atomic():
                done = undo_change(row, None)
        except ValidationError:
            tally.left += 1
            continue
        tally.restored += bool(done.restored)
        tally.left += bool(done.left)


def _delete_untouched(record: Import, kind: str, made: list[RecordChange], tally: Tally) -> None:
    """Delete what the import made and nobody touched since (a fixed number of queries)."""
    if not made:
        return
    model: Any = MODELS[kind]
    ids = [row.record_id for row in made]
    since = record.finished_at or effective_now()
    touched = RecordChange.objects.filter(record_type=kind, record_id=OuterRef("pk")).exclude(batch=record.public_id)
    touched = touched.filter(~Q(via="system"))
    rows = model.objects.live().filter(pk__in=ids).filter(~Exists(touched))
    for other, column in _HANGS_ON[kind]:
        later = other.objects.filter(**{column: OuterRef("pk")}, created_at__gt=since)
        if other in (Contact, Opportunity):
            later = later.filter(deleted_at__isnull=True)
        rows = rows.filter(~Exists(later))
    gone = list(rows.values_list("pk", flat=True))
    now = effective_now()
    model.objects.filter(pk__in=gone).update(deleted_at=now, version=F("version") + 1, updated_at=now)
    record_bulk(kind, [(pk, ()) for pk in gone], action=ChangeAction.DELETED)
    own = RecordChange.objects.filter(
        record_type=kind, record_id=OuterRef("record_id"), action=ChangeAction.DELETED, at__gte=now
    )
    changes_of_import(record).filter(record_type=kind, record_id__in=gone).update(
        undone_by=own.order_by("-id").values("id")[:1]
    )
    if model is Account:
        refresh_hierarchy(gone)
    tally.deleted += len(gone)
    tally.left += len(ids) - len(gone)
