"""Keep segments fresh at the cost of what changed: the incremental refresh (DESIGN §5, docs/refresh.md).

One transaction takes the change rows, finds for each segment the members whose verdict may differ, asks the whole rule
about those alone, and stores who entered and left. A process that dies anywhere in it leaves everything as it was.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Count
from pyroaring import BitMap

from accounts.capture import Taken, climb, pending, take
from segmentation_crm.common.effective_time import effective_now

from ..choices import MemberType, RunCause, SegmentKind, SegmentStatus
from ..models import MovedMembers, RefreshState, Segment, SegmentMembership
from ..queries import SegmentGraph
from ..rules.clock import Clock
from ..rules.compile.places import model_of
from ..rules.evaluate import restricted
from ..rules.given_keys import GivenKeys
from ..rules.nodes import InvalidRule
from ..wakes import Reading, segment_name
from . import thresholds
from .collecting import Moved, collecting, take_moved
from .composing import included_by_hand, membership_of
from .membership import StoredMembers, mark_manual_among, stored_among
from .plans import Plan, plan_of, reference_versions
from .rebuilding import hold_state, mark_broken, queue_rebuild_of_all
from .saving import queue_rebuild
from .storing import store_difference
from .waking import Slivers
from .wording import Wording

# Written rows that one transaction takes. SQLite has one writer: there a transaction stays short.
TAKE = {"postgresql": 20_000, "sqlite": 1_000}
# Members asked about in one query, so that a refresh's memory does not grow with what was touched.
ASKED_AT_ONCE = 20_000
# Time is let in once a minute, and at once where the local day has changed.
WAKE_SECONDS = 60


@dataclass
class RefreshResult:
    """What one refresh did. rows: change rows taken; asked: verdicts asked for; runs: segments × causes that moved
    somebody; rebuilds: segments left to a rebuild (None: all of them); more: changes still wait.
    """

    as_of: datetime
    rows: int = 0
    asked: int = 0
    segments: int = 0
    entered: int = 0
    left: int = 0
    runs: int = 0
    rebuilds: int | None = 0
    more: bool = False
    woke: bool = False
    idle: bool = False
    duration_ms: int = 0


@dataclass
class _Work:
    """One refresh as it goes on: its clock, what was taken, who moved so far, and what it has done."""

    clock: Clock
    taken: Taken
    moved: Moved
    slivers: Slivers | None
    versions: str
    result: RefreshResult
    plain: set[int] = field(default_factory=set)
    alone: set[int] = field(default_factory=set)
    changed: list[int] = field(default_factory=list)
    stored: dict[str, StoredMembers] = field(default_factory=dict)
    wording: Wording | None = None
    given: dict[str, GivenKeys] = field(default_factory=dict)

    def asking(self, member_type: str) -> GivenKeys:
        """Return what evaluates rules of a member type over touched keys; segments share their atoms."""
        return self.given.setdefault(member_type, GivenKeys(member_type, self.clock, versions=self.versions))

    def stored_among(self, segment: Segment, keys: BitMap) -> BitMap:
        """Return those of the keys that are stored members; segments that stand alone are read together."""
        if segment.pk not in self.alone:
            return stored_among(segment, keys)
        member_type = segment.member_type
        return self.stored.setdefault(member_type, StoredMembers(member_type)).among(segment.pk, keys)


def is_due() -> bool:
    """Tell whether a refresh has anything to do: changes wait, somebody moved, or a minute has passed (≤ 3 queries)."""
    if pending() or MovedMembers.objects.exists():
        return True
    woken = RefreshState.objects.filter(pk=1).values_list("woken_at", flat=True).first()
    return woken is None or abs(effective_now() - woken) >= timedelta(seconds=WAKE_SECONDS)


def refresh(
    as_of: datetime | None = None,
    *,
    limit: int | None = None,
    wake: bool | None = None,
    on_commit_point: Callable[[], None] | None = None,
) -> RefreshResult:
    """Bring all segments that follow a rule up to date, in one transaction; one refresh at a time.

    as_of: the effective moment (default: now). limit: about how many written rows to take (`RefreshResult.more` tells
    whether some are left). wake: whether to let time in too; by default once a minute and when the local day changes.
    on_commit_point: called inside the transaction, may raise to undo it.
    Costs what was touched, and a few queries for each segment that it touches; nothing for the others.
    """
    began = time.monotonic()
    with transaction.atomic():
        state = hold_state()
        now = as_of or effective_now()
        result = _refresh(state, now, limit or TAKE[connection.vendor], wake)
        if not result.idle:
            result.duration_ms = round((time.monotonic() - began) * 1000)
            if result.rows:
                state.duration_ms, state.rows = result.duration_ms, result.rows
            state.save()
        if on_commit_point:
            on_commit_point()
    return result


def _refresh(state: RefreshState, now: datetime, limit: int, wake: bool | None) -> RefreshResult:
    clock = Clock.at(now)
    taken = take(limit)
    moved = take_moved()
    result = RefreshResult(now, rows=taken.rows, more=taken.more)
    wakes = _wakes(state, clock) if wake is None else wake
    # A rebuild that runs beside this sees by the count that it has to begin again.
    state.taken += 1
    state.refreshed_at = now
    if taken.rebuild_all or "organisation" in taken.reference_changed:
        queue_rebuild_of_all()
        result.rebuilds, result.more = None, True
        return result
    if not (taken or moved.by_data or moved.by_time or wakes):
        result.idle = True
        return result
    rows = Segment.objects.exclude(status=SegmentStatus.ARCHIVED).order_by("pk")
    # Locked in the order of keys, as everybody locks them, against a save of a rule in between.
    segments = {one.pk: one for one in rows.select_for_update(no_key=connection.vendor == "postgresql")}
    work = _Work(clock, taken, moved, Slivers(clock) if wakes else None, reference_versions(), result)
    work.plain = _plain(segments)
    work.alone = _alone(segments, work.plain)
    if taken.reference_changed:
        result.rebuilds = _rebuild_readers(work, segments)
    with collecting(moved):
        for pk in SegmentGraph().in_order(segments):
            _refresh_one(work, segments[pk])
    Segment.objects.filter(pk__in=work.changed).update(last_built_at=now)
    _recount(taken, segments)
    fresh = [one.pk for one in segments.values() if _is_fresh(one)]
    if wakes:
        Segment.objects.filter(pk__in=fresh).update(woken_at=now, last_built_at=now)
        state.woken_at, result.woke = now, True
    return result


def refresh_until_done(as_of: datetime | None = None, **options: bool | None) -> list[RefreshResult]:
    """Refresh until no change waits, each in a transaction of its own: for commands, replays and tests."""
    done = [refresh(as_of, **options)]  # type: ignore[arg-type]
    while done[-1].more:
        done.append(refresh(as_of))
    return done


def _recount(taken: Taken, segments: dict[int, Segment]) -> None:
    """Count members anew where records were deleted for good: their membership rows went without anybody counting."""
    for member_type in MemberType.values:
        own = taken.own.get(taken.records.get(member_type, ""), BitMap())
        if not own or restricted(model_of(member_type)._default_manager.order_by(), own).count() == len(own):
            continue
        counts = SegmentMembership.objects.filter(segment__in=segments).order_by().values("segment")
        known = dict(counts.annotate(number=Count("pk")).values_list("segment", "number"))
        for pk, segment in segments.items():
            if segment.member_type == member_type and known.get(pk, 0) != segment.member_count:
                Segment.objects.filter(pk=pk).update(member_count=known.get(pk, 0))


def rebuild_instead() -> None:
    """Drop every change that waits and queue the rebuild of all segments, which reads the data anew.

    For whoever has just written most of the records, in the transaction that wrote them: one rebuild costs less than
    a refresh about everything, which on SQLite would hold up all other writers.
    """
    with transaction.atomic():
        state = hold_state()
        while take(1_000_000).more:
            pass
        take_moved()
        state.taken += 1
        state.save()
        queue_rebuild_of_all()


def _wakes(state: RefreshState, clock: Clock) -> bool:
    if state.woken_at is None or abs(clock.as_of - state.woken_at) >= timedelta(seconds=WAKE_SECONDS):
        return True
    return clock.day_of(state.woken_at) != clock.today


def _is_fresh(segment: Segment) -> bool:
    """Tell whether the stored members answer to the saved rule; the others wait for their rebuild."""
    return segment.status != SegmentStatus.BROKEN and segment.built_version == segment.rules_version


def _plain(segments: dict[int, Segment]) -> set[int]:
    """Return the segments whose members are exactly whom the rule chooses: most of them (2 queries)."""
    from ..models import SegmentOverride, SplitGroup

    special = set(SegmentOverride.objects.order_by().values_list("segment_id", flat=True).distinct())
    special |= set(SplitGroup.objects.values_list("segment_id", flat=True))
    return {
        pk
        for pk, one in segments.items()
        if pk not in special and one.kind == SegmentKind.DYNAMIC and one.parent_id is None
    }


def _alone(segments: dict[int, Segment], plain: set[int]) -> set[int]:
    """Return the plain segments that are nobody's parent and no part of a partition (1 query).

    Only their own refresh moves their members while the refresh holds its locks.
    """
    from ..models import PartitionPart

    tied = {one.parent_id for one in segments.values()} | set(
        PartitionPart.objects.values_list("segment_id", flat=True)
    )
    return plain - tied


def _rebuild_readers(work: _Work, segments: dict[int, Segment]) -> int:
    """Queue a rebuild of each segment whose rule reads reference data that changed; return how many."""
    changed = work.taken.reference_changed
    found = 0
    for segment in segments.values():
        if segment.kind != SegmentKind.DYNAMIC:
            continue
        try:
            reading = plan_of(segment, work.versions).reading
        except InvalidRule:
            reads = True
        else:
            reads = bool(changed & reading.targets) or _reads_setting(reading, changed)
        if reads:
            queue_rebuild(segment, None, RunCause.DATA)
            found += 1
    return found


def _reads_setting(reading: Reading, changed: set[str]) -> bool:
    if "custom_field" in changed and any(".custom." in key for key in reading.keys):
        return True
    return "rates" in changed and reading.reads_money


def _refresh_one(work: _Work, segment: Segment) -> None:
    """Ask one segment's rule about those whose verdict may differ, and store who entered and left."""
    if not _is_fresh(segment):
        return
    try:
        plan = plan_of(segment, work.versions)
    except InvalidRule as problem:
        mark_broken(segment, problem)
        segment.status = SegmentStatus.BROKEN
        return
    by_data, by_time = _nominated(work, segment, plan)
    touched = by_data | by_time
    if not touched:
        return
    work.result.segments += 1
    work.result.asked += len(touched)
    wanted = _wanted(work, segment, plan, touched)
    stored = work.stored_among(segment, touched)
    entered, left = wanted - stored, stored - wanted
    if entered or left:
        if work.wording is None:
            work.wording = Wording(work.taken, work.clock)
        for cause, keys in ((RunCause.DATA, by_data), (RunCause.TIME, by_time - by_data)):
            came, went = entered & keys, left & keys
            if not came and not went:
                continue
            words = work.wording.words_for(segment, plan, cause, came, went, work.slivers)
            alone = segment.pk in work.alone
            store_difference(
                segment,
                came,
                went,
                as_of=work.clock.as_of,
                cause=cause,
                version=segment.rules_version,
                words=words,
                # Locked, and moved by nobody else: the count needs no second look.
                member_count=max(0, segment.member_count + len(came) - len(went)) if alone else None,
                alone=alone,
                living=work.asking(segment.member_type).living(),
            )
            work.result.runs += 1
        work.result.entered += len(entered)
        work.result.left += len(left)
        work.changed.append(segment.pk)
    if segment.pk not in work.plain:
        mark_manual_among(segment, included_by_hand(segment, wanted), touched)


