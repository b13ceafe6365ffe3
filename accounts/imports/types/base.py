"""What an import type declares: its model, targets, keys, and what happens around a batch."""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from django.db import models

from segmentation_crm.common.fields import registry

from ...services.money import MONEY_FIELDS, RateBook, fill_reporting
from ..drafts import Draft
from ..resolvers import Lookup
from ..targets import ExternalIdTarget, Target, of_field

ROW_KEY = ("row",)


class ImportType:
    """One kind of record that files can hold."""

    key: ClassVar[str]
    label: ClassVar[str]
    model: ClassVar[type[models.Model]]
    record_type: ClassVar[str] = ""
    # In order: the first whose targets are all mapped is the default key; else the whole row.
    keys: ClassVar[tuple[tuple[str, ...], ...]] = (("external_id",),)
    # A record that this key does not find may still be found by these unique columns.
    second_chance: ClassVar[tuple[str, ...]] = ()
    # Columns a row cannot do without: their absence is a missing key.
    required: ClassVar[tuple[str, ...]] = ()
    capability: ClassVar[str] = "records.import"
    # Prefix of the value and custom-value models, and their column of the owner.
    value_model: ClassVar[type[models.Model] | None] = None
    custom_model: ClassVar[type[models.Model] | None] = None
    has_external_ids: ClassVar[bool] = True

    def __init__(self) -> None:
        self._targets: dict[str, Target] | None = None

    @property
    def owner(self) -> str:
        """Return the name of the owner's column in value tables."""
        return str(self.model._meta.model_name)

    def targets(self) -> dict[str, Target]:
        """Return what columns can be mapped to, by key (custom fields apart)."""
        if self._targets is None:
            found: dict[str, Target] = {}
            for target in self.declare():
                found[target.key] = target
            if self.has_external_ids:
                found["external_id"] = ExternalIdTarget(
                    "external_id", "External id", aliases=("id", "record_id", f"{self.record_type}_id")
                )
            for target in found.values():
                field = registry.field(f"{self.record_type}.{target.key}")
                if field is not None:
                    target.label = field.label
                    target.help = target.help or field.help
            self._targets = found
        return self._targets

    def declare(self) -> Iterable[Target]:
        """Yield the targets of this type."""
        raise NotImplementedError

    def plain(self, *names: str, **aliases: tuple[str, ...]) -> Iterable[Target]:
        """Yield targets for plain columns of the model; aliases by column name."""
        for name in names:
            yield of_field(self.model, name, aliases=aliases.get(name, ()))

    def prepare(self, drafts: Sequence[Draft], lookup: Lookup) -> None:
        """Complete the drafts of a batch once their links are resolved (few queries)."""

    def complete(self, record: Any, book: RateBook) -> None:
        """Fill what is computed from the record's own columns, before it is compared and written (0 queries)."""
        if self.model in MONEY_FIELDS:
            fill_reporting(record, book)

    def new_record(self, draft: Draft, book: RateBook) -> models.Model:
        """Return a record that is not saved yet."""
        return self.model()

    def after_batch(self, drafts: Sequence[Draft]) -> None:
        """Bring other tables in line with the rows just written (few queries)."""

    def after_last(self, touched: Iterable[int]) -> None:
        """Bring hierarchies and the like in line after the last row."""


def multiply(columns: dict[str, Any]) -> None:
    """Compute `amount` from quantity, unit price and discount where only those are given."""
    quantity, price = columns.get("quantity"), columns.get("unit_price")
    if "amount" not in columns and quantity is not None and price is not None:
        columns["amount"] = round(quantity * price * (1 - (columns.get("discount") or 0)), 4)
        if columns.get("unit_price_currency"):
            columns["amount_currency"] = columns["unit_price_currency"]
