"""The worklist of undecided records as a list that exports: for each segment one, `undecided:<segment id>`."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import django_filters
from django.db.models import QuerySet
from django.urls import reverse

from segmentation_crm.common.access import AnyUser
from segmentation_crm.common.lists import Column, ListDefinition, link, text

from .choices import MemberType
from .models import Segment
from .queries import records_visible_to, segments_visible_to
from .rules.evaluate import restricted
from .rules.nodes import InvalidRule, Rule
from .services.gaps import RowGaps, lacking, row_gaps, rule_of, undecided_among, undecided_for

FAMILY = "undecided"
JOB_SECONDS = 120.0
NAME = {MemberType.ACCOUNT: "name_folded", MemberType.CONTACT: "full_name_folded"}


def worklist_of(reference: str) -> ListDefinition | None:
    """Return the list of the undecided records of a segment by id, None where there is no such segment (1 query)."""
    segment = Segment.objects.filter(pk=int(reference)).first() if reference.isdecimal() else None
    return None if segment is None else _definition(segment)


def _definition(segment: Segment) -> ListDefinition:
    class Filter(django_filters.FilterSet):
        """Undecided records only, perhaps those that lack one field."""

        field = django_filters.CharFilter(method="by_field", label="Missing field")
        ordering = django_filters.OrderingFilter(fields=[(NAME[MemberType(segment.member_type)], "name")])

        def by_field(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
            return rows

        def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
            rule = _working_rule(segment)
            rows = super().filter_queryset(queryset)
            if rule is None or not segments_visible_to(self.request.user).filter(pk=segment.pk).exists():
                return rows.none()
            found = undecided_for(rule, self.request.user, seconds=JOB_SECONDS)
            return restricted(rows, lacking(found, self.form.cleaned_data.get("field") or ""))

    return ListDefinition(
        key=f"{FAMILY}:{segment.pk}",
        label=f"Undecided of {segment.name}"[:200],
        unit=segment.member_type,
        unit_plural=f"{segment.member_type}s",
        url_name="segments:list",
        base=lambda user: records_visible_to(segment.member_type, user).select_related("owner"),
        filterset=Filter,
        columns=lambda user, rows: columns(segment, user, rows),
        facets=(),
        ordering="name",
    )


def _working_rule(segment: Segment) -> Rule | None:
    try:
        return rule_of(segment)
    except InvalidRule:
        return None


class _Gaps:
    """What rows lack, read for all of them when the first cell asks."""

    def __init__(self, segment: Segment, rows: Sequence[Any]) -> None:
        self.segment, self.rows = segment, rows

    @cached_property
    def found(self) -> dict[int, RowGaps]:
        """Return what each row lacks (a short query for each atom of the rule)."""
        rule = _working_rule(self.segment)
        if rule is None or not self.rows:
            return {}
        found = undecided_among(rule, [row.pk for row in self.rows])
        return row_gaps(found, self.segment.member_type, self.rows)

    def missing(self, row: Any) -> str:
        """Return the labels of the missing fields."""
        return ", ".join(self.found[row.pk].missing) if row.pk in self.found else ""

    def settles(self, row: Any) -> str:
        """Return the labels of the fields that alone would settle the row."""
        return ", ".join(self.found[row.pk].settles) if row.pk in self.found else ""


def columns(segment: Segment, user: AnyUser, rows: Sequence[Any]) -> list[Column]:
    """Return the columns of the worklist (a short query for each atom, for all rows together)."""
    gaps = _Gaps(segment, rows)
    is_account = segment.member_type == MemberType.ACCOUNT
    code = "domain" if is_account else "email"
    return [
        Column("id", "Id", lambda r: text(str(r.pk)), export=lambda r: r.pk),
        Column(
            "name",
            "Name",
            lambda r: link(str(r), reverse(f"accounts:{segment.member_type}_detail", args=[r.pk])),
            export=str,
        ),
        Column(
            code, "Web domain" if is_account else "E-mail", lambda r: text(getattr(r, code)), personal=not is_account
        ),
        Column("owner", "Owner", lambda r: text(r.owner.display_name if r.owner else "")),
        Column("missing", "Missing", lambda r: text(gaps.missing(r)), export=gaps.missing),
        Column("settles", "Settled by one of", lambda r: text(gaps.settles(r)), export=gaps.settles),
    ]


__all__ = ["FAMILY", "NAME", "worklist_of"]
