"""Read segments and their members, as a person may see them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet, Sum
from pyroaring import BitMap

from accounts.queries import accounts_visible_to, contacts_visible_to
from segmentation_crm.common.access import AnyUser, visibility
from segmentation_crm.common.keys import key_of
from segmentation_crm.common.models import Job, JobState

from .choices import MemberType, SegmentStatus
from .models import Partition, PartitionPart, Segment, SegmentMembership, SegmentOverride, SegmentRun, Split, SplitGroup


def segments_visible_to(user: AnyUser) -> QuerySet[Segment]:
    """Return the segments a user sees: all for whoever works here, none for others.

    Their members and counts are narrowed by `memberships_visible_to` and `visible_member_count`.
    """
    if not user.is_authenticated or not user.is_active:
        return Segment.objects.none()
    return Segment.objects.select_related("owner", "parent")


def partitions_visible_to(user: AnyUser) -> QuerySet[Partition]:
    """Return the partitions a user sees: all for whoever works here, none for others."""
    if not user.is_authenticated or not user.is_active:
        return Partition.objects.none()
    return Partition.objects.select_related("owner", "base")


def splits_visible_to(user: AnyUser) -> QuerySet[Split]:
    """Return the splits a user sees: all for whoever works here, none for others."""
    if not user.is_authenticated or not user.is_active:
        return Split.objects.none()
    return Split.objects.select_related("owner", "base")


def segment_lookup(reference: str) -> Q:
    """Return the filter for a segment named by id or slug; digits are an id first, else a slug."""
    key = key_of(reference)
    if key is not None:
        return Q(pk=key) | Q(slug=reference)
    return Q(slug=reference)


def find_segment(user: AnyUser, reference: str) -> Segment | None:
    """Return the visible segment of this id or slug, or None (1 query). An id wins over a slug of the same digits."""
    found = list(segments_visible_to(user).filter(segment_lookup(reference))[:2])
    found.sort(key=lambda segment: str(segment.pk) != reference)
    return found[0] if found else None


def sees_every_record(user: AnyUser) -> bool:
    """Tell whether the user's counts need no narrowing (up to 2 queries)."""
    return visibility(user).everything


def records_visible_to(member_type: str, user: AnyUser) -> QuerySet[Any]:
    """Return the live accounts or contacts that the user may see."""
    if member_type == MemberType.ACCOUNT:
        return accounts_visible_to(user)
    return contacts_visible_to(user)


def memberships_visible_to(segment: Segment, user: AnyUser) -> QuerySet[SegmentMembership]:
    """Return the membership rows whose record the user may see, with the record."""
    rows = SegmentMembership.objects.filter(segment=segment)
    visible = records_visible_to(segment.member_type, user)
    if segment.member_type == MemberType.ACCOUNT:
        return rows.filter(account__in=visible).select_related("account")
    return rows.filter(contact__in=visible).select_related("contact", "contact__account")


def visible_accounts_of(rows: Iterable[SegmentMembership], user: AnyUser) -> dict[int, str]:
    """Return id -> name of the accounts of member contacts, where the user may see the account (1 query).

    A contact can be visible by its own owner while its account is not.
    """
    ids = {row.contact.account_id for row in rows if row.contact is not None and row.contact.account_id is not None}
    return visible_accounts(ids, user)


def visible_accounts(ids: Iterable[int], user: AnyUser) -> dict[int, str]:
    """Return id -> name of those accounts that the user may see (1 query, none for no id)."""
    wanted = list(ids)
    return dict(accounts_visible_to(user).filter(pk__in=wanted).values_list("pk", "name")) if wanted else {}


def visible_member_count(segment: Segment, user: AnyUser) -> int:
    """Return how many members the user may see: the kept count, or 1 query for those who see a part."""
    if sees_every_record(user):
        return segment.member_count
    return memberships_visible_to(segment, user).count()


def overrides_visible_to(segment: Segment, user: AnyUser) -> QuerySet[SegmentOverride]:
    """Return what people decided by hand about records that the user may see."""
    rows = SegmentOverride.objects.filter(segment=segment).select_related("account", "contact", "by")
    visible = records_visible_to(segment.member_type, user)
    return (
        rows.filter(account__in=visible)
        if segment.member_type == MemberType.ACCOUNT
        else rows.filter(contact__in=visible)
    )


def segments_of(record_type: str, record_id: int) -> QuerySet[SegmentMembership]:
    """Return the memberships of one account or contact in segments that are in use (1 query)."""
    rows = SegmentMembership.objects.select_related("segment").exclude(segment__status=SegmentStatus.ARCHIVED)
    rows = rows.filter(account=record_id) if record_type == MemberType.ACCOUNT else rows.filter(contact=record_id)
    return rows.order_by("segment__name")


