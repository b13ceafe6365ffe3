"""Everything settled before the first row is written: table, mapping, key, reading."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from segmentation_crm.common.access import can

from .custom_fields import create_fields
from .mapping import ColumnMapping, all_targets, choose_key, map_columns
from .options import ImportOptions
from .problems import MappingRefused
from .reader import Table, open_table
from .scan import Scan, scan
from .targets import Target
from .types import ImportType, import_type

# Columns that only somebody with this capability may write (RELIABILITY R20).
_GUARDED = {"owner": "records.delete", "sdr": "records.delete"}


@dataclass
class Plan:
    """A file with its settled mapping."""

    type: ImportType
    table: Table
    headings: list[str]
    mapping: ColumnMapping
    key: tuple[str, ...]
    scan: Scan
    options: ImportOptions

    @property
    def unmapped(self) -> list[str]:
        """Return the headings of the columns that go nowhere."""
        return [self.headings[index] for index in self.mapping.unmapped]

    def chosen(self) -> dict[str, str]:
        """Return column -> target, as it is remembered; "" for a column left out."""
        found = dict.fromkeys(self.headings, "")
        for index, target in self.mapping.targets.items():
            found[self.headings[index]] = target.key
        return found


def allowed_targets(type_: ImportType, user: Any) -> dict[str, Target]:
    """Return the targets that the user may write; without a user (command line) all (1 query)."""
    found = all_targets(type_)
    if user is None:
        return found
    return {key: target for key, target in found.items() if key not in _GUARDED or can(user, _GUARDED[key])}


def make_plan(path: Path, name: str, options: ImportOptions, *, user: Any = None) -> Plan:
    """Open the file, map its columns and read it once; with `create_fields` the custom fields are made.

    Raises FileRefused or MappingRefused with words.
    """
    type_ = import_type(options.type)
    if user is not None and not can(user, type_.capability):
        raise MappingRefused(f"Your role may not import {type_.label.lower()}.", code="not_permitted")
    if options.create_fields and type_.custom_model is None:
        raise MappingRefused(f"{type_.label} have no custom fields; leave --create-fields out.", code="bad_option")
    table = open_table(path, name, encoding=options.encoding, delimiter=options.delimiter, sheet=options.sheet)
    headings = table.headings()
    offered = allowed_targets(type_, user)
    mapping = map_columns(type_, headings, options.map, guess=options.guess, allowed=offered)
    found = scan(
        table,
        mapping,
        nulls=frozenset(options.nulls),
        decimal=options.decimal,
        date_order=options.date_order,
        type_columns=options.create_fields,
    )
    for index in found.withdrawn:
        del mapping.targets[index]
        mapping.guessed.discard(index)
        mapping.unmapped = sorted({*mapping.unmapped, index})
    if options.create_fields:
        _add_custom_fields(type_, headings, mapping, found)
    key = choose_key(type_, mapping, options.key)
    return Plan(type_, table, headings, mapping, key, found, options)


def _add_custom_fields(type_: ImportType, headings: list[str], mapping: ColumnMapping, found: Scan) -> None:
    columns = {headings[index]: kind for index, kind in found.new_types.items()}
    by_heading = create_fields(type_, columns)
    orders = dict(found.reading.date_order)
    for index in list(found.new_types):
        target = by_heading[headings[index]]
        if target.key in mapping.keys:
            continue
        mapping.targets[index] = target
        mapping.unmapped.remove(index)
        orders[target.key] = orders.pop(f"column {index}", "")
    found.reading = replace(found.reading, date_order=orders)
