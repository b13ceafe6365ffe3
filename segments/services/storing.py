"""The one place where stored members change: rows by difference, the run that moved them, and what caused it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pyroaring import BitMap

from accounts.models import Account, Contact
from segmentation_crm.common import extensions
from segmentation_crm.common.bulk_insert import bulk_insert_rows
from segmentation_crm.common.effective_time import effective_now

from ..choices import MemberType, RunCause
from ..models import MembershipChange, Segment, SegmentRun
from ..rules.evaluate import restricted
from .collecting import tell_readers
from .composing import who_must_leave
from .membership import delete_members, insert_members, owner_column

# Rows of causes kept for one run; beyond them only the run's bitmaps say who moved.
KEPT_CAUSES = 5_000
# The causes that are told record by record; of the others the run says all there is, and rows are kept only where few
# moved, so that a record's own history is read by index.
TOLD_CAUSES = frozenset({RunCause.DATA, RunCause.TIME})
KEPT_OF_OTHERS = 500


@dataclass(frozen=True)
class Words:
    """What moved one record: the key of a field, its old and new value as text, and the cause in plain English."""

    field: str = ""
    old: str = ""
    new: str = ""
    words: str = ""


def store_difference(
    segment: Segment,
    entered: BitMap,
    left: BitMap,
    *,
    as_of: datetime,
    cause: str,
    version: int,
    words: Mapping[int, Words] | None = None,
    started_at: datetime | None = None,
    member_count: int | None = None,
    manual: bool = False,
    alone: bool = False,
    living: BitMap | None = None,
) -> SegmentRun | None:
    """Write who entered and who left, the run and its causes; call inside the transaction that read the members.

    `entered` are keys that are not in yet, `left` keys that are. as_of: the effective moment at which the data were
    read, from which the change counts; version: the rule's version that was read; words: by record, for the causes
    data and time; started_at: when the work began (default: as_of); member_count: the count afterwards (default: the
    stored count moved by the difference); manual: those who enter were put in by hand; alone: no other segment's
    members depend on this one's, as its child or as another part of a division; living: keys known to have their
    record. Who leaves a parent leaves its children too, and who enters a part of a partition or split leaves the other
    parts, with runs of their own. Returns the run, None (and writes nothing) where nobody moved. The segment's
    `member_count` is written too, here and on `segment`.

    Costs 5 to 9 queries, however many move (one more for each 50,000).
    """
    if not entered and not left:
        return None
    if member_count is None:
        # Read anew: another segment may have taken members out of this one since the instance was loaded.
        standing = Segment.objects.filter(pk=segment.pk).values_list("member_count", flat=True).first() or 0
        member_count = max(0, standing + len(entered) - len(left))
    delete_members(segment, left)
    insert_members(segment, entered, as_of, manual=manual)
    began = started_at or as_of
    fits = len(entered) + len(left) <= (KEPT_CAUSES if cause in TOLD_CAUSES else KEPT_OF_OTHERS)
    run = SegmentRun.objects.create(
        segment=segment,
        version=version,
        cause=cause,
        as_of=as_of,
        started_at=began,
        finished_at=max(began, effective_now()),
        member_count=member_count,
        entered_count=len(entered),
        left_count=len(left),
        entered=entered.serialize(),
        left=left.serialize(),
        causes_cut=not fits,
    )
    if fits or cause in TOLD_CAUSES:
        _keep_causes(segment, run, entered, left, words or {}, living or BitMap())
    Segment.objects.filter(pk=segment.pk).update(member_count=member_count)
    segment.member_count = member_count
    tell_readers(segment.pk, entered | left, cause)
    for other, gone in () if alone else who_must_leave(segment, entered, left):
        _take_out(other, gone, segment, as_of, cause)
    for listener in extensions.after_membership_change:
        listener(segment.pk, [run.pk])
    return run


def _take_out(segment: Segment, gone: BitMap, because_of: Segment, as_of: datetime, cause: str) -> None:
    """Take out of a child or of a part beside whom a change of another segment no longer lets in."""
    words = "Left" if segment.parent_id == because_of.pk else "Is in"
    said = Words(words=f"{words} “{because_of.name}”")
    # Never before what is stored already, so that folding the runs in order gives what the rows say.
    moment = max(as_of, segment.last_built_at or as_of)
    words_of = dict.fromkeys(gone if len(gone) <= KEPT_CAUSES else gone[:KEPT_CAUSES], said)
    version = segment.rules_version
    store_difference(segment, BitMap(), gone, as_of=moment, cause=cause, version=version, words=words_of)


def _keep_causes(
    segment: Segment, run: SegmentRun, entered: BitMap, left: BitMap, words: Mapping[int, Words], living: BitMap
) -> None:
    """Write one row for each record that moved, those with words first, up to the limit (1 or 2 queries)."""
    moved = entered | left
    told = [key for key in words if key in moved]
    keys = (told + list(moved - BitMap(told)))[:KEPT_CAUSES] if len(moved) > KEPT_CAUSES else list(moved)
    model = Account if segment.member_type == MemberType.ACCOUNT else Contact
    # A record that was deleted for good has no row to point to; the run's bitmap keeps its key.
    standing = BitMap(keys) & living
    if unknown := BitMap(keys) - standing:
        standing |= BitMap(restricted(model._default_manager.order_by(), unknown).values_list("pk", flat=True))
    column = owner_column(segment)
    nothing = Words()
    rows = []
    for key in keys:
        if key not in standing:
            continue
        said = words.get(key, nothing)
        rows.append(
            (
                segment.pk,
                run.pk,
                key if column == "account_id" else None,
                key if column == "contact_id" else None,
                key in entered,
                run.as_of,
                run.cause,
                said.field[:120],
                said.old[:200],
                said.new[:200],
                said.words[:300],
            )
        )
    names = ["segment_id", "run_id", "account_id", "contact_id", "entered", "at", "cause", "field", "old", "new"]
    bulk_insert_rows(MembershipChange, [*names, "words"], rows)
