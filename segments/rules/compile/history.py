"""History: what a field was before as_of, from the rows of FieldHistory (RULES §4, §5.5)."""

from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import FieldHistory, Stage
from segmentation_crm.common.fields import FieldDef

from ..clock import Clock
from ..nodes import Condition
from . import scalars
from .places import Place
from .verdicts import All, Not, Rows, Verdict


def compile_history(node: Condition, at: Place, clock: Clock) -> Verdict:
    """Return the verdict of has_ever_been, has_been or changed_in_last; rows from as_of on do not exist yet."""
    field = node.ref.field
    rows = history_rows(field, clock)
    match node.operator:
        case "has_ever_been":
            return _holds(rows.filter(_value_in(field, node.value)), at)
        case "has_been":
            return _has_been(field, rows, node.value, at, clock)
        case "changed_in_last":
            return _changed(rows, node.value, at, clock)
    raise ValueError(f"No history operator {node.operator}")


def history_rows(field: FieldDef, clock: Clock) -> QuerySet[Any]:
    """Return the rows of a field's history that begin before as_of (lazy)."""
    rows = FieldHistory.objects.filter(record_type=field.record, field=field.history)
    return rows.filter(valid_from__lt=clock.as_of).order_by()


def _holds(rows: QuerySet[Any], at: Place) -> Rows:
    return Rows(at.key, rows, "record_id", guard=at.guard())


def _value_in(field: FieldDef, value: Any) -> Q:
    wanted = list(scalars.listed(value))
    if field.type == "reference":
        # History keeps a stage's slug, which stays when the stage is renamed.
        return Q(value__in=Stage.objects.filter(pk__in=wanted).order_by().values("slug"))
    return Q(value__in=[str(one) for one in wanted])


def _has_been(field: FieldDef, rows: QuerySet[Any], operand: Any, at: Place, clock: Clock) -> Verdict:
    """Hold where rows of the value cover all the time from local midnight n units back up to as_of."""
    held = rows.filter(_value_in(field, operand.value))
    start = clock.start_of(clock.back(operand.duration))
    if start is None:
        return _holds(held.none(), at)
    covers_start = held.filter(Q(valid_to__isnull=True) | Q(valid_to__gt=start), valid_from__lte=start)
    continued = held.filter(
        Q(valid_to__isnull=True) | Q(valid_to__gt=OuterRef("valid_to")),
        record_id=OuterRef("record_id"),
        valid_from__lte=OuterRef("valid_to"),
    )
    breaks = held.filter(~Q(Exists(continued)), valid_to__gt=start, valid_to__lt=clock.as_of)
    return All((_holds(covers_start, at), Not(_holds(breaks, at))))


def _changed(rows: QuerySet[Any], duration: Any, at: Place, clock: Clock) -> Verdict:
    """Hold where a value begins in the window and is not the one that the record was made with.

    Only values are kept from the making on: a first row that the trigger wrote later is a change from empty.
    """
    start = clock.start_of(clock.back(duration))
    begun = rows if start is None else rows.filter(valid_from__gte=start)
    earlier = rows.filter(record_id=OuterRef("record_id"), valid_from__lt=OuterRef("valid_from"))
    from_empty = Q(source="trigger", is_reconstructed=False)
    return _holds(begun.filter(Q(Exists(earlier)) | from_empty), at)
