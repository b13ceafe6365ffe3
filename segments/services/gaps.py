"""Whom missing data decide, for one viewer: the line on a segment's page, the worklist, its file."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pyroaring import BitMap

from segmentation_crm.common.access import AnyUser
from segmentation_crm.common.fields import FieldDef, registry

from ..models import Segment
from ..queries import records_visible_to, sees_every_record
from ..rules.bitmaps import Evaluator, read_keys
from ..rules.clock import Clock
from ..rules.deadline import SECONDS, limited
from ..rules.keyed import KeyedEvaluator
from ..rules.nodes import Rule
from ..rules.undecided import Gap, Undecided, find_undecided
from ..rules.validate import validate


@dataclass(frozen=True)
class GapWords:
    """A field in words, and how many undecided records lack it, and are settled by it alone."""

    key: str
    label: str
    missing: int
    settles: int


@dataclass(frozen=True)
class RowGaps:
    """What one undecided record lacks, and which of that would settle it alone: labels, sorted."""

    missing: tuple[str, ...]
    settles: tuple[str, ...]


def rule_of(segment: Segment) -> Rule | None:
    """Return the segment's rule, None for one without (a query or a few).

    Raises InvalidRule where it no longer validates.
    """
    if not segment.rules:
        return None
    return validate(segment.rules, segment.member_type, segment_id=segment.pk)


def undecided_for(rule: Rule, user: AnyUser, *, seconds: float = SECONDS) -> Undecided:
    """Return whom missing data decide among the records that the user sees (a query or two for each atom and field).

    Raises RuleTooExpensive after so many seconds.
    """
    clock = Clock.at()
    with limited(seconds) as deadline:
        evaluator = Evaluator(rule.member_type, clock, deadline=deadline)
        within = None
        if not sees_every_record(user):
            within = read_keys(records_visible_to(rule.member_type, user).order_by().values("pk"))
        return find_undecided(rule, evaluator, within)


def undecided_among(rule: Rule, keys: Iterable[int]) -> Undecided:
    """Return whom missing data decide among a few given records (a short query for each atom and field)."""
    return find_undecided(rule, KeyedEvaluator(rule.member_type, Clock.at(), keys))


def gap_words(found: Undecided, member_type: str) -> list[GapWords]:
    """Return the fields that are missing, the one that settles most first (0 queries)."""
    return [
        GapWords(gap.unknown.key, field_label(gap.unknown.key, gap.unknown.field, member_type), *_counts(gap))
        for gap in found.gaps
    ]


def _counts(gap: Gap) -> tuple[int, int]:
    return len(gap.missing), len(gap.settles)


def field_label(key: str, definition: FieldDef, member_type: str) -> str:
    """Return a field's label; of a field on another record with that record before it: "Account: Employees"."""
    if definition.record == member_type and key == definition.key:
        return definition.label
    owner = "Parent account" if ".parent." in key else registry.records[definition.record].singular.capitalize()
    return f"{owner}: {definition.label}"


def lacking(found: Undecided, field: str) -> BitMap:
    """Return the undecided records that lack a field; all of them where none is named, none where it is unknown."""
    if not field:
        return found.keys
    return next((gap.missing for gap in found.gaps if gap.unknown.key == field), BitMap())


def row_gaps(found: Undecided, member_type: str, rows: Sequence[Any]) -> dict[int, RowGaps]:
    """Return what each of the rows lacks, by key (0 queries)."""
    labels = [(gap, field_label(gap.unknown.key, gap.unknown.field, member_type)) for gap in found.gaps]
    labels.sort(key=lambda entry: entry[1])
    return {
        row.pk: RowGaps(
            tuple(label for gap, label in labels if row.pk in gap.missing),
            tuple(label for gap, label in labels if row.pk in gap.settles),
        )
        for row in rows
    }


__all__ = [
    "GapWords",
    "RowGaps",
    "field_label",
    "gap_words",
    "lacking",
    "row_gaps",
    "rule_of",
    "undecided_among",
    "undecided_for",
]
