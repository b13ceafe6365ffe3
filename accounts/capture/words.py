"""What a change row says in words: old and new value of each column, cut to 100 characters, as SQL that makes JSON.

Words tell people why a member came or went. No verdict rests on them.
"""

from dataclasses import dataclass
from typing import Any

from segmentation_crm.common.fields import registry

from .sources import CUSTOM_VALUES, VALUE_ROWS, Source

LONGEST = 100
# A new or deleted record of these says so itself; of others one column tells what it was.
_KNOWN_BY_THEMSELVES = ("account", "contact", "opportunity")
_TELLING = {"accounts_consent": "status", "accounts_opportunitycontact": "role"}
# It changes with every save and explains nothing.
_SILENT = frozenset({"updated_at"})
_VALUE = "COALESCE(NULLIF({row}token, ''), CAST({row}term_id AS {text}), CAST({row}code_id AS {text}))"
_CUSTOM = (
    "COALESCE(NULLIF({row}text, ''), CAST({row}number AS {text}), CAST({row}boolean AS {text}), "
    "CAST({row}date AS {text}), CAST({row}moment AS {text}))"
)


@dataclass(frozen=True)
class Word:
    """One value of a row in words.

    name: what people and `Change.field` call it; of value rows SQL over {row} (by_row). column: what is compared.
    shown: SQL over {row} for what is shown. columns: all that the SQL reads. whole: told of new and deleted rows too.
    """

    name: str
    column: str
    shown: str
    columns: tuple[str, ...]
    whole: bool = False
    by_row: bool = False

    def postgresql(self, old: str, new: str) -> str:
        """Return the JSON object for a new or deleted row ("NULL" stands for the side that is not there)."""
        row = f"{new if old == 'NULL' else old}."
        sides = ", ".join("NULL" if side == "NULL" else self._postgresql_shown(f"{side}.") for side in (old, new))
        name = self.name.replace("{row}", row).replace("{text}", "text") if self.by_row else f"'{self.name}'"
        return f"jsonb_build_object({name}, jsonb_build_array({sides}))"

    def postgresql_pair(self) -> str:
        """Return name and value for an object over the joined rows (o_…, n_…), NULL where the value is the same."""
        sides = ", ".join(self._postgresql_shown(row) for row in ("o_", "n_"))
        column = self.column
        return f"'{self.name}', CASE WHEN o_{column} IS DISTINCT FROM n_{column} THEN jsonb_build_array({sides}) END"

    def postgresql_flat(self) -> str:
        """Return the JSON object of a value row over the joined rows."""
        sides = ", ".join(self._postgresql_shown(row) for row in ("o_", "n_"))
        name = " , ".join(self.name.replace("{row}", row).replace("{text}", "text") for row in ("n_", "o_"))
        return f"jsonb_build_object(COALESCE({name}), jsonb_build_array({sides}))"

    def _postgresql_shown(self, row: str) -> str:
        return f"left(({self.shown.replace('{row}', row).replace('{text}', 'text')})::text, {LONGEST})"

    def sqlite(self, old: str, new: str) -> str:
        """Return the text `"name":[old,new],` for a new or deleted row."""
        row = f"{new if old == 'NULL' else old}."
        name = self.name.replace("{row}", row).replace("{text}", "TEXT") if self.by_row else f"'{self.name}'"
        sides = ", ".join("NULL" if side == "NULL" else self._sqlite_shown(f"{side}.") for side in (old, new))
        return f"json_quote({name}) || ':' || json_array({sides}) || ','"

    def sqlite_changed(self) -> str:
        """Return the text of a changed row, "" where this value is the same."""
        said = self.sqlite("OLD", "NEW")
        if self.by_row:
            return said
        return f"CASE WHEN OLD.{self.column} IS NOT NEW.{self.column} THEN {said} ELSE '' END"

    def _sqlite_shown(self, row: str) -> str:
        return f"substr({self.shown.replace('{row}', row).replace('{text}', 'TEXT')}, 1, {LONGEST})"


def words_of(source: Source) -> tuple[Word, ...]:
    """Return the words for rows of a table; none for rows that only accompany a record's own columns."""
    if source.kinds:
        return ()
    if source.model in VALUE_ROWS.values():
        return (Word("{row}field", "token", _VALUE, ("field", "token", "term_id", "code_id"), whole=True, by_row=True),)
    if source.model in CUSTOM_VALUES.values():
        columns = ("definition_id", "text", "number", "boolean", "date", "moment")
        return (Word("'custom:' || {row}definition_id", "text", _CUSTOM, columns, whole=True, by_row=True),)
    telling = _telling(source)
    found = []
    for column in sorted(source.columns - _SILENT):
        shown = _shown(source.model, column)
        found.append(Word(shown, column, f"{{row}}{shown}", (column, shown), whole=shown == telling))
    return tuple(found)


def _telling(source: Source) -> str:
    """Return the column that says what a new or deleted row was, "" for none."""
    if source.record in _KNOWN_BY_THEMSELVES:
        return ""
    if source.record:
        field: Any = source.model._meta.get_field(registry.records[source.record].name_column)
        return str(field.column)
    return _TELLING.get(source.table, "")


def _shown(model: Any, column: str) -> str:
    """Return the column whose value people know: the text of a folded shadow."""
    base = column.removesuffix("_folded")
    return base if base != column and any(f.column == base for f in model._meta.concrete_fields) else column
