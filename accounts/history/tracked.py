"""Which fields keep a history, and from when the first value counts."""

from dataclasses import dataclass

from segmentation_crm.common.database import local_midnight_sql

from ..choices import AccountLifecycle, ContactLifecycle

ROW = "{row}"


@dataclass(frozen=True)
class TrackedField:
    """A field whose values are kept.

    column: what must change for history to change. value, start: SQL templates over a row named {row}; `start` gives
    the record's own date for its first value, NULL where there is none (created_at counts then).
    """

    record_type: str
    table: str
    field: str
    column: str
    value: str
    start: dict[str, str]

    def value_sql(self, row: str) -> str:
        """Return the SQL of the value that history keeps, "" where empty."""
        return self.value.replace(ROW, row)

    def start_sql(self, vendor: str, row: str) -> str:
        """Return the SQL of the moment from which a new record's value counts."""
        return f"COALESCE({self.start[vendor].replace(ROW, row)}, {row}.created_at)"


def _same(sql: str) -> dict[str, str]:
    return {"postgresql": sql, "sqlite": sql}


def _became(stages: list[str]) -> dict[str, str]:
    cases = " ".join(f"WHEN '{stage}' THEN {{row}}.became_{stage}_at" for stage in stages)
    return _same(f"CASE {{row}}.lifecycle_stage {cases} END")


def _stage_start(vendor: str) -> str:
    opened = local_midnight_sql(vendor, "{row}.opened_on")
    is_closed = "EXISTS (SELECT 1 FROM accounts_stage s WHERE s.id = {row}.stage_id AND (s.is_won OR s.is_lost))"
    return f"CASE WHEN {is_closed} THEN COALESCE({{row}}.closed_at, {opened}) ELSE {opened} END"


TRACKED = (
    TrackedField(
        "account",
        "accounts_account",
        "lifecycle_stage",
        "lifecycle_stage",
        "{row}.lifecycle_stage",
        _became(AccountLifecycle.values),
    ),
    TrackedField("account", "accounts_account", "tier", "tier", "{row}.tier", _same("NULL")),
    TrackedField(
        "contact",
        "accounts_contact",
        "lifecycle_stage",
        "lifecycle_stage",
        "{row}.lifecycle_stage",
        _became(ContactLifecycle.values),
    ),
    TrackedField("contact", "accounts_contact", "lead_status", "lead_status", "{row}.lead_status", _same("NULL")),
    TrackedField(
        "opportunity",
        "accounts_opportunity",
        "stage",
        "stage_id",
        "COALESCE((SELECT s.slug FROM accounts_stage s WHERE s.id = {row}.stage_id), '')",
        {vendor: _stage_start(vendor) for vendor in ("postgresql", "sqlite")},
    ),
)
