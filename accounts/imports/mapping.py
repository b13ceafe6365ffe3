"""Which column goes to which target: what the user said, then guesses by name."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ..models import Import
from .custom_fields import custom_targets, snake_case
from .error_file import REASON_COLUMNS
from .problems import MappingRefused
from .targets import Target
from .types import ROW_KEY, ImportType


@dataclass
class ColumnMapping:
    """Column index -> target; which of them were guessed; columns that go nowhere."""

    targets: dict[int, Target] = field(default_factory=dict)
    guessed: set[int] = field(default_factory=set)
    unmapped: list[int] = field(default_factory=list)
    left_out: set[int] = field(default_factory=set)

    def column_of(self, key: str) -> int | None:
        """Return the index of the column that is mapped to the target of this key."""
        return next((index for index, target in self.targets.items() if target.key == key), None)

    @property
    def keys(self) -> set[str]:
        """Return the keys of the mapped targets."""
        return {target.key for target in self.targets.values()}


def check_headings(headings: list[str]) -> None:
    """Refuse headings that are empty, equal, or differ only in blanks.

    Raises MappingRefused naming them.
    """
    empty = [str(index) for index, heading in enumerate(headings, 1) if not heading]
    seen: dict[str, list[str]] = {}
    for heading in headings:
        seen.setdefault(re.sub(r"\s+", " ", heading).strip(), []).append(heading)
    equal = [name for name, found in seen.items() if name and len(found) > 1]
    words = []
    if empty:
        words.append(f"column {', '.join(empty)} has no heading")
    if equal:
        words.append(f"several columns are called {', '.join(equal)}")
    if words:
        raise MappingRefused(f"The headings cannot be mapped: {'; '.join(words)}.", code="bad_headings")


def parse_map(pairs: Iterable[str]) -> dict[str, str]:
    """Return column -> target of "Column=target" words; a target of nothing leaves the column out.

    Raises MappingRefused.
    """
    found: dict[str, str] = {}
    for pair in pairs:
        column, sign, target = pair.rpartition("=")
        if not sign or not column.strip():
            raise MappingRefused(f'--map {pair!r}: write it as "Column=target".', code="bad_map")
        found[column.strip()] = target.strip()
    return found


def map_columns(
    import_type: ImportType,
    headings: list[str],
    wanted: Mapping[str, str],
    *,
    guess: bool = True,
    allowed: Mapping[str, Target] | None = None,
) -> ColumnMapping:
    """Map the columns: first as wanted, then by the names of what is left (1 query).

    Raises MappingRefused for unknown columns and targets and a target used twice.
    """
    check_headings(headings)
    offered = dict(allowed if allowed is not None else all_targets(import_type))
    mapping = ColumnMapping(left_out={i for i, heading in enumerate(headings) if heading in REASON_COLUMNS})
    for column, key in wanted.items():
        if column not in headings:
            raise MappingRefused(
                f"There is no column {column!r}; the file has {', '.join(headings)}.", code="unknown_column"
            )
        index = headings.index(column)
        if not key:
            mapping.left_out.add(index)
            continue
        target = offered.get(key) or offered.get(key.removeprefix(f"{import_type.record_type}."))
        if target is None:
            raise MappingRefused(
                f"Column {column!r}: {key!r} is no field of {import_type.label.lower()}; use one of "
                f"{', '.join(sorted(offered))}.",
                code="unknown_target",
            )
        if target.key in mapping.keys:
            raise MappingRefused(f"Two columns are mapped to {target.key}.", code="target_twice")
        mapping.targets[index] = target
    if guess:
        _guess(mapping, headings, offered)
    mapping.unmapped = [
        index for index in range(len(headings)) if index not in mapping.targets and index not in mapping.left_out
    ]
    return mapping


def all_targets(import_type: ImportType) -> dict[str, Target]:
    """Return all targets of the type, custom fields included (1 query)."""
    return {**import_type.targets(), **custom_targets(import_type)}


def _guess(mapping: ColumnMapping, headings: list[str], offered: Mapping[str, Target]) -> None:
    by_name: dict[str, Target] = {}
    for target in offered.values():
        for alias in target.aliases:
            by_name.setdefault(snake_case(alias), target)
    for target in offered.values():
        by_name[snake_case(target.key.removeprefix("custom."))] = target
    squeezed = {name.replace("_", ""): target for name, target in reversed(by_name.items())}
    names = {index: snake_case(heading) for index, heading in enumerate(headings)}
    # Exact names first, so that an alias never takes the place of a field's own name.
    for table, squeeze in ((by_name, False), (squeezed, True)):
        for own in (True, False):
            for index, name in names.items():
                found = table.get(name.replace("_", "") if squeeze else name)
                if found is None or index in mapping.targets or index in mapping.left_out:
                    continue
                target = found
                is_own = snake_case(target.key.removeprefix("custom.")) == name
                if is_own == own and target.key not in mapping.keys and not _clashes(target.key, mapping):
                    mapping.targets[index] = target
                    mapping.guessed.add(index)


def _clashes(key: str, mapping: ColumnMapping) -> bool:
    """Tell whether a guess would write what another column already writes."""
    pairs = (
        ("name", "first_name"),
        ("name", "last_name"),
        ("close_date", "closed_at"),
        ("close_date", "expected_close"),
    )
    mapped = mapping.keys
    return any((key == one and other in mapped) or (key == other and one in mapped) for one, other in pairs)


def choose_key(import_type: ImportType, mapping: ColumnMapping, wanted: str) -> tuple[str, ...]:
    """Return the key's targets: as wanted (several joined by +), else the type's default, else the whole row.

    Raises MappingRefused where the wanted key is not mapped.
    """
    mapped = mapping.keys
    if "name" in mapped and "first_name" in import_type.targets():
        mapped = mapped | {"first_name", "last_name"}
    if wanted:
        key = tuple(part.strip() for part in wanted.replace(",", "+").split("+") if part.strip())
        if key == ROW_KEY:
            return key
        missing = [part for part in key if part not in mapped]
        if missing:
            raise MappingRefused(f"The key {', '.join(missing)} is not mapped to a column.", code="unmapped_key")
        return key
    for key in import_type.keys:
        needed = [part for part in key if part != "account" or import_type.key not in ("contacts", "opportunities")]
        if all(part in mapped for part in needed):
            return key
    if import_type.required and import_type.key in ("accounts", "products"):
        raise MappingRefused(
            f"No column is mapped to {' or '.join('+'.join(k) for k in import_type.keys)}: rows could not be told "
            "apart.",
            code="no_key",
        )
    return ROW_KEY


def remembered(user_id: int | None, type_key: str, headings: list[str]) -> dict[str, str]:
    """Return the mapping this user chose last for the same headings of the same type (1 query)."""
    if user_id is None:
        return {}
    earlier = Import.objects.filter(created_by=user_id, type=type_key).exclude(mapping={}).order_by("-id")
    for headings_then, mapping in earlier.values_list("headings", "mapping")[:20]:
        if set(headings_then) == set(headings):
            return dict(mapping)
    return {}
