"""What a record's field holds, read from plain rows: a value, None for empty, a set for several values."""

import datetime as dt
import unicodedata
from typing import Any

from django.apps import apps

from accounts.choices import ENGAGED_EXCLUDED_TYPES, ROLE_GROUPS
from segmentation_crm.common.fields import (
    Column,
    Computed,
    CustomValue,
    FieldDef,
    RecordDef,
    RelatedValues,
    ValueRows,
    registry,
)

from .moments import Calendar, move
from .world import Row, World

CUSTOM = {
    "account": "accounts.AccountCustomValue",
    "contact": "accounts.ContactCustomValue",
    "opportunity": "accounts.OpportunityCustomValue",
}
VALUES = {
    "account": "accounts.AccountValue",
    "contact": "accounts.ContactValue",
    "opportunity": "accounts.OpportunityValue",
}


def folded(text: str) -> str:
    """Return the text as it is compared."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold()).strip()


def is_live(record: RecordDef, row: Row) -> bool:
    """Tell whether the row is neither deleted, merged away nor erased."""
    for lookup, wanted in record.live:
        name = lookup.removesuffix("__isnull")
        value = row[name] if name in row else row[f"{name}_id"]
        if (value is None) != wanted:
            return False
    return True


class Values:
    """Reads fields of rows at one moment."""

    def __init__(self, world: World, calendar: Calendar) -> None:
        self.world = world
        self.calendar = calendar

    def exists(self, record: RecordDef, row: Row) -> bool:
        """Tell whether a record is live and its event lies before as_of."""
        event = row[record.event_time[0]] if record.event_time else None
        return is_live(record, row) and self.calendar.exists(event)

    def hop(self, prefix: str, row: Row | None, hops: tuple[str, ...]) -> Row | None:
        """Follow foreign keys; None where one is empty or leads to a record that is not live."""
        model = apps.get_model(registry.records[prefix].model)
        for name in hops:
            if row is None or row[f"{name}_id"] is None:
                return None
            model = model._meta.get_field(name).related_model
            row = self.world.tables[model._meta.label].get(row[f"{name}_id"])
            for record in registry.records.values():
                if row is not None and record.model == model._meta.label and not is_live(record, row):
                    row = None
        return row

    def clean(self, type_name: str, value: Any) -> Any:
        """Return None for what counts as empty, the folded form of a text, else the value."""
        if isinstance(value, str) and type_name == "text":
            value = folded(value)
        return None if value is None or value == "" else value

    def read(self, field: FieldDef, row: Row | None, link: list[Row] | None = None) -> Any:
        """Return the value of a field of a record (None: empty), or the set of its values.

        link: the rows of the many-to-many table through which the record was reached.
        """
        if row is None:
            return set() if field.type == "multi" else None
        source = field.source
        if isinstance(source, Column):
            return self.column(field, row, source.name)
        if isinstance(source, ValueRows):
            column = "token" if source.kind == "token" else f"{source.kind}_id"
            rows = self.world.where(VALUES[field.record], f"{field.record}_id", row["id"])
            return {self.clean(field.item, r[column]) for r in rows if r["field"] == source.field} - {None}
        if isinstance(source, CustomValue):
            rows = self.world.where(CUSTOM[field.record], f"{field.record}_id", row["id"])
            column = {"boolean": "boolean", "date": "date", "datetime": "moment"}.get(field.type, "number")
            column = "text" if field.type in ("text", "enum", "multi") else column
            found = [self.clean(field.type, r[column]) for r in rows if r["definition_id"] == source.definition_id]
            found = [value for value in found if value is not None]
            return set(found) if field.type == "multi" else (found[0] if found else None)
        if isinstance(source, RelatedValues):
            return self.related_values(source, row)
        assert isinstance(source, Computed)
        return getattr(self, f"computed_{source.name}")(field, row, link, *source.args)

    def column(self, field: FieldDef, row: Row, name: str) -> Any:
        """Return what a column holds: of money the reporting amount, of a foreign key the id."""
        if field.type == "money":
            name = f"{name}_reporting"
        return self.clean(field.type, row[name] if name in row else row[f"{name}_id"])

    def related_values(self, source: RelatedValues, row: Row) -> set[Any]:
        """Return the different values of a column over the rows of a relation."""
        relation = registry.relations[source.relation]
        record = registry.records[relation.record]
        found = set()
        for other in self.world.where(record.model, relation.owner_column, row["id"]):
            if self.exists(record, other) and all(self.matches(record, other, *test) for test in source.where):
                found.add(other[source.column] if source.column in other else other[f"{source.column}_id"])
        return found - {None, ""}

    def matches(self, record: RecordDef, row: Row, lookup: str, wanted: Any) -> bool:
        """Tell whether a row meets one declared filter: a path of foreign keys, then eq or in."""
        several = lookup.endswith("__in")
        steps = lookup.removesuffix("__in").split("__")
        model = apps.get_model(record.model)
        for step in steps[:-1]:
            if row[f"{step}_id"] is None:
                return False
            model = model._meta.get_field(step).related_model
            row = self.world.tables[model._meta.label][row[f"{step}_id"]]
        return bool(row[steps[-1]] in wanted if several else row[steps[-1]] == wanted)

    # --- computed fields, as accounts.fields describes them ---
    def computed_years_since(self, field: FieldDef, row: Row, link: Any, column: str) -> Any:
        return None if row[column] is None else self.calendar.today.year - row[column]

    def computed_via(self, field: FieldDef, row: Row, link: Any, key: str, column: str) -> Any:
        model = apps.get_model(registry.records[field.record].model)._meta.get_field(key).related_model
        if row[f"{key}_id"] is None:
            return None
        return self.column(field, self.world.tables[model._meta.label][row[f"{key}_id"]], column)

    def computed_is_engagement(self, field: FieldDef, row: Row, link: Any) -> bool:
        known = row["type"] != "" and row["type"] not in [str(t) for t in ENGAGED_EXCLUDED_TYPES]
        return row["direction"] == "inbound" and known and row["bot_suspected"] is not True

    def engagements(self, record: str, row: Row) -> list[dt.datetime]:
        """Return the moments of a record's engagements."""
        rows = self.world.where("accounts.Activity", f"{record}_id", row["id"])
        engaged = [r for r in rows if self.computed_is_engagement(None, r, None)]  # type: ignore[arg-type]
        return [r["occurred_at"] for r in engaged if self.calendar.exists(r["occurred_at"])]

    def computed_last_engaged_at(self, field: FieldDef, row: Row, link: Any) -> Any:
        return max(self.engagements(field.record, row), default=None)

    def computed_engaged_within(self, field: FieldDef, row: Row, link: Any, days: int) -> bool:
        start = move(self.calendar.today, -days, "day")
        return any(self.calendar.local_day(at) >= start for at in self.engagements(field.record, row))

    def computed_role_groups(self, field: FieldDef, row: Row, link: Any, name: str) -> set[str]:
        roles = registry.field(f"{field.record}.{name}")
        assert roles is not None
        return {str(ROLE_GROUPS[role]) for role in self.read(roles, row)}

    def computed_count_values(self, field: FieldDef, row: Row, link: Any, key: str) -> int:
        counted = registry.field(key)
        assert counted is not None
        return len(self.read(counted, row))

    def computed_consent_values(self, field: FieldDef, row: Row, link: Any, column: str) -> set[Any]:
        rows = self.world.where("accounts.Consent", "contact_id", row["id"])
        name = column if column in ("channel",) else f"{column}_id"
        latest: dict[Any, Row] = {}
        for said in sorted(rows, key=lambda r: (r["at"] is not None, r["at"] or 0, r["id"])):
            latest[said["topic_id"], said["channel"]] = said
        return {r[name] for r in latest.values() if r["status"] == "granted"} - {None, ""}

    def computed_external_ids(self, field: FieldDef, row: Row, link: Any) -> set[str]:
        rows = self.world.where("accounts.ExternalId", "record_id", row["id"])
        return {self.clean(field.item, r["external_id"]) for r in rows if r["record_type"] == field.record} - {None}

    def computed_through_values(self, field: FieldDef, row: Row, link: list[Row] | None, column: str) -> Any:
        return {r[column] for r in link or []} - {None, ""}

    def provenance(self, field: FieldDef, row: Row, about: str) -> Row | None:
        """Return the provenance row of a field of the record."""
        for found in self.world.where("accounts.Provenance", "record_id", row["id"]):
            if found["record_type"] == field.record and found["field"] == about:
                return found
        return None

    def computed_provenance(self, field: FieldDef, row: Row, link: Any, about: str, attribute: str) -> Any:
        found = self.provenance(field, row, about)
        return None if found is None else self.clean(field.type, found[attribute])

    def computed_provenance_age(self, field: FieldDef, row: Row, link: Any, about: str) -> Any:
        found = self.provenance(field, row, about)
        return (
            None if found is None or found["observed_on"] is None else (self.calendar.today - found["observed_on"]).days
        )
