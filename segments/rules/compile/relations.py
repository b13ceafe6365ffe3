"""The rows of a relation: live, there at as_of, each related record once."""

from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db.models import Exists, OuterRef, Q, QuerySet

from segmentation_crm.common.fields import RelationDef

from ..clock import Clock
from ..nodes import RelationRef
from .places import Link, Place, happened, live, model_of, record_def
from .verdicts import Rows


@dataclass(frozen=True)
class RelationRows:
    """The rows of a relation as reached from a place; `inner` is the place of the related record in them."""

    rows: QuerySet[Any]
    owner: str
    inner: Place
    outer: Place
    relation: RelationDef

    def test(self, q: Q | None = None, **options: Any) -> Rows:
        """Return the verdict that such a row (or group of rows, by `figures` and `having`) exists."""
        rows = self.rows.filter(q) if q is not None else self.rows
        return Rows(self.outer.key, rows, self.owner, guard=self.outer.guard(), **options)


def relation_rows(ref: RelationRef, place: Place, clock: Clock) -> RelationRows:
    """Return the rows of the relation (lazy)."""
    relation = ref.relation
    outer = place.hop(ref.hops, relation.owner)
    record = record_def(relation.record)
    if relation.through is None:
        model = model_of(relation.record)
        rows = model._default_manager.filter(live(record)).filter(happened(record, clock)).order_by()
        return RelationRows(rows, relation.owner_column, Place(model, relation.record), outer, relation)
    label, owner, related = relation.through
    model = apps.get_model(label)
    base = related.removesuffix("_id")
    # Two people may be tied more than once (two roles, two employments): the related record counts once.
    earlier = model._default_manager.filter(
        Q((owner, OuterRef(owner))), Q((related, OuterRef(related))), pk__lt=OuterRef("pk")
    )
    rows = model._default_manager.filter(~Q(Exists(earlier)))
    rows = rows.filter(live(record, base)).filter(happened(record, clock, base)).order_by()
    inner = Place(model, relation.record, base=(base,), link=Link(model, owner, related))
    return RelationRows(rows, owner, inner, outer, relation)
