"""Where a record stands in a segment besides the rule: by hand, parent, lot, a list kept by hand (RULES §5.11)."""

from dataclasses import dataclass
from datetime import datetime

from pyroaring import BitMap

from segmentation_crm.common.templatetags.crm import exact_date

from ..choices import OverrideMode, SegmentKind, SegmentStatus
from ..models import Segment, SegmentMembership, SegmentOverride
from ..services.composing import by_lot, membership_of, within_parent


@dataclass(frozen=True)
class Standing:
    """A record's place in a segment now.

    is_member: by the stored members. expected: by the rule and all that stands above it, None where the rule is
    broken; the two differ until the next refresh. decided: what stands above the rule, in words, the first that
    applies; "" where the rule decides. locked: why no edit of data moves the record, "" where one may.
    """

    is_member: bool
    entered_at: datetime | None
    manual: bool
    expected: bool | None
    decided: str = ""
    locked: str = ""


def standing_of(segment: Segment, key: int, rule_holds: bool | None) -> Standing:
    """Return where the record stands (5 to 9 queries). rule_holds: the rule's verdict, None where there is none."""
    column = f"{segment.member_type}_id"
    row = SegmentMembership.objects.filter(segment=segment, **{column: key}).first()
    override = SegmentOverride.objects.select_related("by").filter(segment=segment, **{column: key}).first()
    one = BitMap([key])
    asks_rule = segment.kind == SegmentKind.DYNAMIC and rule_holds is not None
    chosen = (one if rule_holds else BitMap()) if asks_rule else None
    expected: bool | None = key in membership_of(segment, chosen, one)
    if segment.kind == SegmentKind.DYNAMIC and rule_holds is None:
        expected = None
    decided, locked = _above_the_rule(segment, one, override, rule_holds)
    return Standing(
        row is not None, row.entered_at if row else None, bool(row and row.manual), expected, decided, locked
    )


def _above_the_rule(
    segment: Segment, one: BitMap, override: SegmentOverride | None, rule_holds: bool | None
) -> tuple[str, str]:
    """Return what decides in the rule's place, and why no edit of data moves the record; "" each where nothing does."""
    if override is not None and override.mode == OverrideMode.EXCLUDE:
        words = f"Kept out by hand{_by(override)}: {override.reason}"
        return words, "No edit of data flips this: the record is kept out by hand. Take that decision back first."
    if not within_parent(segment, one):
        assert segment.parent is not None
        words = f"Not in “{segment.parent.name}”, and only its members can be in this segment."
        return (
            words,
            f"No edit of this rule's fields alone flips this: first the record has to enter “{segment.parent.name}”.",
        )
    if override is not None:
        words = f"Put in by hand{_by(override)}: {override.reason}"
        return words, "No edit of data flips this: the record is put in by hand. Take that decision back first."
    if segment.kind == SegmentKind.STATIC:
        return "This segment is kept by hand; no rule decides.", "No edit of data flips this: the segment has no rule."
    if segment.kind == SegmentKind.SNAPSHOT:
        words = "A snapshot: its rule was asked once, and its members stay."
        return words, "No edit of data flips this: a snapshot does not follow its rule."
    if segment.status == SegmentStatus.BROKEN or rule_holds is None:
        words = f"The rule no longer works, so the last members stay: {segment.last_error}".rstrip(": ")
        return words, "No edit of data flips this while the rule is broken."
    if rule_holds and not by_lot(segment, one):
        words = "By lot the record falls into another group of the split."
        return words, "No edit of data flips this: the lot of a record never changes."
    return "", ""


def _by(override: SegmentOverride) -> str:
    who = override.by.display_name if override.by else "the system"
    return f" by {who} on {exact_date(override.at)}"


__all__ = ["Standing", "standing_of"]
