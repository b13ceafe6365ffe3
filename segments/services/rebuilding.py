"""Compute the members of segments whole: the worker's work on save, after an import, by button and nightly."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from django.db import transaction
from pyroaring import BitMap

from segmentation_crm.common.effective_time import effective_now
from segmentation_crm.common.jobs import enqueue
from segmentation_crm.common.models import Job

from ..choices import RunCause, SegmentKind, SegmentStatus
from ..models import RefreshState, Segment, SegmentRun
from ..queries import SegmentGraph
from ..rules.nodes import InvalidRule
from ..rules.validate import validate
from .composing import hold, included_by_hand, keep_taken, membership_of
from .membership import current_members, mark_manual
from .shared_atoms import SharedAtoms
from .storing import store_difference

# A rule saved during its own rebuild makes the result void; the work starts again this many times, then leaves it
# to the job that the save queued.
ATTEMPTS = 3


class Chunks(Protocol):
    """What the job runner gives: a commit that holds only while the job is still ours."""

    def commit_chunk(
        self,
        *,
        checkpoint: dict[str, Any] | None = None,
        done: int | None = None,
        total: int | None = None,
        unit: str = "",
    ) -> None:
        """Write progress in the caller's transaction; raises where another worker has taken over."""

    def check_cancelled(self) -> None:
        """Raise where the job must stop or give way to others."""


@dataclass(frozen=True)
class Outcome:
    """What one rebuild did. state: built, kept (a broken rule, an archived or missing segment), or discarded."""

    segment_id: int
    state: str
    member_count: int = 0
    entered: int = 0
    left: int = 0
    error: str = ""

    @property
    def changed(self) -> bool:
        """Tell whether anybody entered or left."""
        return bool(self.entered or self.left)


def rebuild_segment(
    segment_id: int,
    cause: str = RunCause.REBUILD,
    on_commit_point: Callable[[], None] | None = None,
    shared: SharedAtoms | None = None,
) -> Outcome:
    """Compute the members of one segment and store the difference in one transaction.

    Costs one query per distinct atom of the rule, and writes only who entered and who left. The result is thrown
    away where the rule was saved, or a fresher result stored, in between. `on_commit_point` is called inside the
    transaction and may raise to undo it. shared: atoms of the segments rebuilt before this one.
    """
    atoms = shared or SharedAtoms()
    for attempt in range(ATTEMPTS):
        if attempt == ATTEMPTS - 1:
            # Refreshes came in between each time: compute while none can.
            with transaction.atomic():
                hold_state()
                return _rebuild_once(segment_id, cause, on_commit_point, atoms) or Outcome(segment_id, "discarded")
        outcome = _rebuild_once(segment_id, cause, on_commit_point, atoms)
        if outcome is not None:
            return outcome
        # Something is newer than what was computed: everything is read anew.
        atoms.forget()
    return Outcome(segment_id, "discarded")


def hold_state() -> RefreshState:
    """Lock the row that whoever stores members by rule holds, until the end of the transaction (1 query).

    On SQLite a transaction is alone anyway.
    """
    rows = RefreshState.objects.select_for_update()
    return rows.filter(pk=1).first() or rows.get(pk=RefreshState.objects.get_or_create(pk=1)[0].pk)


def refreshes_so_far() -> int:
    """Return how many refreshes have taken changes (1 query)."""
    return RefreshState.objects.filter(pk=1).values_list("taken", flat=True).first() or 0


def _rebuild_once(
    segment_id: int, cause: str, on_commit_point: Callable[[], None] | None, atoms: SharedAtoms
) -> Outcome | None:
    """Compute and store once; None where the rule was saved, or changes taken by a refresh, in between."""
    segment = Segment.objects.filter(pk=segment_id).exclude(status=SegmentStatus.ARCHIVED).first()
    if segment is None:
        return Outcome(segment_id, "kept")
    taken, clock = refreshes_so_far(), time.monotonic()
    as_of = atoms.moment(taken)
    try:
        chosen = _chosen_by_rule(segment, atoms)
    except InvalidRule as problem:
        return mark_broken(segment, problem, on_commit_point)
    return _store(segment, chosen, taken, as_of, clock, cause, on_commit_point)


def _chosen_by_rule(segment: Segment, atoms: SharedAtoms) -> BitMap | None:
    """Return the keys the rule selects; None where the members no longer follow a rule."""
    if segment.kind == SegmentKind.STATIC:
        return None
    if segment.kind == SegmentKind.SNAPSHOT and segment.built_version == segment.rules_version:
        return None
    rule = validate(segment.rules, segment.member_type, segment_id=segment.pk)
    return atoms.members(rule)


