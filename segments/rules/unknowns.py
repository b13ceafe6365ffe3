"""The unknowns of a rule: the fields of a record, or of one it points to, that a person or file could fill in.

What a rule asks of the same field hangs together: a number of employees settles band and size class with it. So an
unknown holds all conditions that its value decides, and they are judged together. Conditions inside related groups,
figures, histories and what the system computes from other rows are facts, never unknown.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db.models import CheckConstraint, Field, Model, Q

from accounts.services.bands import employee_band, revenue_band, size_class
from segmentation_crm.common.fields import Column, Computed, CustomValue, FieldDef, ValueRows, registry

from .clock import Clock
from .nodes import Condition, FieldRef, Group, Node
from .operators import HISTORY

# Field -> the field that it is computed from. A band is also stated by itself, where the figure is not known.
FOLLOWS = {
    "account.size_class": "account.employee_count",
    "account.age_years": "account.founded_year",
    "account.employee_band": "account.employee_count",
    "account.revenue_band": "account.annual_revenue",
}
BANDS = {"account.employee_count": "account.employee_band", "account.annual_revenue": "account.revenue_band"}
STATED = frozenset(BANDS.values())


@dataclass(frozen=True)
class Unknown:
    """A field with every condition that its value decides.

    key: as rules write it. ref: the way to it. band: the field that bounds the figure, None for all but figures with
    bands. asks_band: whether a condition reads that band.
    """

    key: str
    ref: FieldRef
    conditions: tuple[Condition, ...]
    band: FieldRef | None = None

    @property
    def field(self) -> FieldDef:
        """Return the declaration of the field."""
        return self.ref.field

    @property
    def asks_band(self) -> bool:
        """Tell whether a condition reads the band."""
        return self.band is not None and any(c.ref.field.key == self.band.field.key for c in self.conditions)

    def is_empty(self) -> Condition:
        """Return the condition that the field has no value."""
        return Condition((), self.ref, "is_empty")


def own_conditions(node: Node) -> Iterator[Condition]:
    """Yield the conditions on the member's own row and its to-one records, in the rule's order."""
    if isinstance(node, Group):
        for rule in node.rules:
            yield from own_conditions(rule)
    elif isinstance(node, Condition):
        yield node


@dataclass
class _Found:
    ref: FieldRef
    conditions: list[Condition] = field(default_factory=list)


def unknowns_of(root: Node, *, everything: bool = False) -> list[Unknown]:
    """Return what could be unknown in a rule, in its order (0 queries).

    everything: also fields whose emptiness is no gap (tags, a closing date), as somebody may still fill them, and a
    band always by its figure.
    """
    conditions = [c for c in own_conditions(root) if c.operator not in HISTORY]
    asked = {(c.ref.field.key, c.ref.hops) for c in conditions}
    found: dict[tuple[str, tuple[str, ...]], _Found] = {}
    for condition in conditions:
        ref = _base(condition.ref, asked, follow_always=everything)
        if ref is None or not (everything or is_gap(ref.field)):
            continue
        found.setdefault((ref.field.key, ref.hops), _Found(ref)).conditions.append(condition)
    return [Unknown(one.ref.key, one.ref, tuple(one.conditions), _band(one.ref)) for one in found.values()]


def is_gap(definition: FieldDef) -> bool:
    """Tell whether the field, when empty, lacks a value that exists in the world."""
    return definition.empty == "unknown"


def _base(ref: FieldRef, asked: set[tuple[str, tuple[str, ...]]], *, follow_always: bool) -> FieldRef | None:
    """Return the field that decides a condition, None where nobody fills it in."""
    base = FOLLOWS.get(ref.field.key)
    if base is not None and ref.field.key in STATED and not follow_always:
        figures = [base, *(key for key, follows in FOLLOWS.items() if follows == base and key not in STATED)]
        if not any((key, ref.hops) in asked for key in figures):
            base = None
    if base is not None:
        definition = registry.field(base)
        assert definition is not None
        return _sibling(ref, definition)
    return ref if _is_filled_in(ref.field) else None


def _sibling(ref: FieldRef, definition: FieldDef) -> FieldRef:
    """Return another field of the same record, with its key as the rule would write it."""
    prefix = ref.key.removesuffix(ref.field.name)
    return FieldRef(definition, ref.hops, f"{prefix}{definition.name}")


def _band(ref: FieldRef) -> FieldRef | None:
    key = BANDS.get(ref.field.key)
    definition = registry.field(key) if key else None
    return _sibling(ref, definition) if definition else None


def _is_filled_in(definition: FieldDef) -> bool:
    if isinstance(definition.source, ValueRows | CustomValue):
        return True
    if isinstance(definition.source, Computed) and definition.source.name == "via":
        return False
    column = column_of(definition)
    return column is not None and column.editable


def column_of(definition: FieldDef) -> "Field[Any, Any] | None":
    """Return the model's column of a field, None for one that is no column."""
    if not isinstance(definition.source, Column):
        return None
    return model_of(definition)._meta.get_field(definition.source.name)  # type: ignore[return-value]


def model_of(definition: FieldDef) -> type[Model]:
    """Return the model of the record that holds the field."""
    return apps.get_model(registry.records[definition.record].model)


def limits(definition: FieldDef) -> tuple[int | None, int | None]:
    """Return the least and greatest number that the column takes, None where there is no limit."""
    column = column_of(definition)
    if column is None or definition.type == "money":
        return None, None
    low = [v.limit_value for v in column.validators if getattr(v, "code", "") == "min_value"]  # type: ignore[attr-defined]
    high = [v.limit_value for v in column.validators if getattr(v, "code", "") == "max_value"]  # type: ignore[attr-defined]
    for constraint in model_of(definition)._meta.constraints:
        if isinstance(constraint, CheckConstraint):
            for name, value in _leaves(constraint.condition):
                low += [value] if name == f"{column.name}__gte" else []
                high += [value] if name == f"{column.name}__lte" else []
    return (max(low) if low else None), (min(high) if high else None)


def _leaves(condition: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(condition, Q):
        for child in condition.children:
            yield from _leaves(child)
    elif isinstance(condition, tuple):
        yield condition


def followed(definition: FieldDef, base: FieldDef, value: Any, band: str, clock: Clock) -> Any:
    """Return what a field holds where the one it follows from holds `value` and a band is stated as `band`."""
    if definition.key == base.key:
        return value
    match definition.key:
        case "account.age_years":
            return None if value is None else clock.today.year - value
        case "account.size_class":
            return size_class(value, dict(clock.size_limits))
        case "account.employee_band":
            return band if value is None else employee_band(value)
        case "account.revenue_band":
            return band if value is None else revenue_band(value)
    raise ValueError(f"{definition.key} does not follow from {base.key}")


__all__ = ["BANDS", "Unknown", "column_of", "followed", "is_gap", "limits", "model_of", "own_conditions", "unknowns_of"]
