"""The triggers of change capture, generated for the backend from what the registry reads.

PostgreSQL: one trigger a table and event, a statement at a time, over transition tables; one change row a statement,
its keys packed. SQLite: one trigger a table and event, a row at a time; one change row a row, and one more where a
foreign key moved. An update that leaves every column alone that rules read leaves nothing.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

from segmentation_crm.common.effective_time import TRIGGER_SQL
from segmentation_crm.common.triggers import Trigger

from ..models import FieldHistory
from . import references
from .references import REFERENCES, SETTINGS, Reference
from .sources import OWNERS, ROW, Collected, Source, collect
from .words import Word, words_of

# ruff: noqa: S608 (every name and template below comes from the models, nothing from users)
CHANGES = "accounts_changerow"
_COLUMNS = "source, event, count, keys, accounts, contacts, opportunities, words, at"
# Of a statement so many rows keep their words; the keys of all are kept.
MOST_WORDS = 500
_EVENTS = {"I": "INSERT", "U": "UPDATE", "D": "DELETE"}
_TRANSITIONS = {
    "I": "REFERENCING NEW TABLE AS made",
    "U": "REFERENCING OLD TABLE AS gone NEW TABLE AS made",
    "D": "REFERENCING OLD TABLE AS gone",
}


def capture_triggers(vendor: str) -> tuple[Trigger, ...]:
    """Return every trigger of change capture for a backend ("postgresql" or "sqlite")."""
    return _generated(vendor)


@cache
def collected() -> Collected:
    """Return all that the registry reads; it is frozen by the time anybody asks."""
    return collect()


@cache
def _generated(vendor: str) -> tuple[Trigger, ...]:
    made = _Postgresql() if vendor == "postgresql" else _Sqlite()
    found: list[Trigger] = []
    for source in collected().sources.values():
        found += made.data(source)
    for reference, columns in _referred():
        found += made.reference(reference, columns)
    return tuple(found)


def _referred() -> list[tuple[Reference, tuple[str, ...]]]:
    """Return the reference data that rules read and the columns whose change counts."""
    found = []
    kinds: dict[str, set[str]] = {}
    for target, names in collected().referred.items():
        kinds.setdefault(target.partition(":")[0], set()).update(names)
    chosen = [(REFERENCES[kind], names) for kind, names in sorted(kinds.items())]
    for reference, names in [*chosen, *((setting, set[str]()) for setting in SETTINGS.values())]:
        source = Source(references.model_of(reference))
        source.read(*reference.columns, *names)
        found.append((reference, tuple(sorted(source.columns))))
    return found


def _name(table: str, event: str) -> str:
    return f"crm_capture_{table}_{event}"


def _in(row: str, template: str) -> str:
    return template.replace(ROW, row)


def _counts(source: Source, row: str) -> str:
    """Return the test that rules read a row of this kind at all, "" where they read every row."""
    if not source.kinds:
        return ""
    return f"{row}.record_type IN ({', '.join(repr(kind) for kind in sorted(source.kinds))})"


def _differ(columns: Any, old: str, new: str, vendor: str) -> str:
    if vendor == "postgresql":
        left, right = (", ".join(f"{row}.{column}" for column in columns) for row in (old, new))
        return f"ROW({left}) IS DISTINCT FROM ROW({right})"
    return " OR ".join(f"{old}.{column} IS NOT {new}.{column}" for column in columns)


@dataclass(frozen=True)
class _Postgresql:
    moment = TRIGGER_SQL["postgresql"]

    def data(self, source: Source) -> list[Trigger]:
        table = source.table
        words = words_of(source)
        # History is written by the triggers of the record, whose own change row names it already; they write row by
        # row, and a statement's worth of capture for each would triple the cost of a bulk update.
        when = " WHEN (pg_trigger_depth() = 0)" if source.model is FieldHistory else ""
        bodies = {
            "I": self._whole(source, "I", "made", words),
            "U": self._updated(source, words),
            "D": self._whole(source, "D", "gone", words),
        }
        found = [
            Trigger(
                _name(table, _EVENTS[event].lower()),
                table,
                f"AFTER {_EVENTS[event]}",
                f"{_TRANSITIONS[event]} FOR EACH STATEMENT{when}",
                body,
            )
            for event, body in bodies.items()
        ]
        return [*found, self._emptied(table)]

    def _whole(self, source: Source, event: str, rows: str, words: tuple[Word, ...]) -> str:
        """Return the statement for rows that were made or deleted."""
        where = f" WHERE {counts}" if (counts := _counts(source, "r")) else ""
        said = [word for word in words if word.whole]
        texts = "NULL"
        if said:
            parts = [word.postgresql("NULL", "r") if event == "I" else word.postgresql("r", "NULL") for word in said]
            line = self._line(source, "r", " || ".join(parts))
            texts = f"(SELECT jsonb_agg({line})::text FROM (SELECT * FROM {rows} r{where} LIMIT {MOST_WORDS}) r)"
        values = [self._packed("r.id") if source.record else "NULL"]
        values += [self._packed(_in("r", source.owners[o])) if o in source.owners else "NULL" for o in OWNERS]
        return (
            f"INSERT INTO {CHANGES} ({_COLUMNS}) SELECT '{source.table}', '{event}', count(*), {', '.join(values)}, "
            f"{texts}, {self.moment} FROM {rows} r{where} HAVING count(*) > 0;"
        )

    def _updated(self, source: Source, words: tuple[Word, ...]) -> str:
        """Return the statement for rows that changed.

        A full join, because PostgreSQL can only hash or merge it: plans are kept for the session, and a nested loop
        planned for one row would take hours for a million. It finds rows too whose primary key changed.
        """
        columns = sorted(source.columns)
        used = {"id", *columns, *(column for word in words for column in word.columns)}
        used |= {"record_type", "record_id"} if source.kinds else set()
        picked = ", ".join(f"o.{c} AS o_{c}, n.{c} AS n_{c}" for c in sorted(used))
        tests = f"(o.id IS NULL OR n.id IS NULL OR {_differ(columns, 'o', 'n', 'postgresql')})"
        if source.kinds:
            tests += f" AND ({_counts(source, 'o')} OR {_counts(source, 'n')})"
        key = "COALESCE(n_id, o_id)"
        values = [self._packed(key) if source.record else "NULL"]
        for owner in OWNERS:
            if owner not in source.owners:
                values.append("NULL")
                continue
            new, old = (self._flat(source.owners[owner], row) for row in ("n", "o"))
            moved = f"string_agg({self._bytes(old)}, ''::bytea) FILTER (WHERE {old} IS DISTINCT FROM {new})"
            values.append(f"COALESCE({self._packed(new)}, ''::bytea) || COALESCE({moved}, ''::bytea)")
        texts = "NULL"
        if words:
            parts = " || ".join(self._chunks(words))
            owners = ", ".join(
                self._flat(source.owners[owner], "n") if owner in source.owners else "NULL" for owner in OWNERS
            )
            line = f"jsonb_build_array({key if source.record else 'NULL'}, {owners}, {parts})"
            texts = f"(jsonb_agg({line}) FILTER (WHERE nr <= {MOST_WORDS}))::text"
        return (
            f"INSERT INTO {CHANGES} ({_COLUMNS}) SELECT '{source.table}', 'U', count(*), {', '.join(values)}, {texts}, "
            f"{self.moment} FROM (SELECT row_number() OVER () AS nr, {picked} FROM gone o FULL JOIN made n "
            f"ON n.id = o.id WHERE {tests}) changed HAVING count(*) > 0;"
        )

    def _chunks(self, words: tuple[Word, ...]) -> list[str]:
        """Return the JSON of what changed, in parts: a function of PostgreSQL takes a hundred arguments at most."""
        plain = [word for word in words if not word.by_row]
        found = [word.postgresql_flat() for word in words if word.by_row]
        for start in range(0, len(plain), 45):
            pairs = ", ".join(word.postgresql_pair() for word in plain[start : start + 45])
            found.append(f"jsonb_strip_nulls(jsonb_build_object({pairs}))")
        return found

    def _line(self, source: Source, row: str, words: str) -> str:
        owners = ", ".join(_in(row, source.owners[o]) if o in source.owners else "NULL" for o in OWNERS)
        key = f"{row}.id" if source.record else "NULL"
        return f"jsonb_build_array({key}, {owners}, {words})"

    def _flat(self, template: str, row: str) -> str:
        """Return the SQL of a template over the joined rows, whose columns are named o_… and n_…."""
        return template.replace(f"{ROW}.", f"{row}_")

    def _bytes(self, key: str) -> str:
        # A key beyond 4 bytes, which rules refuse anyway, must not make the write fail.
        return f"int4send((CASE WHEN {key} <= 2147483647 THEN {key} END)::int4)"

    def _packed(self, key: str) -> str:
        return f"string_agg({self._bytes(key)}, ''::bytea)"

    def reference(self, reference: Reference, columns: tuple[str, ...]) -> list[Trigger]:
        table = references.model_of(reference)._meta.db_table
        joined = "gone o FULL JOIN made n ON n.id = o.id"
        changed = _differ(columns, "o", "n", "postgresql")
        if reference.unready:
            changed += f" AND NOT {_in('o', reference.unready)}"
        rows = {"I": "made n", "U": f"{joined} WHERE o.id IS NULL OR n.id IS NULL OR ({changed})", "D": "gone o"}
        sides = {"I": ("n",), "U": ("n", "o"), "D": ("o",)}
        found = []
        for event, source in rows.items():
            if event == "I" and not reference.from_start:
                continue
            body = (
                f"INSERT INTO {CHANGES} (source, event, count, at) "
                f"SELECT DISTINCT {reference.name_sql(*sides[event])}, 'R', 1, {self.moment} FROM {source};"
            )
            found.append(
                Trigger(
                    _name(table, _EVENTS[event].lower()),
                    table,
                    f"AFTER {_EVENTS[event]}",
                    f"{_TRANSITIONS[event]} FOR EACH STATEMENT",
                    body,
                )
            )
        return [*found, self._emptied(table)]

    def _emptied(self, table: str) -> Trigger:
        body = f"INSERT INTO {CHANGES} (source, event, count, at) VALUES ('{table}', 'T', 1, {self.moment});"
        return Trigger(_name(table, "truncate"), table, "AFTER TRUNCATE", "FOR EACH STATEMENT", body)


@dataclass(frozen=True)
class _Sqlite:
    moment = TRIGGER_SQL["sqlite"]

    def data(self, source: Source) -> list[Trigger]:
        table, words = source.table, words_of(source)
        said = [word for word in words if word.whole]
        columns = sorted(source.columns)
        when = {event: _counts(source, row) for event, row in (("I", "NEW"), ("D", "OLD"))}
        whole = {
            "I": self._insert(source, "I", "NEW", [word.sqlite("NULL", "NEW") for word in said]),
            "D": self._insert(source, "D", "OLD", [word.sqlite("OLD", "NULL") for word in said]),
        }
        found = [
            Trigger(
                _name(table, _EVENTS[event].lower()),
                table,
                f"AFTER {_EVENTS[event]}",
                "FOR EACH ROW" + (f" WHEN {when[event]}" if when[event] else ""),
                body,
            )
            for event, body in whole.items()
        ]
        changed = _differ(["id", *columns], "OLD", "NEW", "sqlite")
        if source.kinds:
            changed = f"({changed}) AND ({_counts(source, 'OLD')} OR {_counts(source, 'NEW')})"
        body = self._insert(source, "U", "NEW", [word.sqlite_changed() for word in words])
        keys = [f"{ROW}.id", *source.owners.values()]
        moved = " OR ".join(f"({_in('OLD', sql)}) IS NOT ({_in('NEW', sql)})" for sql in keys)
        body += " " + self._insert(source, "U", "OLD", [], f" WHERE {moved}")
        event = f"AFTER UPDATE OF {', '.join(['id', *columns])}"
        found.append(Trigger(_name(table, "update"), table, event, f"FOR EACH ROW WHEN {changed}", body))
        return found

    def _insert(self, source: Source, event: str, row: str, words: list[str], where: str = "") -> str:
        values = [f"{row}.id" if source.record else "NULL"]
        values += [_in(row, source.owners[o]) if o in source.owners else "NULL" for o in OWNERS]
        texts = " || ".join(words) or "NULL"
        return (
            f"INSERT INTO {CHANGES} ({_COLUMNS}) SELECT '{source.table}', '{event}', 1, {', '.join(values)}, {texts}, "
            f"{self.moment}{where};"
        )

    def reference(self, reference: Reference, columns: tuple[str, ...]) -> list[Trigger]:
        table = references.model_of(reference)._meta.db_table
        found = []
        for event, row in (("I", "NEW"), ("U", "NEW"), ("D", "OLD")):
            if event == "I" and not reference.from_start:
                continue
            what = f"AFTER {_EVENTS[event]}" + (f" OF {', '.join(columns)}" if event == "U" else "")
            when = f" WHEN ({_differ(columns, 'OLD', 'NEW', 'sqlite')})" if event == "U" else ""
            if when and reference.unready:
                when += f" AND NOT {_in('OLD', reference.unready)}"
            body = (
                f"INSERT INTO {CHANGES} (source, event, count, at) "
                f"SELECT {reference.name_sql(row)}, 'R', 1, {self.moment};"
            )
            found.append(Trigger(_name(table, _EVENTS[event].lower()), table, what, f"FOR EACH ROW{when}", body))
        return found


__all__ = ["CHANGES", "MOST_WORDS", "capture_triggers"]