def _nominated(work: _Work, segment: Segment, plan: Plan) -> tuple[BitMap, BitMap]:
    """Return the members that changed rows (or moves in other segments) touch, and those that time alone does."""
    reading = plan.reading
    moved = {segment_name(pk): work.moved.by_data[pk] for pk in reading.segments if pk in work.moved.by_data}
    by_data = climb(reading.reads, work.taken, moved) if work.taken or moved else BitMap()
    if reading.rankings and plan.rule is not None and (by_data or work.slivers is not None):
        by_data |= thresholds.passed_over(segment, plan.rule, reading, work.clock)
    later = {segment_name(pk): work.moved.by_time[pk] for pk in reading.segments if pk in work.moved.by_time}
    if work.slivers is not None:
        later |= work.slivers.of(segment, reading)
    by_time = climb(reading.reads, Taken(), later) if any(later.values()) else BitMap()
    return by_data, by_time


def _wanted(work: _Work, segment: Segment, plan: Plan, touched: BitMap) -> BitMap:
    """Return those of the touched keys that belong to the segment."""
    if plan.rule is None:
        return membership_of(segment, None, touched)
    chosen = BitMap()
    for start in range(0, len(touched), ASKED_AT_ONCE):
        chosen |= work.asking(segment.member_type).matching(plan.rule, touched[start : start + ASKED_AT_ONCE])
    return chosen if segment.pk in work.plain else membership_of(segment, chosen, touched)