def mark_broken(segment: Segment, problem: InvalidRule, on_commit_point: Callable[[], None] | None = None) -> Outcome:
    """Keep the members, say why the rule no longer works, and note the failed run."""
    words = "; ".join(error.message for error in problem.errors)[:2000]
    with transaction.atomic():
        now = effective_now()
        marked = Segment.objects.filter(pk=segment.pk, rules_version=segment.rules_version)
        if marked.update(status=SegmentStatus.BROKEN, last_error=words) and segment.last_error != words:
            SegmentRun.objects.create(
                segment=segment,
                version=segment.rules_version,
                cause=RunCause.REBUILD,
                as_of=now,
                started_at=now,
                finished_at=now,
                member_count=segment.member_count,
                error=words,
            )
        if on_commit_point:
            on_commit_point()
    return Outcome(segment.pk, "kept", segment.member_count, error=words)


def _store(
    segment: Segment,
    chosen: BitMap | None,
    taken: int,
    as_of: datetime,
    clock: float,
    cause: str,
    on_commit_point: Callable[[], None] | None,
) -> Outcome | None:
    """Write the difference; None where the rule or the members are newer than what was computed."""
    with transaction.atomic():
        # What a refresh took in between may have changed under this computation, and no row tells of it any more.
        if hold_state().taken != taken:
            return None
        current = hold(segment.pk)
        if current is None or current.rules_version != segment.rules_version:
            return None
        if current.last_built_at and current.last_built_at > as_of:
            return None
        if chosen is not None and current.kind == SegmentKind.SNAPSHOT:
            keep_taken(current, chosen)
        stored = current_members(current)
        wanted = membership_of(current, chosen)
        entered, left = wanted - stored, stored - wanted
        store_difference(
            current,
            entered,
            left,
            as_of=as_of,
            cause=cause,
            version=current.rules_version,
            member_count=len(wanted),
        )
        mark_manual(current, included_by_hand(current, wanted))
        healed = current.status == SegmentStatus.BROKEN
        Segment.objects.filter(pk=current.pk).update(
            member_count=len(wanted),
            last_built_at=as_of,
            woken_at=as_of,
            thresholds={},
            last_duration_ms=round((time.monotonic() - clock) * 1000),
            last_error="",
            built_version=current.rules_version,
            status=SegmentStatus.ACTIVE if healed else current.status,
        )
        if on_commit_point:
            on_commit_point()
    return Outcome(segment.pk, "built", len(wanted), len(entered), len(left))


def queue_rebuild_of_all() -> Job:
    """Queue the computing of every segment, as after an import (2 queries); one that waits already is enough."""
    return enqueue("segment.rebuild_all", key="all", payload={"cause": RunCause.DATA})


def rebuild_with_dependants(segment_id: int, cause: str, chunks: Chunks, done: list[int]) -> dict[str, Any]:
    """Rebuild a segment, then those that read it where its members changed, each in a transaction of its own.

    `done`: segments that an earlier attempt of the same job has finished. Returns counts for the job's result.
    """
    graph = SegmentGraph()
    readers = graph.in_order(graph.dependants(segment_id))
    return _rebuild_in_order([segment_id, *readers], cause, chunks, done, graph, only_if_touched=True)


def rebuild_all(cause: str, chunks: Chunks, done: list[int]) -> dict[str, Any]:
    """Rebuild every segment in use, each after those it reads."""
    graph = SegmentGraph()
    return _rebuild_in_order(graph.in_order(graph.reads), cause, chunks, done, graph, only_if_touched=False)


def _rebuild_in_order(
    plan: list[int],
    cause: str,
    chunks: Chunks,
    done: list[int],
    graph: SegmentGraph,
    *,
    only_if_touched: bool,
) -> dict[str, Any]:
    finished = list(done)
    # What an earlier attempt finished may have changed its members: its readers are then touched.
    changed: set[int] = set(done)
    totals = {"segments": len(done), "entered": 0, "left": 0, "broken": 0}
    shared = SharedAtoms()
    for position, pk in enumerate(plan):
        if pk in done:
            continue
        if only_if_touched and position and not graph.reads.get(pk, set()) & changed:
            continue
        chunks.check_cancelled()
        finished.append(pk)

        def commit(at: int = position + 1) -> None:
            chunks.commit_chunk(checkpoint={"finished": finished}, done=at, total=len(plan), unit="segments")

        outcome = rebuild_segment(pk, cause if position == 0 or not only_if_touched else RunCause.DATA, commit, shared)
        totals["segments"] += 1
        totals["entered"] += outcome.entered
        totals["left"] += outcome.left
        totals["broken"] += bool(outcome.error)
        if outcome.changed:
            changed.add(pk)
    return totals
