"""The list of segments."""

from collections.abc import Sequence
from typing import Any

import django_filters
from django.db.models import Count, QuerySet

from accounts.filters.making import PersonFilter
from accounts.lists.facets import person_facet
from segmentation_crm.common.access import AnyUser
from segmentation_crm.common.lists import Cell, Column, Facet, ListDefinition, badge, link, of_enum, text, when
from segmentation_crm.common.templatetags.crm import count_of

from .choices import MemberType, SegmentKind, SegmentStatus, SegmentUse
from .filters import SegmentFilter
from .models import Segment, SegmentMembership
from .queries import records_visible_to, sees_every_record, segments_visible_to
from .sentences import sentence_for

TONES = {SegmentStatus.ACTIVE: "ok", SegmentStatus.BROKEN: "bad"}
SENTENCE = 220
# Memberships that a page counts for who sees a part of the records, smallest segments first; 0.1 s or so.
MOST_COUNTED = 50_000


class SegmentListFilter(SegmentFilter):
    """The filters of the page: archived segments only where asked for, and an order."""

    kind = django_filters.MultipleChoiceFilter(choices=SegmentKind.choices)
    owner = PersonFilter(field_name="owner_id", label="Owner")
    ordering = django_filters.OrderingFilter(
        fields=[(name, name) for name in ("name", "member_count", "last_built_at", "created_at", "updated_at")]
    )

    def filter_queryset(self, queryset: "QuerySet[Segment]") -> "QuerySet[Segment]":
        """Leave archived segments out unless they are asked for."""
        found = super().filter_queryset(queryset)
        wanted = self.form.cleaned_data.get("status") or []
        return found if SegmentStatus.ARCHIVED in wanted else found.exclude(status=SegmentStatus.ARCHIVED)


FACETS = [
    Facet("member_type", "Members are", of_enum(MemberType), main=True),
    Facet("status", "Status", of_enum(SegmentStatus), main=True),
    Facet("kind_of_use", "Use", of_enum(SegmentUse), main=True),
    person_facet("owner", "Owner", main=True),
    Facet("kind", "Kind", of_enum(SegmentKind)),
]


class _Counts:
    """How many members of each segment the user sees: the kept counts, or 1 query a member type for who sees a part."""

    def __init__(self, user: AnyUser, rows: Sequence[Segment]) -> None:
        self.user, self.rows = user, rows
        self.found: dict[int, int] | None = None
        self.counted: dict[int, int] | None = None

    def shown(self, segment: Segment) -> str:
        """Return the words of the page: the largest segments are counted on their own pages."""
        if segment.last_built_at is None:
            return "not built yet"
        if self.counted is None:
            self.counted = self._read(self._few())
        count = self.counted.get(segment.pk)
        return "see the segment" if count is None else count_of(count, segment.member_type)

    def _few(self) -> list[Segment]:
        """Return the segments that a page has the time to count, by their kept counts (0 queries)."""
        if sees_every_record(self.user):
            return list(self.rows)
        found, members = [], 0
        for segment in sorted(self.rows, key=lambda row: row.member_count):
            members += segment.member_count
            if members <= MOST_COUNTED:
                found.append(segment)
        return found

    def of(self, segment: Segment) -> int | None:
        """Return the count, None for a segment that was never built."""
        if segment.last_built_at is None:
            return None
        if self.found is None:
            self.found = self._read(self.rows)
        return self.found.get(segment.pk, 0)

    def _read(self, rows: Sequence[Segment]) -> dict[int, int]:
        if sees_every_record(self.user):
            return {segment.pk: segment.member_count for segment in rows}
        found: dict[int, int] = {segment.pk: 0 for segment in rows}
        for kind in MemberType.values:
            ids = [segment.pk for segment in rows if segment.member_type == kind]
            if not ids:
                continue
            seen = SegmentMembership.objects.filter(
                **{"segment__in": ids, f"{kind}__in": records_visible_to(kind, self.user)}
            )
            found |= dict(seen.order_by().values("segment").annotate(n=Count("pk")).values_list("segment", "n"))
        return found


def columns(user: AnyUser, rows: Sequence[Any]) -> list[Column]:
    """Return the columns of segments (counts: up to 2 queries for all rows, when shown)."""
    counts, group = _Counts(user, rows), "Segment"

    def name(segment: Segment) -> Cell:
        sentence = sentence_for(segment, user)
        cut = sentence if len(sentence) <= SENTENCE else f"{sentence[:SENTENCE]}…"
        return link(segment.name, segment.get_absolute_url(), cut)

    def more(key: str, label: str, cell: Any, **more: Any) -> Column:
        return Column(key, label, cell, default=False, group=group, **more)

    return [
        Column("name", "Segment", name, "name", export=lambda s: s.name, group=group),
        Column(
            "member_count",
            "Members",
            lambda s: _members(s, counts),
            "member_count",
            numeric=True,
            group=group,
            export=counts.of,
        ),
        Column("member_type", "Members are", lambda s: text(s.get_member_type_display()), group=group),
        Column(
            "last_built_at", "Last built", lambda s: when(s.last_built_at), "last_built_at", numeric=True, group=group
        ),
        Column("status", "Status", _status, group=group),
        Column("owner", "Owner", lambda s: text(s.owner.display_name if s.owner else ""), group=group),
        more("kind_of_use", "Use", lambda s: text(s.get_kind_of_use_display())),
        more("kind", "Kind", lambda s: text(s.get_kind_display())),
        more("description", "Description", lambda s: text(s.description)),
        more("sentence", "Rule", lambda s: text(sentence_for(s, user))),
        more("last_error", "What is wrong", lambda s: text(s.last_error)),
        more("slug", "Slug", lambda s: text(s.slug)),
        more("created_at", "Made", lambda s: when(s.created_at), sort="created_at", numeric=True),
        more("updated_at", "Changed", lambda s: when(s.updated_at), sort="updated_at", numeric=True),
    ]


def _members(segment: Segment, counts: _Counts) -> Cell:
    return text(counts.shown(segment))


def _status(segment: Segment) -> Cell:
    if segment.status == SegmentStatus.ACTIVE and segment.is_stale:
        return badge("Being built", "info")
    return badge(segment.get_status_display(), TONES.get(SegmentStatus(segment.status), ""))


LIST = ListDefinition(
    key="segment",
    label="Segments",
    unit="segment",
    unit_plural="segments",
    url_name="segments:list",
    base=segments_visible_to,
    filterset=SegmentListFilter,
    columns=columns,
    facets=FACETS,
    ordering="name",
    search_label="Search names and sentences",
)
