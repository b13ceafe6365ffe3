"""What partitions and splits have in common: their parts as segments, made, changed and taken out of use together."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import F
from django.utils import timezone

from segmentation_crm.common.access import AnyUser

from ..choices import RunCause, SegmentKind, SegmentStatus
from ..models import Partition, Segment, Split
from ..queries import SegmentGraph, find_segment
from ..rules.nodes import InvalidRule
from .composing import keep_taken
from .dependents import Dependent
from .membership import current_members
from .naming import clean_name
from .saving import SegmentInUse, create_segment, queue_rebuild, validated, write_version
from .sentences import sentence_of

MOST_PARTS = 50
MAX_PART_NAME = 60


class StaleDivision(Exception):
    """Somebody saved the partition or split in between; `current` is how it stands now."""

    def __init__(self, current: Partition | Split) -> None:
        super().__init__(f"It was changed by somebody else; it is now at version {current.version}.")
        self.current = current


def part_name(field: str, value: Any) -> str:
    """Return the name of a part or group.

    Raises ValidationError naming the field.
    """
    name = " ".join(value.split()) if isinstance(value, str) else ""
    if not name or "\x00" in name:
        raise ValidationError({field: "Give every part a name."})
    if len(name) > MAX_PART_NAME:
        raise ValidationError({field: f"“{name[:30]}…”: the name of a part has at most {MAX_PART_NAME} characters."})
    return name


def check_distinct(field: str, names: list[str]) -> None:
    """Refuse two parts of one name.

    Raises ValidationError naming the field.
    """
    seen: set[str] = set()
    for name in names:
        if name.casefold() in seen:
            raise ValidationError({field: f"Two parts are called “{name}”; name them apart."})
        seen.add(name.casefold())


def clean_base(user: AnyUser, base: Segment | None, member_type: str) -> Segment | None:
    """Return the segment whose members are divided, read anew; None for all records (1 query).

    Raises ValidationError naming base.
    """
    if base is None:
        return None
    found = find_segment(user, str(base.pk))
    if found is None or found.status == SegmentStatus.ARCHIVED:
        raise ValidationError({"base": "The segment to divide is archived or no longer there; choose another."})
    if found.member_type != member_type:
        raise ValidationError({"base": f"The segment to divide must hold {member_type}s."})
    return found


def in_segments(*segments: Segment) -> dict[str, Any]:
    """Return the condition "in one of these segments"."""
    return {"field": "segment", "operator": "in", "value": [segment.slug for segment in segments]}


def make_part(user: AnyUser, division: Partition | Split, name: str, rules: dict[str, Any], words: str) -> Segment:
    """Save the segment of a new part (as `create_segment`).

    Raises ValidationError where the rule would be a circle or too deep.
    """
    full = clean_name(f"{division.name}: {name}")
    try:
        made, _ = create_segment(user, name=full, member_type=division.member_type, rules=rules, description=words)
    except InvalidRule as problem:
        raise _as_validation(problem) from None
    return made


def change_part(
    user: AnyUser, segment: Segment, division: Partition | Split, name: str, rules: dict[str, Any], *, redrawn: bool
) -> None:
    """Give a part its new name and rule; a changed rule, or new lots (`redrawn`), are a version and a rebuild.

    Raises ValidationError where the rule would be a circle or too deep.
    """
    try:
        rule = validated(rules, segment.member_type, user, segment.pk)
    except InvalidRule as problem:
        raise _as_validation(problem) from None
    sentence = sentence_of(segment, rule)
    changed = rule.canonical != segment.rules or redrawn
    values = {
        "name": clean_name(f"{division.name}: {name}"),
        "rules": rule.canonical,
        "sentence": sentence,
        "rules_version": segment.rules_version + changed,
    }
    if all(getattr(segment, field) == value for field, value in values.items()):
        return
    Segment.objects.filter(pk=segment.pk).update(version=F("version") + 1, updated_at=timezone.now(), **values)
    segment.refresh_from_db()
    if changed:
        write_version(segment, user)
        queue_rebuild(segment, user, RunCause.DEFINITION)


def take_parts_out_of_use(parts: list[Segment]) -> None:
    """Archive the segments of parts that go; their members and history stay (3 queries).

    Raises SegmentInUse naming the segments that read them.
    """
    graph = SegmentGraph()
    going = {part.pk for part in parts}
    readers = {reader for pk in going for reader in graph.read_by[pk]} - going
    if readers:
        rows = Segment.objects.filter(pk__in=readers).order_by("name")
        raise SegmentInUse([Dependent("segment", row.name, row.get_absolute_url()) for row in rows])
    for part in parts:
        # What no longer follows the partition or the lot keeps whom it holds, even when it is brought back.
        keep_taken(part, current_members(part))
    Segment.objects.filter(pk__in=going).update(
        status=SegmentStatus.ARCHIVED,
        kind=SegmentKind.SNAPSHOT,
        built_version=F("rules_version"),
        version=F("version") + 1,
        updated_at=timezone.now(),
    )


def _as_validation(problem: InvalidRule) -> ValidationError:
    return ValidationError({"parts": "; ".join(dict.fromkeys(error.message for error in problem.errors))})
