"""Where a segment stands: its parent, what a strategic one needs, and what a partition or split decides for it."""

from typing import Any

from django.core.exceptions import ValidationError
from pyroaring import BitMap

from segmentation_crm.common.effective_time import effective_now

from ..choices import RunCause, SegmentStatus, SegmentUse
from ..models import Segment
from ..queries import division_of
from ..rules.references import segment_targets
from .composing import hold, within_parent
from .membership import current_members
from .storing import store_difference

# What a part takes from its partition or split.
DECIDED_ABOVE = {
    "rules": "The rule of a part follows its partition or split; change that instead.",
    "parent": "A part has no parent; divide the members of a segment instead.",
}


def check_parent(segment: Segment, parent: Segment | None) -> None:
    """Let only a segment in use of the same kind of members be the parent, and no circle come about (2 queries).

    Raises ValidationError naming parent.
    """
    if parent is None:
        return
    if parent.member_type != segment.member_type:
        words = f"The parent must hold {segment.get_member_type_display().lower()}, as this segment does."
        raise ValidationError({"parent": words})
    if parent.status == SegmentStatus.ARCHIVED:
        raise ValidationError({"parent": "An archived segment cannot be a parent; restore it first."})
    if problem := segment_targets([parent.pk], segment.pk).get(parent.pk):
        circle = f"“{parent.name}” itself depends on this segment; that would be a circle."
        raise ValidationError({"parent": circle if problem.code == "cycle" else problem.message})


def check_strategic(segment: Segment) -> None:
    """Let a strategic segment be active only with an owner and an objective.

    Raises ValidationError naming the field.
    """
    if segment.kind_of_use != SegmentUse.STRATEGIC or segment.status == SegmentStatus.DRAFT:
        return
    if not segment.objective:
        words = "A strategic segment needs an objective before it is active: choose one, or save it as a draft."
        raise ValidationError({"objective": words})
    if segment.owner_id is None:
        words = "A strategic segment needs an owner before it is active: name one, or save it as a draft."
        raise ValidationError({"owner": words})


def refuse_what_a_division_decides(segment: Segment, changes: dict[str, Any]) -> None:
    """Refuse changes of a part that its partition or split decides (up to 2 queries).

    Raises ValidationError naming the field.
    """
    asked = [name for name in DECIDED_ABOVE if name in changes and changes[name] != getattr(segment, name)]
    if asked and division_of(segment):
        raise ValidationError({asked[0]: DECIDED_ABOVE[asked[0]]})


def limit_to_parent(segment: Segment) -> None:
    """Take out at once who is not in the parent, in the caller's transaction (4 queries and more)."""
    current = hold(segment.pk)
    if current is None or current.parent_id is None:
        return
    stored = current_members(current)
    left = stored - within_parent(current, stored)
    moment = max(effective_now(), current.last_built_at or effective_now())
    version = current.rules_version
    store_difference(current, BitMap(), left, as_of=moment, cause=RunCause.DEFINITION, version=version)
