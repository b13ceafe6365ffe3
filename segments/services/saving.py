"""Create, change, archive and restore segments."""

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from segmentation_crm.common.access import AnyUser, can
from segmentation_crm.common.jobs import enqueue
from segmentation_crm.common.models import Job, User
from segmentation_crm.common.services import audit

from ..choices import MemberType, RunCause, SegmentKind, SegmentObjective, SegmentStatus, SegmentUse
from ..models import Segment, SegmentVersion, SplitGroup
from ..rules.describe import describe
from ..rules.nodes import Rule
from ..rules.validate import validate
from .dependents import Dependent, dependents_of, part_of
from .naming import clean_choice, clean_name, insert_with_slug
from .placing import check_parent, check_strategic, limit_to_parent, refuse_what_a_division_decides

EDITABLE = ("name", "description", "rules", "kind_of_use", "objective", "status", "owner", "parent")


class StaleVersion(Exception):
    """Somebody saved the segment in between; `current` is how it stands now."""

    def __init__(self, current: Segment) -> None:
        super().__init__(f"The segment was changed by somebody else; it is now at version {current.version}.")
        self.current = current


class SegmentInUse(Exception):
    """The segment cannot go while something depends on it; `users` say what, with their pages."""

    def __init__(self, users: Sequence[Dependent]) -> None:
        shown = ", ".join(str(user) for user in users[:8]) + (f" and {len(users) - 8} more" if len(users) > 8 else "")
        super().__init__(f"Used by {shown}. Change these first.")
        self.users = list(users)


def check_may_write(user: AnyUser) -> None:
    """Let only those through who build segments.

    Raises PermissionDenied.
    """
    if not can(user, "segments.write"):
        raise PermissionDenied("Your role may read segments, not change them.")


def validated(rules: Any, member_type: str, user: AnyUser | None, segment_id: int | None = None) -> Rule:
    """Return the validated rule, as the person may write it.

    Raises InvalidRule with every error.
    """
    return validate(rules, member_type, user=user, segment_id=segment_id)


def queue_rebuild(segment: Segment, user: AnyUser | None, cause: str) -> Job:
    """Queue the computing of the segment's members and of those that read it (2 queries)."""
    return enqueue(
        "segment.rebuild",
        key=f"segment:{segment.pk}",
        payload={"segment": segment.pk, "cause": cause},
        title=f"Members of “{segment.name}”"[:200],
        user=user if isinstance(user, User) else None,
    )


def create_segment(
    user: AnyUser,
    *,
    name: str,
    member_type: str,
    rules: dict[str, Any] | None = None,
    description: str = "",
    kind: str = SegmentKind.DYNAMIC,
    kind_of_use: str = SegmentUse.WORKING_LIST,
    status: str = SegmentStatus.ACTIVE,
    objective: str = "",
    parent: Segment | None = None,
) -> tuple[Segment, Job]:
    """Save a new segment with its first version and queue the computing of its members.

    parent: members are then always members of this segment too; it narrows, and says nothing of the rule. Raises
    ValidationError naming the field, InvalidRule, or PermissionDenied.
    """
    check_may_write(user)
    segment = Segment(
        name=clean_name(name),
        description=description.strip(),
        member_type=clean_choice("member_type", member_type, MemberType.values),
        kind=clean_choice("kind", kind, SegmentKind.values),
        kind_of_use=clean_choice("kind_of_use", kind_of_use, SegmentUse.values),
        status=clean_choice("status", status, [SegmentStatus.DRAFT, SegmentStatus.ACTIVE]),
        objective=clean_choice("objective", objective, ["", *SegmentObjective.values]),
        owner=user if isinstance(user, User) else None,
        parent=parent,
    )
    check_parent(segment, parent)
    check_strategic(segment)
    if segment.kind == SegmentKind.STATIC:
        if rules:
            raise ValidationError({"rules": "A static segment is kept by hand and has no rule."})
        segment.sentence = "Kept by hand."
    else:
        rule = validated(rules, segment.member_type, user)
        segment.rules, segment.sentence = rule.canonical, describe(rule)
    with transaction.atomic():
        insert_with_slug(segment)
        write_version(segment, user)
        audit.record(user, "segment.created", segment)
        job = queue_rebuild(segment, user, RunCause.DEFINITION)
    return segment, job


def write_version(segment: Segment, user: AnyUser | None) -> None:
    """Keep the segment's rule as its newest version (1 query)."""
    SegmentVersion.objects.create(
        segment=segment,
        number=segment.rules_version,
        rules=segment.rules,
        sentence=segment.sentence,
        created_by=user if isinstance(user, User) else None,
    )


