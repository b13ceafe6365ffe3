"""Short ways to declare fields of one record: `account.text("city", "City", WHO, "demographic")`."""

from collections.abc import Sequence
from typing import Any

from segmentation_crm.common.fields import Choice, Column, FieldDef

# The groups of the builder's field menu. The everyday fields lie in the first four.
WHO = "Who they are"
USE = "What they use"
DO = "What they do"
KNOW = "Who we know"
NEED = "What they need"
BUY = "How they buy"
DEAL = "Deals and value"
PLACE = "Names and addresses"
DATA = "Record and sources"
GROUPS = (WHO, USE, DO, KNOW, NEED, BUY, DEAL, PLACE, DATA)


def choices_of(enumeration: Any) -> tuple[Choice, ...]:
    """Return the choices of a Django TextChoices, in its order, without its blank."""
    return tuple(Choice(str(value), str(label)) for value, label in enumeration.choices if value)


class FieldMaker:
    """Makes the FieldDefs of one record; every method takes name, label, group, family, then FieldDef's options."""

    def __init__(self, record: str) -> None:
        self.record = record

    def make(self, type_name: str, name: str, label: str, group: str, family: str, **options: Any) -> FieldDef:
        """Return a field of any type; its source is the column of its own name where none is given."""
        options.setdefault("source", Column(name))
        return FieldDef(key=f"{self.record}.{name}", label=label, type=type_name, group=group, family=family, **options)

    def text(self, name: str, label: str, group: str, family: str, **options: Any) -> FieldDef:
        """Return a text field."""
        return self.make("text", name, label, group, family, **options)

    def enum(self, name: str, label: str, group: str, family: str, enumeration: Any, **options: Any) -> FieldDef:
        """Return a field of one token of a closed list."""
        return self.make("enum", name, label, group, family, choices=choices_of(enumeration), **options)

    def reference(self, name: str, label: str, group: str, family: str, target: str, **options: Any) -> FieldDef:
        """Return a field that points to one record or word of a vocabulary."""
        return self.make("reference", name, label, group, family, target=target, **options)

    def tree(self, name: str, label: str, group: str, family: str, target: str, **options: Any) -> FieldDef:
        """Return a field that points to a node of a tree."""
        return self.make("tree", name, label, group, family, target=target, **options)

    def multi(
        self, name: str, label: str, group: str, family: str, *, item: str, source: Any, **options: Any
    ) -> FieldDef:
        """Return a field of several values."""
        enumeration = options.pop("enumeration", None)
        if enumeration is not None:
            options["choices"] = choices_of(enumeration)
        return self.make("multi", name, label, group, family, item=item, source=source, **options)

    def integer(self, name: str, label: str, group: str, family: str, **options: Any) -> FieldDef:
        """Return a whole number."""
        return self.make("integer", name, label, group, family, **options)

    def decimal(self, name: str, label: str, group: str, family: str, **options: Any) -> FieldDef:
        """Return a number; fractions such as probability lie between 0 and 1."""
        return self.make("decimal", name, label, group, family, **options)

    def percent(self, name: str, label: str, group: str, family: str, **options: Any) -> FieldDef:
        """Return a percentage, in per cent: 25 = 25 %."""
        return self.make("percent", name, label, group, family, **options)

    def money(self, name: str, label: str, group: str, family: str, **options: Any) -> FieldDef:
        """Return an amount, compared in the organisation's currency."""
        return self.make("money", name, label, group, family, **options)

    def boolean(self, name: str, label: str, group: str, family: str, **options: Any) -> FieldDef:
        """Return a yes or no; its phrase is "words when true|words when false", {be}, {have} and {do} agreeing."""
        return self.make("boolean", name, label, group, family, **options)

    def date(self, name: str, label: str, group: str, family: str, **options: Any) -> FieldDef:
        """Return a calendar date."""
        return self.make("date", name, label, group, family, **options)

    def datetime(self, name: str, label: str, group: str, family: str, **options: Any) -> FieldDef:
        """Return a moment; windows and days are the organisation's local ones."""
        return self.make("datetime", name, label, group, family, **options)


def month_choices() -> tuple[Choice, ...]:
    """Return the months "01" to "12"."""
    names = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ]
    return tuple(Choice(f"{number:02d}", name) for number, name in enumerate(names, start=1))


def unique_keys(fields: Sequence[FieldDef]) -> list[str]:
    """Return the keys in order, without repeats."""
    return list(dict.fromkeys(field.key for field in fields))
