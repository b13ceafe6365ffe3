"""The related rows behind a node: how many matched, a few of them by name, and the figure over them.

A row is shown only where its account is visible to the viewer, else it is counted as hidden; a figure is shown only
where none of its rows is hidden (RULES §5.9).
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Avg, Count, F, Max, Min, Q, QuerySet, Sum
from django.urls import reverse

from accounts.queries import accounts_visible_to, contacts_visible_to, opportunities_visible_to
from segmentation_crm.common.access import AnyUser
from segmentation_crm.common.fields import registry
from segmentation_crm.common.templatetags.crm import exact_date, fraction, number

from ..rules.clock import Clock
from ..rules.compile import compile_node, member_place, members
from ..rules.compile.aggregates import value_of
from ..rules.compile.places import model_of
from ..rules.compile.relations import RelationRows, relation_rows
from ..rules.compile.verdicts import as_q
from ..rules.nodes import Aggregate, FieldRef, Group, Node, Related
from .words import NOTHING, labels_of, value_words

SHOWN = 5
PAGES = {
    "account": ("accounts:account_detail", accounts_visible_to),
    "contact": ("accounts:contact_detail", contacts_visible_to),
    "opportunity": ("accounts:opportunity_detail", opportunities_visible_to),
}
_FIGURES = {"sum": Sum, "avg": Avg, "min": Min, "max": Max}


@dataclass(frozen=True)
class Row:
    """One related row in words; url: its page, "" where it has none that the viewer may open."""

    id: int
    words: str
    url: str = ""


@dataclass(frozen=True)
class RowEvidence:
    """What a node found among the related rows. hidden: matched rows that the viewer may not see."""

    count: int
    total: int
    hidden: int
    shown: tuple[Row, ...] = ()
    figure: str = ""

    @property
    def more(self) -> int:
        """Return how many more rows the viewer may see."""
        return self.count - self.hidden - len(self.shown)


class RowReader:
    """Reads the related rows of one member, as one viewer may see them."""

    def __init__(self, member_type: str, key: int, user: AnyUser, clock: Clock) -> None:
        self.member_type, self.key, self.user, self.clock = member_type, key, user, clock
        self.place = member_place(member_type)

    def of(self, node: Related | Aggregate) -> RowEvidence:
        """Return the rows behind a node (4 to 7 queries)."""
        found, rows = self._rows(node)
        if rows is None:
            return RowEvidence(0, 0, 0)
        base = rows
        if isinstance(node, Aggregate) and isinstance(node.of, Group):
            base = rows.filter(self._inner(node.of, found))
        group = node.group if isinstance(node, Related) else node.where
        matched = base if group is None else base.filter(self._inner(group, found))
        count = matched.count()
        visible = matched.filter(self._seen(found))
        hidden = count - visible.count() if count else 0
        total = base.count() if group is not None else count
        figure = ""
        if isinstance(node, Aggregate):
            every_row_seen = (
                not hidden and not base.exclude(pk__in=base.filter(self._seen(found)).values("pk")).exists()
            )
            figure = self._figure(node, found, matched, count, total) if every_row_seen else "not shown to you"
        return RowEvidence(count, total, hidden, self._named(visible, found), figure)

    def count_inside(self, owner: Related | Aggregate, node: Node) -> int | None:
        """Return for how many of the owner's rows an inner node holds (1 query)."""
        found, rows = self._rows(owner)
        return 0 if rows is None else rows.filter(self._inner(node, found)).count()

    def _rows(self, node: Related | Aggregate) -> tuple[RelationRows, QuerySet[Any] | None]:
        found = relation_rows(node.ref, self.place, self.clock)
        own = members(self.member_type, self.clock).filter(pk=self.key).filter(found.outer.guard())
        owner = own.values_list(found.outer.key, flat=True).first()
        return found, None if owner is None else found.rows.filter(Q((found.owner, owner)))

    def _inner(self, node: Node, found: RelationRows) -> Q:
        return as_q(compile_node(node, found.inner, self.clock))

    def _seen(self, found: RelationRows) -> Q:
        """Return the test that a row's account is visible; of one without account, that its contact is."""
        base = "__".join(found.inner.path)
        record = found.relation.record
        accounts = accounts_visible_to(self.user).order_by().values("pk")
        if record == "account":
            return Q((f"{base}__in" if base else "pk__in", accounts))
        model = model_of(record)
        names = {field.name for field in model._meta.get_fields()}

        def path(*steps: str) -> str:
            return "__".join([*([base] if base else []), *steps])

        if "account" not in names:
            return Q((path("opportunity", "account", "in"), accounts))
        seen = Q((path("account", "in"), accounts))
        if "contact" in names:
            contacts = contacts_visible_to(self.user).order_by().values("pk")
            seen |= Q((path("account", "isnull"), True), (path("contact", "in"), contacts))
        return seen

    def _named(self, rows: QuerySet[Any], found: RelationRows) -> tuple[Row, ...]:
        """Return the latest rows in words (up to 3 queries)."""
        day = F("__".join((*found.inner.path, found.relation.order_by)))
        key = found.inner.key
        keys = list(rows.order_by(day.desc(nulls_last=True), F(key).desc()).values_list(key, flat=True)[:SHOWN])
        if not keys:
            return ()
        record = found.relation.record
        records = model_of(record)._default_manager.in_bulk(keys)
        page, visible = PAGES.get(record, ("", None))
        open_keys = set(visible(self.user).filter(pk__in=keys).values_list("pk", flat=True)) if visible else set()
        return tuple(
            Row(pk, row_words(records[pk], found), reverse(page, args=[pk]) if pk in open_keys else "")
            for pk in keys
            if pk in records
        )

    # --- figures ---
    def _figure(self, node: Aggregate, found: RelationRows, rows: QuerySet[Any], count: int, total: int) -> str:
        """Return the figure in words (up to 2 queries)."""
        if node.function == "count":
            return number(count)
        if node.function == "ratio":
            return f"{fraction(count / total)} ({count:,} of {total:,})" if total else NOTHING
        if node.function == "days_since_last":
            return self._days_since(found, rows)
        assert isinstance(node.of, FieldRef)
        value = value_of(node.of, found.inner, self.clock)
        if node.function == "count_distinct":
            return number(rows.aggregate(figure=Count(value, distinct=True))["figure"])
        if node.function in ("first", "last"):
            day = F("__".join((*found.inner.path, found.relation.order_by)))
            key = F(found.inner.key)
            order = (day.asc(nulls_last=True), key.asc()) if node.function == "first" else (
                day.desc(nulls_last=True), key.desc())  # fmt: skip
            picked = rows.annotate(figure=value).order_by(*order).values_list("figure", flat=True).first()
        else:
            picked = rows.order_by().aggregate(figure=_FIGURES[node.function](value))["figure"]
        if picked is None and node.function == "sum":
            picked = 0
        labels = labels_of([(node.of.field, picked)], self.user).get(node.of.field.target, {})
        return value_words(node.of.field, picked, labels)

    def _days_since(self, found: RelationRows, rows: QuerySet[Any]) -> str:
        latest = rows.order_by().aggregate(d=Max("__".join((*found.inner.path, found.relation.order_by))))["d"]
        if latest is None:
            return NOTHING
        day = self.clock.day_of(latest) if isinstance(latest, datetime) else latest
        days = (self.clock.today - day).days
        return f"{days:,} day{'' if days == 1 else 's'}"


def row_words(record: Any, found: RelationRows) -> str:
    """Return a related row in a few words: its name and the date it is ordered by (0 queries, or 1 for a reference)."""
    kind = registry.records[found.relation.record]
    name = getattr(record, f"get_{kind.name_column}_display", None)
    words = str(name() if callable(name) else record) or f"{kind.singular} {record.pk}"
    moment = getattr(record, found.relation.order_by, None)
    dated = isinstance(moment, date) and found.relation.order_by != "created_at"
    return f"{words}, {exact_date(moment)}" if dated else words


__all__ = ["Row", "RowEvidence", "RowReader"]
