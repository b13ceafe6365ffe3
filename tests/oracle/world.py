"""The world as plain dicts: every table read as it is, nothing computed."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from django.apps import apps

from segmentation_crm.common.models import Organisation

Row = dict[str, Any]


@dataclass
class World:
    """Tables by model label, rows by key; and the organisation's settings."""

    tables: dict[str, dict[int, Row]]
    zone: ZoneInfo
    fiscal_month: int
    indexes: dict[tuple[str, str], dict[Any, list[Row]]] = field(default_factory=dict)

    def rows(self, label: str) -> list[Row]:
        """Return all rows of a table."""
        return list(self.tables[label].values())

    def where(self, label: str, column: str, value: Any) -> list[Row]:
        """Return the rows of a table with this value in a column."""
        if (label, column) not in self.indexes:
            index: dict[Any, list[Row]] = defaultdict(list)
            for row in self.rows(label):
                index[row[column]].append(row)
            self.indexes[label, column] = index
        return self.indexes[label, column].get(value, [])


def load_world() -> World:
    """Read every table of accounts and segments (1 query each)."""
    settings = Organisation.current()
    tables = {}
    for app in ("accounts", "segments"):
        for model in apps.get_app_config(app).get_models():
            key = model._meta.pk.attname
            tables[model._meta.label] = {row[key]: row for row in model._base_manager.order_by().values()}
    return World(tables, ZoneInfo(settings.time_zone), settings.fiscal_year_start_month)
