"""Verdicts: what an atom compiles to, and its two renderings.

An atom is tests on the member's own row and tests on rows related to it, joined by and, or, not. As part of one query
a test on rows is an `Exists` for the given record; as a whole set it is a query on the related table alone, grouped
by the owner's key, whose keys become a bitmap (DESIGN §4: measured 75 ms against 1,500 ms).
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from django.db.models import BooleanField, Exists, F, OuterRef, Q, QuerySet, Subquery, Value, Window
from django.db.models.functions import RowNumber
from pyroaring import BitMap

from .keys import KeyAmong, KeySource, MovedSource, StoodIn


@dataclass(frozen=True)
class Own:
    """A test on the record's own row, its to-one records included: TRUE or FALSE, never NULL."""

    q: Q


@dataclass(frozen=True)
class Rows:
    """Holds where such a row, or such a group of rows of one owner, exists.

    key: the path of the owner's key in the query of the record; owner: its column in `rows`. guard: a test on the
    record's own row that must hold besides. figures and having: aggregates over the owner's rows and the test on them.
    pick: an order; only the owner's first row in it counts, and must meet `picked`.
    """

    key: str
    rows: QuerySet[Any]
    owner: str
    guard: Q = field(default_factory=Q)
    figures: dict[str, Any] = field(default_factory=dict)
    having: Q | None = None
    pick: tuple[Any, ...] = ()
    picked: Q = field(default_factory=Q)

    def as_q(self) -> Q:
        """Return the test for one record: a correlated Exists."""
        rows = self.rows.filter(Q((self.owner, OuterRef(self.key))))
        if self.pick:
            first = self.rows.filter(Q((self.owner, OuterRef(self.owner)))).order_by(*self.pick)
            rows = rows.filter(Q(("pk", Subquery(first.values("pk")[:1]))), self.picked)
        return self.guard & Q(Exists(self._grouped(rows)))

    def owner_keys(self) -> QuerySet[Any]:
        """Return the keys of all owners for which it holds: a query on the related table alone."""
        rows = self.rows
        if self.pick:
            rank = Window(RowNumber(), partition_by=[F(self.owner)], order_by=list(self.pick))
            firsts = rows.annotate(rank_of_row=rank).filter(rank_of_row=1).values("pk")
            rows = rows.model._default_manager.filter(Q(("pk__in", firsts)), self.picked)
        rows = self._grouped(rows.filter(Q((f"{self.owner}__isnull", False))).order_by())
        return rows if self.having is not None else rows.values(self.owner).distinct()

    def _grouped(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        if self.having is None:
            return rows
        grouped = rows.order_by().values(self.owner).annotate(**self.figures)
        return grouped.filter(self.having).values(self.owner)


@dataclass(frozen=True)
class All:
    """Every part holds."""

    parts: tuple["Verdict", ...]


@dataclass(frozen=True)
class Any_:
    """Some part holds."""

    parts: tuple["Verdict", ...]


@dataclass(frozen=True)
class Not:
    """The part does not hold."""

    part: "Verdict"


@dataclass(frozen=True)
class Known:
    """Holds for the records whose key a source gives; it is asked when the query is rendered.

    key: the path of the key in the query of the record. guard: a test on the record's own row that must hold besides.
    """

    key: str
    source: KeySource
    guard: Q = field(default_factory=Q)

    def as_q(self) -> Q:
        """Return the test for one record."""
        return self.guard & Q(KeyAmong(F(self.key), self.source))


@dataclass(frozen=True)
class Standing:
    """Stored membership, put right for those who moved after as_of; the source gives them and who was in then."""

    stored: Rows
    source: MovedSource

    def as_q(self) -> Q:
        """Return the test for one record."""
        rows = self.stored.rows.filter(Q((self.stored.owner, OuterRef(self.stored.key))))
        return self.stored.guard & Q(StoodIn(Exists(rows), self.stored.key, self.source))


Verdict = Own | Rows | Known | Standing | All | Any_ | Not


def constant(truth: bool) -> Own:
    """Return the verdict that always or never holds."""
    return Own(Q(Value(truth, output_field=BooleanField())))


def guarded(verdict: Verdict, guard: Q) -> Verdict:
    """Return the verdict with a further test on the record's own row."""
    if not guard:
        return verdict
    match verdict:
        case Own(q):
            return Own(guard & q)
        case Rows():
            return replace(verdict, guard=guard & verdict.guard)
    return All((Own(guard), verdict))


def as_q(verdict: Verdict) -> Q:
    """Return the verdict as one test of the record's query."""
    match verdict:
        case Own(q):
            return q
        case Rows() | Known() | Standing():
            return verdict.as_q()
        case Not(part):
            return ~as_q(part)
        case All(parts):
            return Q(*map(as_q, parts))
        case Any_(parts):
            return Q(*map(as_q, parts), _connector=Q.OR)
    raise TypeError(verdict)


def as_bitmap(verdict: Verdict, universe: BitMap, fetch: "Fetch") -> BitMap:
    """Return the keys in the universe for which the verdict holds (1 query for each test)."""
    match verdict:
        case Own(q):
            return fetch.own(q) & universe
        case Rows():
            return fetch.rows(verdict) & universe
        case Known():
            return fetch.known(verdict) & universe
        case Standing():
            return fetch.standing(verdict) & universe
        case Not(part):
            return universe - as_bitmap(part, universe, fetch)
        case All(parts):
            found = universe
            for part in parts:
                found = found & as_bitmap(part, universe, fetch)
            return found
        case Any_(parts):
            return BitMap.union(BitMap(), *(as_bitmap(part, universe, fetch) for part in parts))
    raise TypeError(verdict)


@dataclass(frozen=True)
class Fetch:
    """How tests become bitmaps: the members' queryset, and the function that reads keys."""

    members: QuerySet[Any]
    keys: Callable[[QuerySet[Any]], BitMap]

    def own(self, q: Q) -> BitMap:
        """Return the members whose own row meets the test (1 query)."""
        return self.keys(self.members.filter(q).values("pk"))

    def rows(self, rows: Rows) -> BitMap:
        """Return the keys of owners, through the members where the rows hang on a to-one record (1 query)."""
        if rows.key == "pk" and not rows.guard:
            return self.keys(rows.owner_keys())
        return self.keys(self.members.filter(rows.guard, Q((f"{rows.key}__in", rows.owner_keys()))).values("pk"))

    def known(self, known: Known) -> BitMap:
        """Return the members of known keys (the queries of the source; 1 more where they hang on a to-one record)."""
        if known.key == "pk" and not known.guard:
            return known.source()
        return self.own(known.as_q())

    def standing(self, verdict: Standing) -> BitMap:
        """Return the members who were in at as_of (1 query where nobody moved since)."""
        moved, inside = verdict.source()
        if not moved:
            return self.rows(verdict.stored)
        if verdict.stored.key == "pk" and not verdict.stored.guard:
            return (self.rows(verdict.stored) - moved) | inside
        return self.own(verdict.as_q())
