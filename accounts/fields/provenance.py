"""Where a value comes from, readable as `<field>.source` and `<field>.age_days` (GLOSSARY §2)."""

from collections.abc import Iterable

from accounts.choices import SourceType
from segmentation_crm.common.fields import Column, Computed, FieldDef, ValueRows

from .making import DATA, choices_of

_RECORDS = frozenset({"account", "contact"})
# What the system itself keeps has no source of its own.
_KEPT = frozenset(
    {
        "owner",
        "sdr",
        "tags",
        "account",
        "source",
        "created_at",
        "updated_at",
        "data_completeness_pct",
        "tier_source",
        "is_hierarchy_root",
        "ultimate_parent",
        "group_employee_count",
        "group_revenue",
    }
)


def fields_about(fields: Iterable[FieldDef]) -> list[FieldDef]:
    """Return source, source type and age of every stored field of accounts and contacts."""
    found: list[FieldDef] = []
    for field in fields:
        if field.record not in _RECORDS or field.name in _KEPT or field.name.startswith("became_"):
            continue
        if isinstance(field.source, Column | ValueRows):
            found.extend(_about(field))
    return found


def _about(field: FieldDef) -> list[FieldDef]:
    noun = field.phrase if field.phrase and "|" not in field.phrase else field.label.lower()
    return [
        FieldDef(
            f"{field.key}.source",
            f"{field.label}: source",
            "text",
            Computed("provenance", (field.name, "source_system")),
            DATA,
            "identity",
            help="The system that the value came from",
            phrase=f"source of the {noun}",
        ),
        FieldDef(
            f"{field.key}.source_type",
            f"{field.label}: source type",
            "enum",
            Computed("provenance", (field.name, "source_type")),
            DATA,
            "identity",
            choices=choices_of(SourceType),
            help="Asked by ourselves (primary) or read elsewhere (secondary)",
            phrase=f"source type of the {noun}",
        ),
        FieldDef(
            f"{field.key}.age_days",
            f"{field.label}: age in days",
            "integer",
            Computed("provenance_age", (field.name,)),
            DATA,
            "identity",
            help="Days since the value was observed",
            phrase=f"age in days of the {noun}",
            wakes="daily",
        ),
    ]