def update_segment(
    user: AnyUser, segment: Segment, changes: dict[str, Any], expected_version: int | None = None
) -> tuple[Segment, Job | None]:
    """Write the changed fields; a changed rule becomes a new version and queues a rebuild.

    expected_version: the version that the person saw; None writes whatever stands. Only fields of EDITABLE count.
    Raises StaleVersion, ValidationError, InvalidRule or PermissionDenied.
    """
    check_may_write(user)
    with transaction.atomic():
        current = Segment.objects.select_for_update().get(pk=segment.pk)
        if expected_version is not None and current.version != expected_version:
            raise StaleVersion(current)
        parent_before = current.parent_id
        refuse_what_a_division_decides(current, changes)
        rule_changed = _apply(current, changes, user)
        # The version in the condition is what protects on SQLite, where rows are not locked.
        values = {name: getattr(current, name) for name in (*EDITABLE, "sentence", "last_error", "rules_version")}
        written = Segment.objects.filter(pk=current.pk, version=current.version).update(
            version=F("version") + 1, updated_at=timezone.now(), **values
        )
        if not written:
            raise StaleVersion(Segment.objects.get(pk=current.pk))
        current.refresh_from_db()
        job = None
        if rule_changed:
            write_version(current, user)
        if current.parent_id != parent_before:
            limit_to_parent(current)
        if rule_changed or current.parent_id != parent_before:
            job = queue_rebuild(current, user, RunCause.DEFINITION)
        audit.record(user, "segment.changed", current, fields=sorted(changes))
    return current, job


def _apply(segment: Segment, changes: dict[str, Any], user: AnyUser) -> bool:
    """Set the changes on the instance; tell whether the rule is another one."""
    if "name" in changes:
        segment.name = clean_name(changes["name"])
    if "description" in changes:
        segment.description = str(changes["description"]).strip()
    if "kind_of_use" in changes:
        segment.kind_of_use = clean_choice("kind_of_use", changes["kind_of_use"], SegmentUse.values)
    if "owner" in changes:
        segment.owner = changes["owner"]
    if "objective" in changes:
        segment.objective = clean_choice("objective", changes["objective"], ["", *SegmentObjective.values])
    if "parent" in changes:
        check_parent(segment, changes["parent"])
        segment.parent = changes["parent"]
    if "status" in changes:
        allowed = [SegmentStatus.DRAFT, SegmentStatus.ACTIVE]
        segment.status = clean_choice("status", changes["status"], allowed)
    if {"kind_of_use", "owner", "objective", "status"} & changes.keys():
        check_strategic(segment)
    if "rules" not in changes:
        return False
    if segment.kind == SegmentKind.STATIC:
        raise ValidationError({"rules": "A static segment is kept by hand and has no rule."})
    rule = validated(changes["rules"], segment.member_type, user, segment.pk)
    if rule.canonical == segment.rules and segment.status != SegmentStatus.BROKEN:
        return False
    segment.rules, segment.sentence = rule.canonical, describe(rule)
    segment.rules_version += 1
    segment.last_error = ""
    if segment.status == SegmentStatus.BROKEN:
        segment.status = SegmentStatus.ACTIVE
    return True


def archive_segment(user: AnyUser, segment: Segment) -> Segment:
    """Take the segment out of use; members and history stay.

    Raises SegmentInUse while segments, partitions, splits, saved views or anything of the apps above depend on it, or
    PermissionDenied.
    """
    check_may_write(user)
    with transaction.atomic():
        current = Segment.objects.select_for_update().get(pk=segment.pk)
        if users := part_of(current) + dependents_of(current):
            raise SegmentInUse(users)
        current.status = SegmentStatus.ARCHIVED
        current.version += 1
        current.save(update_fields=["status", "version", "updated_at"])
        audit.record(user, "segment.archived", current)
    return current


def restore_segment(user: AnyUser, segment: Segment) -> tuple[Segment, Job]:
    """Bring an archived segment back and rebuild it.

    Raises PermissionDenied.
    """
    check_may_write(user)
    with transaction.atomic():
        current = Segment.objects.select_for_update().get(pk=segment.pk)
        current.status = SegmentStatus.ACTIVE
        current.version += 1
        current.save(update_fields=["status", "version", "updated_at"])
        audit.record(user, "segment.restored", current)
        return current, queue_rebuild(current, user, RunCause.REBUILD)


def duplicate_segment(user: AnyUser, segment: Segment) -> tuple[Segment, Job]:
    """Save a copy of the segment's rule as a draft of the user's own.

    Raises InvalidRule where the rule no longer validates, ValidationError for a group of a split, whose rule says only
    half of who is in it.
    """
    if SplitGroup.objects.filter(segment=segment).exists():
        raise ValidationError({"segment": "A group of a split is drawn by lot; make a new split instead."})
    return create_segment(
        user,
        name=f"{segment.name[:190]} (copy)",
        member_type=segment.member_type,
        rules=segment.rules or None,
        description=segment.description,
        kind=segment.kind,
        kind_of_use=segment.kind_of_use,
        status=SegmentStatus.DRAFT,
        objective=segment.objective,
        parent=segment.parent if segment.parent and segment.parent.status != SegmentStatus.ARCHIVED else None,
    )
