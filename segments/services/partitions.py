"""Make, change and delete ordered partitions: the first segment of the list that holds a record wins it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from segmentation_crm.common.access import AnyUser
from segmentation_crm.common.models import User
from segmentation_crm.common.services import audit

from ..choices import MemberType, SegmentStatus
from ..models import Partition, PartitionPart, Segment
from .dividing import (
    MOST_PARTS,
    StaleDivision,
    change_part,
    check_distinct,
    clean_base,
    in_segments,
    make_part,
    part_name,
    take_parts_out_of_use,
)
from .naming import clean_choice, clean_name, insert_with_slug
from .saving import check_may_write

REST = "Everyone else"


@dataclass(frozen=True)
class Part:
    """One part as it is asked for: its name and the segment that fills it."""

    name: str
    source: Segment


def create_partition(
    user: AnyUser,
    *,
    name: str,
    member_type: str,
    parts: Sequence[Part],
    base: Segment | None = None,
    rest: str = REST,
    description: str = "",
) -> Partition:
    """Save a partition with a segment for each part and one for the rest, and queue the computing of their members.

    base: the segment whose members are divided, None for all records. Raises ValidationError naming the field, or
    PermissionDenied.
    """
    check_may_write(user)
    partition = Partition(
        name=_clean(name),
        member_type=clean_choice("member_type", member_type, MemberType.values),
        description=description.strip(),
        owner=user if isinstance(user, User) else None,
    )
    partition.base = clean_base(user, base, partition.member_type)
    cleaned, rest = _clean_parts(partition, parts, rest)
    with transaction.atomic():
        insert_with_slug(partition)
        _write_parts(user, partition, cleaned, rest)
        audit.record(user, "partition.created", partition)
    return partition


def update_partition(
    user: AnyUser, partition: Partition, changes: dict[str, Any], expected_version: int | None = None
) -> Partition:
    """Write the changed fields: name, description, base, parts, rest.

    A part keeps its segment, and so its history, while the same segment fills it; the segment of a part that goes is
    archived. Raises StaleDivision, SegmentInUse, ValidationError naming the field, or PermissionDenied.
    """
    check_may_write(user)
    with transaction.atomic():
        current = Partition.objects.select_for_update(of=("self",)).select_related("base").get(pk=partition.pk)
        if expected_version is not None and current.version != expected_version:
            raise StaleDivision(current)
        standing = list(current.parts.select_related("source", "segment"))
        if "name" in changes:
            current.name = _clean(changes["name"])
        if "description" in changes:
            current.description = str(changes["description"]).strip()
        if "base" in changes:
            current.base = clean_base(user, changes["base"], current.member_type)
        held = [Part(part.name, part.source) for part in standing if part.source is not None]
        rest = next((part.name for part in standing if part.source is None), REST)
        parts, rest = _clean_parts(current, changes.get("parts", held), changes.get("rest", rest))
        own = {part.segment_id for part in standing}
        if any(part.source.pk in own for part in parts) or (current.base_id in own):
            raise ValidationError({"parts": "A part cannot fill a part of its own partition; that would be a circle."})
        written = Partition.objects.filter(pk=current.pk, version=current.version).update(
            version=F("version") + 1,
            updated_at=timezone.now(),
            name=current.name,
            description=current.description,
            base=current.base,
        )
        if not written:
            raise StaleDivision(Partition.objects.get(pk=current.pk))
        _write_parts(user, current, parts, rest, standing)
        audit.record(user, "partition.changed", current, fields=sorted(changes))
    current.refresh_from_db()
    return current


def delete_partition(user: AnyUser, partition: Partition) -> None:
    """Delete the partition; the segments of its parts are archived, with members and history.

    Raises SegmentInUse naming the segments that read a part, or PermissionDenied.
    """
    check_may_write(user)
    with transaction.atomic():
        current = Partition.objects.select_for_update().get(pk=partition.pk)
        take_parts_out_of_use([part.segment for part in current.parts.select_related("segment")])
        audit.record(user, "partition.deleted", current)
        current.delete()


def _clean(name: Any) -> str:
    cleaned = clean_name(name)
    if len(cleaned) > 120:
        raise ValidationError({"name": "The name of a partition has at most 120 characters."})
    return cleaned


def _clean_parts(partition: Partition, parts: Sequence[Part], rest: Any) -> tuple[list[Part], str]:
    """Return the parts with clean names, and the name of the rest.

    Raises ValidationError naming parts or rest.
    """
    if not parts:
        raise ValidationError({"parts": "Choose at least one segment; whoever is in none goes to the rest."})
    if len(parts) >= MOST_PARTS:
        raise ValidationError({"parts": f"A partition has at most {MOST_PARTS} parts, the rest included."})
    cleaned = [Part(part_name("parts", part.name), part.source) for part in parts]
    rest = part_name("rest", rest)
    check_distinct("parts", [*(part.name for part in cleaned), rest])
    seen: set[int] = set()
    for part in cleaned:
        source = part.source
        if source.member_type != partition.member_type:
            words = f"“{source.name}” holds {source.member_type}s; this partition divides {partition.member_type}s."
            raise ValidationError({"parts": words})
        if source.status == SegmentStatus.ARCHIVED:
            raise ValidationError({"parts": f"“{source.name}” is archived; restore it, or choose another."})
        if source.pk in seen:
            raise ValidationError({"parts": f"“{source.name}” fills two parts; each segment fills one."})
        seen.add(source.pk)
    return cleaned, rest


def _write_parts(
    user: AnyUser, partition: Partition, parts: list[Part], rest: str, standing: Sequence[PartitionPart] = ()
) -> None:
    """Write the parts in their order, each with its segment and rule."""
    segments = {part.source_id: part.segment for part in standing}
    take_parts_out_of_use([segments[key] for key in segments.keys() - {part.source.pk for part in parts} - {None}])
    partition.parts.all().delete()
    rows = []
    wanted: list[tuple[str, Segment | None]] = [*((part.name, part.source) for part in parts), (rest, None)]
    before: list[Segment] = []
    for position, (name, source) in enumerate(wanted, start=1):
        rules = _rule(partition, source, before)
        segment = segments.get(source.pk if source else None)
        if segment is None:
            segment = make_part(user, partition, name, rules, f"Part {position} of the partition “{partition.name}”.")
        else:
            change_part(user, segment, partition, name, rules, redrawn=False)
        rows.append(PartitionPart(partition=partition, position=position, name=name, source=source, segment=segment))
        if source is not None:
            before.append(source)
    PartitionPart.objects.bulk_create(rows)


def _rule(partition: Partition, source: Segment | None, before: list[Segment]) -> dict[str, Any]:
    """Return the rule of one part: in what is divided, in its own segment, in none of those before."""
    rules = [in_segments(segment) for segment in (partition.base, source) if segment is not None]
    if before:
        rules.append({**in_segments(*before), "operator": "not_in"})
    return {"combinator": "and", "rules": rules}
