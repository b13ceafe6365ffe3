"""Reading what a rule reads of one record: the values of fields on it and on the records it points to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, F, When

from accounts.queries import accounts_visible_to, contacts_visible_to
from segmentation_crm.common.access import AnyUser
from segmentation_crm.common.fields import Column, CustomValue, FieldDef

from ..rules.clock import Clock
from ..rules.compile import member_place, members, scalars, sources
from ..rules.compile.places import Place
from ..rules.compile.sources import ManyValues
from ..rules.nodes import FieldRef

VISIBLE = {"account": accounts_visible_to, "contact": contacts_visible_to}
Way = tuple[str, tuple[str, ...]]


def way_of(ref: FieldRef) -> Way:
    """Return what makes a field the same as another: its key and the way to it."""
    return ref.field.key, ref.hops


@dataclass(frozen=True)
class Held:
    """What one field holds. value: as the compiler compares it; shown: as people wrote it; at: key of its record."""

    ref: FieldRef
    value: Any
    shown: Any
    at: int | None


def read_fields(member_type: str, key: int, refs: Iterable[FieldRef], clock: Clock) -> dict[Way, Held]:
    """Return what the fields of a record hold, by way (1 query, and 1 for each multi field)."""
    wanted = {way_of(ref): ref for ref in refs}
    place = member_place(member_type)
    row, names = members(member_type, clock).filter(pk=key), {}
    for number, (way, ref) in enumerate(wanted.items()):
        at = place.hop(ref.hops, ref.field.record)
        names[way] = (f"value_{number}", f"shown_{number}", f"key_{number}")
        value, shown, where = names[way]
        row = row.annotate(**{where: F(at.key)})
        if ref.field.type != "multi":
            row = row.annotate(**{value: sources.expression(at, ref.field, clock), shown: _as_written(at, ref, clock)})
    columns = [n for way, (v, s, k) in names.items() for n in ([k] if wanted[way].field.type == "multi" else [v, s, k])]
    found = row.values(*columns).first() if columns else None
    held: dict[Way, Held] = {}
    for way, ref in wanted.items():
        value, shown, where = names[way]
        at_key = found[where] if found else None
        if ref.field.type == "multi":
            several = _several(place.hop(ref.hops, ref.field.record), ref.field, at_key, clock)
            held[way] = Held(ref, several, several, at_key)
        else:
            held[way] = Held(ref, found[value] if found else None, found[shown] if found else None, at_key)
    return held


def _as_written(at: Place, ref: FieldRef, clock: Clock) -> Any:
    """Return a text as it was written; rules compare its folded form."""
    definition = ref.field
    if definition.type == "text" and isinstance(definition.source, Column):
        column = at.column(definition.source.name)
        return Case(
            When(at.guard() & scalars.is_set("text", at.column(f"{definition.source.name}_folded")), then=column)
        )
    return sources.expression(at, definition, clock)


def _several(at: Place, definition: FieldDef, key: int | None, clock: Clock) -> frozenset[Any]:
    found = sources.find(at, definition, clock)
    if key is None or not isinstance(found, ManyValues):
        return frozenset()
    rows = found.rows.filter(**{found.owner: key}).filter(scalars.is_set(definition.item, found.value))
    return frozenset(rows.annotate(the_value=found.value).values_list("the_value", flat=True))


def hidden_records(held: Mapping[Way, Held], user: AnyUser) -> set[tuple[str, int]]:
    """Return the records on the way, such as a contact's account, that the user may not see (1 query a kind)."""
    ways: dict[str, set[int]] = {}
    for one in held.values():
        if one.ref.hops and one.at is not None and one.ref.field.record in VISIBLE:
            ways.setdefault(one.ref.field.record, set()).add(one.at)
    hidden: set[tuple[str, int]] = set()
    for record, keys in ways.items():
        seen = set(VISIBLE[record](user).filter(pk__in=keys).values_list("pk", flat=True))
        hidden |= {(record, key) for key in keys - seen}
    return hidden


def is_custom(definition: FieldDef) -> bool:
    """Tell whether the field is a custom one."""
    return isinstance(definition.source, CustomValue)


__all__ = ["VISIBLE", "Held", "Way", "hidden_records", "is_custom", "read_fields", "way_of"]
