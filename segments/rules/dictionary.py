"""docs/data-dictionary.md, rendered from the registry and the operator tables."""

from collections.abc import Iterable

from segmentation_crm.common.fields import Computed, FieldDef, RelatedValues, registry

from .operators import BY_TYPE, FUNCTIONS, HISTORY, MODES, Operator

_INTRO = """# Data dictionary

Every record, relation and field that rules can read, written by `manage.py data_dictionary` from the declarations in
`accounts/fields/`; a test fails when the two differ. Keys are the names that rules, the API and imports use; they are
stable for ever. Custom fields stand beside these as `<record>.custom.<key>`.

The name or code of a value may be sent instead of its id: users by username, codes by code, accounts by domain or
exact name, contacts by e-mail address, words of a vocabulary by slug or name.
"""
_ABOUT_SOURCES = """Stored fields of accounts and contacts also have `<key>.source` (text, the system that the value
came from), `<key>.source_type` (enum: primary, secondary) and `<key>.age_days` (integer, days since the value was
observed). They are marked with ● below.
"""
_DERIVED = (".source", ".source_type", ".age_days")


def data_dictionary() -> str:
    """Return the page as Markdown (0 queries)."""
    fields = registry.fields(custom=False)
    parts = [_INTRO, _operators(), _relations(), "## Fields\n", _ABOUT_SOURCES]
    for record in registry.records.values():
        own = [field for field in fields if field.record == record.prefix]
        sourced = {field.key.removesuffix(".source") for field in own if field.name.endswith(".source")}
        parts.append(f"### {record.plural[:1].upper()}{record.plural[1:]} (`{record.prefix}.`)\n")
        parts.append(_fields((f for f in own if not f.name.endswith(_DERIVED)), sourced))
    extra = [(relation, field) for relation in registry.relations.values() for field in relation.extra]
    parts.append("### Only inside a relation\n")
    parts.append("".join(f"Inside `{relation.key}`:\n\n{_fields([field], set())}" for relation, field in extra))
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def _names(operators: Iterable[Operator]) -> str:
    return ", ".join(f"`{operator.name}`" for operator in operators)


def _operators() -> str:
    by_names: dict[str, list[str]] = {}
    for type_name, table in BY_TYPE.items():
        by_names.setdefault(_names(table.values()), []).append(type_name)
    rows = [(", ".join(types), names) for names, types in by_names.items()]
    rows.append(("besides, where history is kept", _names(HISTORY.values())))
    modes = ", ".join(f"`{mode}`" for mode in MODES)
    functions = ", ".join(f"`{function}`" for function in FUNCTIONS)
    return (
        "## Operators by type\n\n"
        + _table(("type", "operators"), rows)
        + f"\nRelated rows match by {modes}; figures over them are {functions}.\n"
    )


def _relations() -> str:
    rows = [
        (f"`{key}`", relation.record, relation.label, f"`{relation.order_by}`", _event(relation.record))
        for key, relation in registry.relations.items()
    ]
    return "## Relations\n\n" + _table(("key", "rows are", "label", "first and last by", "event time"), rows)


def _event(record: str) -> str:
    event = registry.records[record].event_time
    return f"`{event[0]}`" if event else ""


def _fields(fields: Iterable[FieldDef], sourced: set[str]) -> str:
    rows = [
        (
            f"`{field.key}`" + (" ●" if field.key in sourced else ""),
            field.label,
            _type(field),
            field.family.replace("_", " "),
            _notes(field),
        )
        for field in fields
    ]
    return _table(("key", "label", "type", "method", "values and meaning"), rows)


def _type(field: FieldDef) -> str:
    name = f"multi of {field.item}" if field.item else field.type
    return f"{name} → {field.target}" if field.target else name


def _notes(field: FieldDef) -> str:
    notes = []
    if 0 < len(field.choices) <= 40:
        notes.append(", ".join(f"`{choice.value}`" for choice in field.choices))
    elif field.choices:
        notes.append(f"{len(field.choices):,} tokens")
    if field.help:
        notes.append(field.help)
    if field.history:
        notes.append("history is kept")
    if isinstance(field.source, Computed | RelatedValues):
        notes.append("computed")
    if field.everyday:
        notes.append("shown first")
    return "; ".join(notes)