def recent_runs(segment: Segment, limit: int = 10) -> list[SegmentRun]:
    """Return the latest runs, newest first, without their bitmaps (1 query)."""
    return list(segment.runs.defer("entered", "left").order_by("-id")[:limit])


# --- Which segments a rule reads ---


def references_in(node: Any) -> Iterator[str | int]:
    """Yield the slugs and ids of the segments that a stored rule refers to."""
    if isinstance(node, list):
        for item in node:
            yield from references_in(item)
    elif isinstance(node, dict):
        field = node.get("field")
        if isinstance(field, str) and (field == "segment" or field.endswith(".segment")):
            value = node.get("value")
            values = value if isinstance(value, list) else [value]
            for item in values:
                reference = item.get("segment") if isinstance(item, dict) else item
                if isinstance(reference, str | int):
                    yield reference
            return
        for value in node.values():
            yield from references_in(value)


class SegmentGraph:
    """Which segment reads which: built from all stored rules and parents (1 query).

    The parts of partitions and the groups of splits name in their rules what they read.
    """

    def __init__(self) -> None:
        used = Segment.objects.exclude(status=SegmentStatus.ARCHIVED)
        rows = list(used.values_list("pk", "slug", "rules", "parent_id"))
        ids = {pk for pk, *_ in rows}
        by_slug = {slug: pk for pk, slug, *_ in rows}
        self.names: dict[int, str] = {pk: slug for pk, slug, *_ in rows}
        self.reads: dict[int, set[int]] = {}
        self.read_by: dict[int, set[int]] = defaultdict(set)
        for pk, _, rules, parent in rows:
            targets = {by_slug.get(ref) if isinstance(ref, str) else ref for ref in references_in(rules)} | {parent}
            self.reads[pk] = {target for target in targets if target in ids and target != pk}  # type: ignore[misc]
            for target in self.reads[pk]:
                self.read_by[target].add(pk)

    def dependants(self, segment_id: int) -> set[int]:
        """Return every segment that reads this one, directly or through others."""
        found: set[int] = set()
        waiting = [segment_id]
        while waiting:
            for reader in self.read_by[waiting.pop()]:
                if reader not in found:
                    found.add(reader)
                    waiting.append(reader)
        found.discard(segment_id)
        return found

    def in_order(self, segment_ids: Iterable[int]) -> list[int]:
        """Return the segments so that each comes after those it reads; a cycle is cut, never endless."""
        wanted = set(segment_ids)
        ordered: list[int] = []
        seen: set[int] = set()

        def visit(pk: int) -> None:
            if pk in seen:
                return
            seen.add(pk)
            for target in sorted(self.reads.get(pk, ())):
                if target in wanted:
                    visit(target)
            ordered.append(pk)

        for pk in sorted(wanted):
            visit(pk)
        return ordered


def division_of(segment: Segment) -> Partition | Split | None:
    """Return the partition or split that the segment is a part of, None for other segments (up to 2 queries)."""
    part = PartitionPart.objects.select_related("partition").filter(segment=segment.pk).first()
    if part is not None:
        return part.partition
    group = SplitGroup.objects.select_related("split").filter(segment=segment.pk).first()
    return None if group is None else group.split


# --- What a segment's page shows ---


@dataclass(frozen=True)
class Movement:
    """How many records that the viewer may see entered and left since a moment."""

    entered: int
    left: int


def movement_since(segment: Segment, user: AnyUser, since: datetime) -> Movement:
    """Return who came and went since the moment (1 query; 2 and the bitmaps for those who see a part)."""
    runs = segment.runs.filter(started_at__gte=since, error="")
    if sees_every_record(user):
        sums = runs.aggregate(entered=Sum("entered_count"), left=Sum("left_count"))
        return Movement(sums["entered"] or 0, sums["left"] or 0)
    visible = BitMap(records_visible_to(segment.member_type, user).values_list("pk", flat=True))
    entered = left = 0
    for came, went in runs.values_list("entered", "left"):
        entered += len(BitMap.deserialize(bytes(came)) & visible)
        left += len(BitMap.deserialize(bytes(went)) & visible)
    return Movement(entered, left)


def active_job(segment: Segment) -> Job | None:
    """Return the job that computes the segment's members now, or the last one where it failed (1 query)."""
    jobs = Job.objects.filter(kind="segment.rebuild", key=f"segment:{segment.pk}").order_by("-id")
    latest = list(jobs[:3])
    running = next((job for job in latest if job.is_active), None)
    if running is not None:
        return running
    return latest[0] if latest and latest[0].state == JobState.FAILED else None
