"""Multi fields: sets of values kept in rows."""

from typing import Any

from django.db.models import Count, F, Q

from segmentation_crm.common.fields import FieldDef
from segmentation_crm.common.folding import fold
from segments.rules.operators import BY_TYPE

from ..clock import Clock
from ..nodes import CountTest
from . import scalars, sources
from .places import Place
from .sources import ManyValues
from .verdicts import All, Not, Rows, Verdict


def compile_multi(field: FieldDef, operator: str, value: Any, at: Place, clock: Clock) -> Verdict:
    """Return the verdict of a positive operator over the set of values.

    count: the number of different values; FALSE where there is none, whatever the number asked for.
    """
    found = sources.find(at, field, clock)
    if not isinstance(found, ManyValues):
        raise TypeError(f"{field.key}: a multi field needs rows of values")
    filled = found.rows.filter(scalars.is_set(field.item, found.value))

    def rows(test: Q) -> Rows:
        return Rows(at.key, filled.filter(test), found.owner, guard=at.guard())

    if operator == "is_set":
        return rows(Q())
    if operator == "count":
        return _count(value, found, filled, at)
    wanted = [fold(v) if field.item == "text" else v for v in scalars.listed(value)]
    if operator == "any_of":
        return rows(scalars.one_of(found.value, wanted))
    if operator == "all_of":
        return All(tuple(rows(scalars.one_of(found.value, [one])) for one in wanted))
    if operator == "only_of":
        return All((rows(Q()), Not(rows(~scalars.one_of(found.value, wanted)))))
    raise ValueError(f"No multi operator {operator}")


def _count(test: CountTest, found: ManyValues, filled: Any, at: Place) -> Verdict:
    # The number tests are those of integers, negative ones included.
    operator = BY_TYPE["integer"][test.operator]
    number = F("figure")

    def rows(having: Q) -> Rows:
        figures = {"figure": Count(found.value, distinct=True)}
        return Rows(at.key, filled, found.owner, guard=at.guard(), figures=figures, having=having)

    meets = scalars.number(number, operator.positive, test.value)
    # Only those with a value have rows: count is a positive operator and FALSE on empty (RULES §5.1).
    return rows(~meets if operator.negative else meets)
