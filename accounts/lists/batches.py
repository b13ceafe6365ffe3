"""Values that a column reads for all rows of a page at once, when its first cell asks."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Count, Max, QuerySet, Sum

from segmentation_crm.common.lists import Cell, Column, amount, figure, text, when

from ..models import CustomField


class Batch:
    """A lookup by the row's key, filled by one call when first asked."""

    def __init__(self, rows: Sequence[Any], load: Callable[[list[int]], dict[int, Any]]) -> None:
        self._rows, self._load = rows, load
        self._found: dict[int, Any] | None = None

    def get(self, row: Any, default: Any = None) -> Any:
        """Return the row's value (1 query for all rows together, the first time)."""
        if self._found is None:
            self._found = self._load([found.pk for found in self._rows])
        return self._found.get(row.pk, default)


def counted(rows: Sequence[Any], related: Callable[[], QuerySet[Any]], by: str) -> Batch:
    """Return how many related rows there are for each row."""
    return _grouped(rows, related, by, Count("pk"))


def latest(rows: Sequence[Any], related: Callable[[], QuerySet[Any]], by: str, name: str) -> Batch:
    """Return the latest moment of the related rows for each row."""
    return _grouped(rows, related, by, Max(name))


def summed(rows: Sequence[Any], related: Callable[[], QuerySet[Any]], by: str, name: str) -> Batch:
    """Return the sum over the related rows for each row."""
    return _grouped(rows, related, by, Sum(name))


def _grouped(rows: Sequence[Any], related: Callable[[], QuerySet[Any]], by: str, figure_of: Any) -> Batch:
    def load(ids: list[int]) -> dict[int, Any]:
        found = related().filter(**{f"{by}__in": ids}).order_by().values(by).annotate(batch_figure=figure_of)
        return dict(found.values_list(by, "batch_figure"))

    return Batch(rows, load)


def multi(rows: Sequence[Any], values: Any, owner: str, name: str, labels: dict[str, str] | None = None) -> Batch:
    """Return the words of a multi field for each row; `labels` name the tokens of a closed list."""

    def load(ids: list[int]) -> dict[int, list[str]]:
        found: dict[int, list[str]] = defaultdict(list)
        chosen = values.objects.filter(field=name, **{f"{owner}__in": ids}).select_related("term", "code")
        for value in chosen.order_by("pk"):
            word = str(value.term or value.code or value.token)
            found[getattr(value, owner)].append((labels or {}).get(word, word))
        return found

    return Batch(rows, load)


def multi_column(key: str, label: str, batch: Batch, group: str) -> Column:
    """Return the column of a multi field: tags on the page, words with commas in a file."""

    def cell(row: Any) -> Cell:
        return {"kind": "tags", "value": batch.get(row) or ""}

    return Column(key, label, cell, export=lambda row: ", ".join(batch.get(row) or []), default=False, group=group)


def figure_column(key: str, label: str, batch: Batch, group: str, empty: Any = None) -> Column:
    """Return the column of a counted or summed figure."""
    return Column(
        key, label, lambda row: figure(batch.get(row, empty)), numeric=True, default=False, group=group,
        export=lambda row: batch.get(row, empty),
    )  # fmt: skip


def moment_column(key: str, label: str, batch: Batch, group: str) -> Column:
    """Return the column of the latest moment of something."""
    return Column(
        key, label, lambda row: when(batch.get(row)), numeric=True, default=False, group=group, export=batch.get
    )


CUSTOM_GROUP = "Custom fields"


@dataclass(frozen=True)
class _Custom:
    """A custom field as a column: its definition, with the values of all rows."""

    definition: CustomField
    batch: Batch

    def plain(self, row: Any) -> Any:
        """Return the value for a file."""
        values = (self.batch.get(row) or {}).get(self.definition.pk, [])
        if not values:
            return None
        first = values[0]
        if self.definition.type in {"text", "enum", "multi"}:
            labels = _labels(self.definition.choices)
            return ", ".join(labels.get(value.text, value.text) for value in values)
        if self.definition.type == "boolean":
            return None if first.boolean is None else "Yes" if first.boolean else "No"
        if self.definition.type in {"date", "datetime"}:
            return first.moment if self.definition.type == "datetime" else first.date
        number = first.number
        return number.normalize() + Decimal(0) if number is not None else None

    def cell(self, row: Any) -> Cell:
        """Return the cell of the page."""
        value = self.plain(row)
        if self.definition.type in {"date", "datetime"}:
            return when(value)
        if self.definition.type == "money":
            return amount(value, "")
        if self.definition.type in NUMERIC:
            return figure(value, "percent" if self.definition.type == "percent" else "number")
        return text(value)


NUMERIC = frozenset({"integer", "decimal", "percent", "money"})


def custom_columns(record: str, rows: Sequence[Any], values: Any) -> list[Column]:
    """Return a column for each active custom field (1 query, 1 more when one of them is shown)."""
    owner = f"{record}_id"

    def load(ids: list[int]) -> dict[int, dict[int, list[Any]]]:
        found: dict[int, dict[int, list[Any]]] = defaultdict(lambda: defaultdict(list))
        for value in values.objects.filter(**{f"{owner}__in": ids}).order_by("pk"):
            found[getattr(value, owner)][value.definition_id].append(value)
        return found

    batch = Batch(rows, load)
    definitions: Iterable[CustomField] = CustomField.objects.filter(record=record, is_active=True)
    columns = []
    for definition in definitions:
        custom = _Custom(definition, batch)
        columns.append(
            Column(
                f"custom.{definition.key}", definition.label, custom.cell, numeric=definition.type in NUMERIC,
                export=custom.plain, default=False, group=CUSTOM_GROUP,
            )
        )  # fmt: skip
    return columns


def _labels(choices: Any) -> dict[str, str]:
    """Return value -> label of a definition's choices."""
    found = choices if isinstance(choices, list) else []
    return {
        str(choice["value"]): str(choice.get("label") or choice["value"])
        for choice in found
        if isinstance(choice, dict) and "value" in choice
    }
