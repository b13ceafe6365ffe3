"""Segments as a document, each after those it reads, references by natural keys."""

from collections.abc import Sequence
from typing import Any

from segmentation_crm.common.access import AnyUser

from ..choices import SegmentStatus
from ..models import PartitionPart, Segment, SplitGroup
from ..queries import SegmentGraph, find_segment, segments_visible_to
from .documents import KIND, VERSION


class CannotExport(Exception):
    """The segments named cannot be exported; the message says why, for people."""


def document_of(user: AnyUser, references: Sequence[str] = ()) -> dict[str, Any]:
    """Return the definitions of the segments named and of all they read; of every segment in use where none is named.

    Members, history and decisions by hand stay behind. 5 queries, and 1 for each name. Raises CannotExport.
    """
    graph = SegmentGraph()
    drawn = set(PartitionPart.objects.exclude(segment=None).values_list("segment", flat=True))
    drawn |= set(SplitGroup.objects.exclude(segment=None).values_list("segment", flat=True))
    if references:
        wanted = [_named(user, reference) for reference in references]
        keys = {segment.pk for segment in wanted}
        waiting = list(keys)
        while waiting:
            for read in graph.reads.get(waiting.pop(), ()):
                if read not in keys:
                    keys.add(read)
                    waiting.append(read)
    else:
        in_use = segments_visible_to(user).exclude(status=SegmentStatus.ARCHIVED)
        keys = set(in_use.values_list("pk", flat=True)) - drawn
    rows = segments_visible_to(user).select_related("parent").in_bulk(keys)
    taken = [rows[pk] for pk in graph.in_order(keys) if pk in rows]
    part = next((segment for segment in taken if segment.pk in drawn), None)
    if part is not None:
        raise CannotExport(
            f"“{part.name}” belongs to a partition or a split: its rule does not say alone who is in. "
            "Leave it out, and what reads it."
        )
    return {"format": KIND, "version": VERSION, "segments": [_definition(segment) for segment in taken]}


def _named(user: AnyUser, reference: str) -> Segment:
    found = find_segment(user, reference)
    if found is None:
        raise CannotExport(f"There is no segment “{reference[:80]}”. Name segments by slug or id.")
    return found


def _definition(segment: Segment) -> dict[str, Any]:
    found: dict[str, Any] = {
        "slug": segment.slug,
        "name": segment.name,
        "description": segment.description,
        "member_type": segment.member_type,
        "kind": segment.kind,
        "kind_of_use": segment.kind_of_use,
        "objective": segment.objective,
        "status": SegmentStatus.DRAFT if segment.status == SegmentStatus.DRAFT else SegmentStatus.ACTIVE,
        "parent": segment.parent.slug if segment.parent else None,
        "rules": segment.rules or None,
    }
    return {name: str(value) if isinstance(value, SegmentStatus) else value for name, value in found.items()}
