"""The nightly check: every segment computed whole and compared with what refreshes made of it. Expected: no drift."""

import logging
from typing import Any

from django.db import transaction
from pyroaring import BitMap

from segmentation_crm.common.effective_time import effective_now

from ..choices import RunCause, SegmentKind, SegmentStatus
from ..models import Segment
from ..queries import SegmentGraph
from ..rules.evaluate import matching_keys, member_bitmap
from ..rules.nodes import InvalidRule
from ..rules.validate import validate
from .composing import membership_of
from .membership import current_members, stored_among
from .rebuilding import Chunks, hold_state, rebuild_segment
from .refreshing import refresh_until_done
from .storing import store_difference

logger = logging.getLogger(__name__)


def reconcile_all(chunks: Chunks, done: list[int]) -> dict[str, Any]:
    """Compare every segment with its rule, each after those it reads; return how many records were wrong.

    done: segments that an earlier attempt of the same job has finished. What is wrong is put right with a run of cause
    "rebuild" and an error in the log; broken segments are tried again.
    """
    graph = SegmentGraph()
    plan = graph.in_order(graph.reads)
    finished = list(done)
    totals = {"segments": len(done), "broken": 0, "drift": 0}
    for position, pk in enumerate(plan):
        if pk in done:
            continue
        chunks.check_cancelled()
        finished.append(pk)

        def commit(at: int = position + 1) -> None:
            chunks.commit_chunk(checkpoint={"finished": finished}, done=at, total=len(plan), unit="segments")

        drift, broken = _reconcile(pk, commit)
        totals["segments"] += 1
        totals["drift"] += drift
        totals["broken"] += broken
    return totals


def _reconcile(segment_id: int, commit: Any) -> tuple[int, bool]:
    """Compare one segment; return how many records were wrong, and whether its rule is broken."""
    segment = Segment.objects.filter(pk=segment_id).exclude(status=SegmentStatus.ARCHIVED).first()
    if segment is None:
        return 0, False
    if segment.status == SegmentStatus.BROKEN or segment.built_version != segment.rules_version:
        return 0, bool(rebuild_segment(segment_id, RunCause.REBUILD, commit).error)
    with transaction.atomic():
        hold_state()
        refresh_until_done(wake=True)
        segment.refresh_from_db()
        try:
            drift = _drift(segment)
        except InvalidRule:
            broken = True
        else:
            broken = False
            if drift:
                _put_right(segment, drift)
            commit()
    if broken:
        rebuild_segment(segment_id, RunCause.REBUILD, commit)
        return 0, True
    return len(drift), False


def _drift(segment: Segment) -> BitMap:
    """Return the records that are in and should not be, or the reverse, over data that no waiting change explains."""
    suspects = _wanted(segment, None) ^ current_members(segment)
    if not suspects:
        return suspects
    # Others write meanwhile: what changed since the refresh is no drift.
    refresh_until_done(wake=True)
    segment.refresh_from_db()
    return _wanted(segment, suspects) ^ stored_among(segment, suspects)


def _wanted(segment: Segment, keys: BitMap | None) -> BitMap:
    if segment.kind != SegmentKind.DYNAMIC:
        return membership_of(segment, None, keys)
    rule, now = validate(segment.rules, segment.member_type, segment_id=segment.pk), effective_now()
    chosen = member_bitmap(rule, now) if keys is None else matching_keys(rule, keys, now)
    return membership_of(segment, chosen, keys)


def _put_right(segment: Segment, drift: BitMap) -> None:
    stored = stored_among(segment, drift)
    logger.error("Segment %s had drifted by %s records from its rule; put right.", segment.pk, len(drift))
    store_difference(
        segment,
        drift - stored,
        stored,
        as_of=effective_now(),
        cause=RunCause.REBUILD,
        version=segment.rules_version,
    )
