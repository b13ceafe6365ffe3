"""The registry of rule fields and value types. It holds declarations, no SQL."""

from .definitions import (
    Choice,
    Column,
    Computed,
    CustomValue,
    FieldDef,
    RecordDef,
    Registry,
    RegistryError,
    RelatedValues,
    RelationDef,
    ValueRows,
    registry,
)

__all__ = [
    "Choice",
    "Column",
    "Computed",
    "CustomValue",
    "FieldDef",
    "RecordDef",
    "Registry",
    "RegistryError",
    "RelatedValues",
    "RelationDef",
    "ValueRows",
    "registry",
]
