"""Which segments are compared: named by slug or id, of one member type, in use."""

from collections.abc import Iterable

from django.db.models import QuerySet

from segmentation_crm.common.access import AnyUser
from segmentation_crm.common.keys import key_of

from ..choices import SegmentStatus
from ..models import Segment
from ..queries import segments_visible_to

MOST_SEGMENTS = 12


class CannotCompare(Exception):
    """The segments named cannot be compared; the message says why, for people."""


def candidates(user: AnyUser, member_type: str = "") -> QuerySet[Segment]:
    """Return the segments in use that the user may compare, by name (lazy)."""
    rows = segments_visible_to(user).exclude(status=SegmentStatus.ARCHIVED).order_by("name", "pk")
    return rows.filter(member_type=member_type) if member_type else rows


def chosen(user: AnyUser, references: Iterable[str]) -> list[Segment]:
    """Return the segments of these slugs or ids in the order named, each once (1 query).

    Raises CannotCompare for an unknown or archived one, for fewer than 2 or more than 12, and for mixed member types.
    """
    wanted = list(dict.fromkeys(text.strip() for text in references if text.strip()))
    found = {one.pk: one for one in segments_visible_to(user).filter(slug__in=wanted)}
    by_slug = {one.slug: one for one in found.values()}
    keys = {text: key_of(text) for text in wanted if text not in by_slug}
    ids = [key for key in keys.values() if key is not None]
    by_id = {one.pk: one for one in segments_visible_to(user).filter(pk__in=ids)} if ids else {}
    segments: dict[int, Segment] = {}
    for text in wanted:
        one = by_slug.get(text) or by_id.get(keys.get(text) or 0)
        if one is None:
            raise CannotCompare(f"There is no segment “{text[:80]}”. Name segments by slug or id.")
        if one.status == SegmentStatus.ARCHIVED:
            raise CannotCompare(f"“{one.name}” is archived. Restore it first, or leave it out.")
        segments[one.pk] = one
    _check(list(segments.values()))
    return list(segments.values())


def _check(segments: list[Segment]) -> None:
    if len(segments) < 2:
        raise CannotCompare("Choose at least two segments to compare.")
    if len(segments) > MOST_SEGMENTS:
        raise CannotCompare(f"At most {MOST_SEGMENTS} segments can be compared at once; these are {len(segments)}.")
    first = segments[0]
    other = next((one for one in segments if one.member_type != first.member_type), None)
    if other is not None:
        raise CannotCompare(
            f"“{first.name}” holds {first.member_type}s and “{other.name}” {other.member_type}s: choose segments of "
            "one kind."
        )
