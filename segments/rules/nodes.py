"""The nodes of a validated rule: what `validate` returns and `compile`, `describe` and bitmaps read.

All names are resolved and all values cleaned: references and trees hold ids, texts are as typed, numbers are int or
Decimal, dates are `DateOperand`s. `path` is the node's place in the raw JSON, a tuple of keys and indices.
"""

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from segmentation_crm.common.fields import FieldDef, RelationDef

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Duration:
    """n units back or ahead; 1 to 36,500 days or the equal."""

    n: int
    unit: str  # day, week, month, quarter, year


@dataclass(frozen=True)
class DateOperand:
    """A point in time as written: exactly one of the attributes is set."""

    date: dt.date | None = None
    datetime: dt.datetime | None = None
    today: bool = False
    ago: Duration | None = None
    ahead: Duration | None = None


@dataclass(frozen=True)
class HasBeen:
    """The operand of has_been: the value held, and for how long without a break."""

    value: Any
    duration: Duration


@dataclass(frozen=True)
class CountTest:
    """The operand of a multi field's count: a number operator and its value."""

    operator: str
    value: int | Decimal | tuple[Any, ...]


@dataclass(frozen=True)
class FieldRef:
    """A field as reached from a node's own record: the to-one hops (foreign-key names), then the field."""

    field: FieldDef
    hops: tuple[str, ...] = ()
    key: str = ""  # as written, after aliases


@dataclass(frozen=True)
class RelationRef:
    """A relation as reached from a node's own record: the to-one hops, then the relation."""

    relation: RelationDef
    hops: tuple[str, ...] = ()
    key: str = ""


@dataclass(frozen=True)
class Group:
    """and / or of its rules, perhaps negated; never empty."""

    path: Path
    combinator: str
    rules: tuple["Node", ...]
    negated: bool = False


@dataclass(frozen=True)
class Condition:
    """One field compared. value: by operator; None for is_empty, is_set, is_true, is_false.

    labels: id -> words of reference and tree values, for the sentence.
    """

    path: Path
    ref: FieldRef
    operator: str
    value: Any = None
    labels: dict[Any, str] = field(default_factory=dict, compare=False, hash=False)


@dataclass(frozen=True)
class Related:
    """How many related rows satisfy the group: some, none, all, at_least, at_most, exactly."""

    path: Path
    ref: RelationRef
    mode: str
    threshold: int | None = None
    group: Group | None = None


@dataclass(frozen=True)
class Aggregate:
    """A figure over related rows, compared.

    function: count, count_distinct, sum, avg, min, max, first, last, days_since_last, ratio. of: the field (None for
    count and days_since_last), of ratio the group of the denominator. result_type: a type of `fields.definitions`.
    """

    path: Path
    ref: RelationRef
    function: str
    of: FieldRef | Group | None
    where: Group | None
    operator: str
    value: Any
    result_type: str
    labels: dict[Any, str] = field(default_factory=dict, compare=False, hash=False)


@dataclass(frozen=True)
class SegmentTest:
    """Membership of other segments. hops lead to the record whose segments are meant (account.segment).

    within: the window of entered_in_last and left_in_last; at: the moment of was_in_at; both name one segment.
    """

    path: Path
    operator: str  # in, not_in, entered_in_last, left_in_last, was_in_at
    segment_ids: tuple[int, ...]
    hops: tuple[str, ...] = ()
    record: str = ""
    labels: dict[Any, str] = field(default_factory=dict, compare=False, hash=False)
    within: Duration | None = None
    at: DateOperand | None = None


Node = Group | Condition | Related | Aggregate | SegmentTest


@dataclass(frozen=True)
class Rule:
    """A validated rule. canonical: the normalised JSON that is stored; digest: its hash."""

    member_type: str
    root: Group
    canonical: dict[str, Any]
    digest: str


@dataclass(frozen=True)
class RuleError:
    """One thing wrong with a rule, at its path, in words that say what would be right."""

    path: Path
    field: str
    code: str
    message: str

    def as_dict(self) -> dict[str, Any]:
        """Return the error as the API sends it."""
        return {"path": list(self.path), "field": self.field, "code": self.code, "message": self.message}


class InvalidRule(Exception):
    """A rule that does not validate; `errors` holds every error found."""

    def __init__(self, errors: list[RuleError]) -> None:
        super().__init__("; ".join(e.message for e in errors))
        self.errors = errors
