"""Make, change and delete random splits: the members of a segment drawn by lot into groups with shares."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from segmentation_crm.common.access import AnyUser
from segmentation_crm.common.models import User
from segmentation_crm.common.services import audit

from ..models import Segment, Split, SplitGroup
from ..models.divisions import WHOLE
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
from .naming import clean_name, insert_with_slug
from .saving import check_may_write
from .sentences import write_sentence

MAX_SEED = 64


@dataclass(frozen=True)
class Group:
    """One group as it is asked for: its name, and its share in hundredths of a percent."""

    name: str
    share: int


def share_of(percent: Any) -> int:
    """Return a share given in percent, up to two places, in hundredths of a percent.

    Raises ValidationError naming groups.
    """
    try:
        hundredths = Decimal(str(percent).strip().rstrip("%").replace(",", ".")) * 100
    except InvalidOperation:
        raise ValidationError({"groups": f"“{percent}” is no share; write a percentage such as 50 or 12.5."}) from None
    if not hundredths.is_finite() or hundredths != int(hundredths) or not 1 <= hundredths <= WHOLE:
        raise ValidationError({"groups": "A share lies between 0.01 and 100 percent, with at most two places."})
    return int(hundredths)


def create_split(
    user: AnyUser, *, name: str, base: Segment, groups: Sequence[Group], seed: str = "", description: str = ""
) -> Split:
    """Save a split with a segment for each group, and queue the computing of their members.

    seed: what the lots depend on besides the record; drawn where it is empty. Two splits with one seed draw alike.
    Raises ValidationError naming the field, or PermissionDenied.
    """
    check_may_write(user)
    split = Split(
        name=_clean(name),
        member_type=base.member_type,
        description=description.strip(),
        seed=_clean_seed(seed),
        owner=user if isinstance(user, User) else None,
    )
    split.base = clean_base(user, base, base.member_type)  # type: ignore[assignment]
    cleaned = _clean_groups(groups)
    with transaction.atomic():
        insert_with_slug(split)
        _write_groups(user, split, cleaned)
        audit.record(user, "split.created", split)
    return split


def update_split(user: AnyUser, split: Split, changes: dict[str, Any], expected_version: int | None = None) -> Split:
    """Write the changed fields: name, description, groups. What is split and the seed stay.

    A group keeps its segment by its name, in any order; changed shares move as few records as the order allows.
    Raises StaleDivision, SegmentInUse, ValidationError naming the field, or PermissionDenied.
    """
    check_may_write(user)
    with transaction.atomic():
        current = Split.objects.select_for_update(of=("self",)).select_related("base").get(pk=split.pk)
        if expected_version is not None and current.version != expected_version:
            raise StaleDivision(current)
        if "name" in changes:
            current.name = _clean(changes["name"])
        if "description" in changes:
            current.description = str(changes["description"]).strip()
        standing = list(current.groups.select_related("segment"))
        groups = _clean_groups(changes.get("groups", [Group(group.name, group.share) for group in standing]))
        written = Split.objects.filter(pk=current.pk, version=current.version).update(
            version=F("version") + 1, updated_at=timezone.now(), name=current.name, description=current.description
        )
        if not written:
            raise StaleDivision(Split.objects.get(pk=current.pk))
        _write_groups(user, current, groups, standing)
        audit.record(user, "split.changed", current, fields=sorted(changes))
    current.refresh_from_db()
    return current


def delete_split(user: AnyUser, split: Split) -> None:
    """Delete the split; the segments of its groups are archived, with members and history.

    Raises SegmentInUse naming the segments that read a group, or PermissionDenied.
    """
    check_may_write(user)
    with transaction.atomic():
        current = Split.objects.select_for_update().get(pk=split.pk)
        take_parts_out_of_use([group.segment for group in current.groups.select_related("segment")])
        audit.record(user, "split.deleted", current)
        current.delete()


def _clean(name: Any) -> str:
    cleaned = clean_name(name)
    if len(cleaned) > 120:
        raise ValidationError({"name": "The name of a split has at most 120 characters."})
    return cleaned


def _clean_seed(seed: Any) -> str:
    text = str(seed or "").strip() or secrets.token_hex(8)
    if len(text) > MAX_SEED or not text.isprintable():
        raise ValidationError({"seed": f"A seed is a text of at most {MAX_SEED} characters, such as “spring-2026”."})
    return text


def _clean_groups(groups: Sequence[Group]) -> list[Group]:
    if len(groups) < 2:
        raise ValidationError({"groups": "A split has at least two groups."})
    if len(groups) > MOST_PARTS:
        raise ValidationError({"groups": f"A split has at most {MOST_PARTS} groups."})
    cleaned = [Group(part_name("groups", group.name), group.share) for group in groups]
    check_distinct("groups", [group.name for group in cleaned])
    total = sum(group.share for group in cleaned)
    if total != WHOLE:
        raise ValidationError({"groups": f"The shares add up to {total / 100:g} percent; they must make 100."})
    return cleaned


def _write_groups(user: AnyUser, split: Split, groups: list[Group], standing: Sequence[SplitGroup] = ()) -> None:
    """Write the groups in their order, each with its segment and the lots that fall to it."""
    before = {group.name.casefold(): group for group in standing}
    staying = {group.name.casefold() for group in groups}
    take_parts_out_of_use([group.segment for name, group in before.items() if name not in staying])
    split.groups.all().delete()
    rules = {"combinator": "and", "rules": [in_segments(split.base)]}
    start = 0
    for position, group in enumerate(groups, start=1):
        old = before.get(group.name.casefold())
        words = f"Group {position} of the split “{split.name}”."
        segment = old.segment if old else make_part(user, split, group.name, rules, words)
        SplitGroup.objects.create(
            split=split, position=position, name=group.name, start=start, share=group.share, segment=segment
        )
        if old:
            redrawn = (old.start, old.share) != (start, group.share)
            change_part(user, segment, split, group.name, rules, redrawn=redrawn)
        else:
            write_sentence(segment)
        start += group.share
