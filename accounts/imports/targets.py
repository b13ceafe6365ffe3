"""One object for each thing that a column can be mapped to: label, aliases, clean, assign.

`clean` turns a cell into a value without queries. A target that refers to other rows (`is_deferred`) leaves its text
with the draft; `resolvers` looks all texts of a batch up at once and then calls `assign`.
"""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.db import models

from segmentation_crm.common.folding import fold

from ..services.normalisation import tidy
from .countries import is_currency
from .dates import read_date, read_datetime
from .drafts import Draft, Reading
from .numbers import read_amount, read_number
from .problems import CellProblem, CellWarning

_WORDS = re.compile(r"[^a-z0-9<>+]+")
_TRUE = frozenset({"true", "yes", "y", "t", "1", "on", "x"})
_FALSE = frozenset({"false", "no", "n", "f", "0", "off"})


class Target:
    """What a column can be mapped to."""

    is_deferred = False
    # What `scan` has to settle for the whole file: "number", "date" or nothing.
    reads = ""

    def __init__(
        self, key: str, label: str = "", *, aliases: Iterable[str] = (), help: str = "", needs: str = ""
    ) -> None:
        self.key = key
        self.label = label or key.replace("_", " ").capitalize()
        self.aliases = tuple(aliases)
        self.help = help
        self.needs = needs

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.key}>"

    def clean(self, text: str, reading: Reading) -> Any:
        """Return the value of a cell that is not empty.

        Raises CellProblem (the row is rejected) or CellWarning (the field stays empty).
        """
        return text

    def assign(self, draft: Draft, value: Any) -> None:
        """Put the value into the draft."""
        draft.columns[self.key] = value


class Text(Target):
    """Text as it stands, outer blanks trimmed."""

    def __init__(self, key: str, *, limit: int | None = None, **options: Any) -> None:
        super().__init__(key, **options)
        self.limit = limit

    def clean(self, text: str, reading: Reading) -> str:
        if self.limit and len(text) > self.limit:
            raise CellProblem("too_long", f"{self.label} may hold {self.limit} characters; this cell has {len(text)}.")
        return text


class Name(Text):
    """A name: runs of blanks count as one, as everywhere a name is written."""

    def clean(self, text: str, reading: Reading) -> str:
        return super().clean(tidy(text), reading)


class Number(Target):
    """A number within the limits of its column."""

    reads = "number"

    def __init__(
        self,
        key: str,
        *,
        low: Decimal | int | None = None,
        high: Decimal | int | None = None,
        places: int = 4,
        **options: Any,
    ) -> None:
        super().__init__(key, **options)
        self.low, self.high, self.places = low, high, places

    def clean(self, text: str, reading: Reading) -> Any:
        return self._within(read_number(text, reading.decimal))

    def _within(self, number: Decimal) -> Decimal:
        if (self.low is not None and number < self.low) or (self.high is not None and number > self.high):
            raise CellProblem("out_of_range", f"{self.label} must lie between {self.low} and {self.high}.")
        exponent = number.as_tuple().exponent
        if isinstance(exponent, int) and -exponent > self.places:
            number = round(number, self.places)
        return number


class Integer(Number):
    """A whole number; 12.0 counts as one, 12.5 does not."""

    def clean(self, text: str, reading: Reading) -> int:
        number = read_number(text, reading.decimal)
        if number != number.to_integral_value():
            raise CellProblem("unreadable_number", f"{text!r} is not a whole number.")
        return int(self._within(number))


class Percent(Number):
    """A figure in per cent; the sign % may stand behind it."""

    def clean(self, text: str, reading: Reading) -> Decimal:
        return self._within(read_number(text.rstrip("% "), reading.decimal))


class Fraction(Number):
    """A fraction from 0 to 1; with the sign % it is divided by 100."""

    def __init__(self, key: str, **options: Any) -> None:
        super().__init__(key, low=0, high=1, places=6, **options)

    def clean(self, text: str, reading: Reading) -> Decimal:
        if text.endswith("%"):
            return self._within(read_number(text.rstrip("% "), reading.decimal) / 100)
        number = read_number(text, reading.decimal)
        if number > 1 or number < 0:
            raise CellProblem("out_of_range", f"{self.label} is a fraction from 0 to 1; write 0.75 or 75%.")
        return self._within(number)


class Money(Number):
    """An amount, perhaps with its currency beside it."""

    def __init__(self, key: str, **options: Any) -> None:
        limit = Decimal(10) ** 16 - 1
        super().__init__(key, low=-limit, high=limit, places=4, **options)

    def clean(self, text: str, reading: Reading) -> tuple[Decimal, str]:
        amount, code = read_amount(text, reading.decimal)
        if code and not is_currency(code):
            raise CellProblem("unreadable_number", f"{text!r}: {code} is no currency of ISO 4217.")
        return self._within(amount), code

    def assign(self, draft: Draft, value: Any) -> None:
        draft.columns[self.key] = value[0]
        if value[1]:
            draft.columns[f"{self.key}_currency"] = value[1]


class Currency(Target):
    """The currency code of a money field."""

    def clean(self, text: str, reading: Reading) -> str:
        if not is_currency(text.upper()):
            raise CellWarning(f"unknown_{self.key}", f"{text!r} is no currency of ISO 4217, such as EUR.")
        return text.upper()


class Boolean(Target):
    """Yes or no."""

    def clean(self, text: str, reading: Reading) -> bool:
        word = fold(text)
        if word in _TRUE:
            return True
        if word in _FALSE:
            return False
        raise CellWarning(f"unknown_{self.key}", f"{text!r} is neither yes nor no.")


class OnlySets(Boolean):
    """A wish not to be contacted: a file may set it, never clear it."""

    def assign(self, draft: Draft, value: Any) -> None:
        if value:
            draft.columns[self.key] = True


class Date(Target):
    """A day."""

    reads = "date"

    def clean(self, text: str, reading: Reading) -> Any:
        return read_date(text, reading.order(self.key), reading.zone)


class Moment(Target):
    """A moment; a bare day counts as its local midnight."""

    reads = "date"

    def clean(self, text: str, reading: Reading) -> Any:
        return read_datetime(text, reading.order(self.key), reading.zone)


class Choice(Target):
    """A token of a closed list, by token, label or another name for it."""

    def __init__(
        self,
        key: str,
        choices: Iterable[tuple[str, str]],
        *,
        names: Mapping[str, str] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(key, **options)
        self.tokens = [str(token) for token, _ in choices]
        self.words: dict[str, str] = {}
        for token, label in choices:
            self.words[_word(token)] = self.words[_word(str(label))] = str(token)
        for name, token in (names or {}).items():
            self.words[_word(name)] = token

    def clean(self, text: str, reading: Reading) -> str:
        found = text if text in self.tokens else self.words.get(_word(text))
        if found is None:
            raise CellWarning(
                f"unknown_{self.key}", f"{text!r} is no value of {self.label}; use {', '.join(self.tokens)}."
            )
        return found


class ExternalIdTarget(Target):
    """The record's number in the system the file comes from."""

    def clean(self, text: str, reading: Reading) -> str:
        if len(text) > 200:
            raise CellProblem("too_long", "An external id may hold 200 characters.")
        return text

    def assign(self, draft: Draft, value: Any) -> None:
        draft.external_id = value


class FullName(Target):
    """First and last name in one cell, cut at the last blank; "Last, First" is turned round."""

    def clean(self, text: str, reading: Reading) -> tuple[str, str]:
        last, comma, first = text.partition(",")
        if not comma:
            first, _, last = text.rpartition(" ")
        first, last = first.strip(), last.strip()
        if len(first) > 120 or len(last) > 120:
            raise CellProblem("too_long", "First and last name may hold 120 characters each.")
        return first, last

    def assign(self, draft: Draft, value: Any) -> None:
        draft.columns["first_name"], draft.columns["last_name"] = value


class CloseDate(Moment):
    """A close date as CRM systems export it: closed at, or while the deal is open, the expected close."""

    def assign(self, draft: Draft, value: Any) -> None:
        draft.columns["closed_at"] = draft.columns["expected_close"] = None
        draft.columns["close_date"] = value


class Multi(Target):
    """Several tokens in one cell, cut at semicolons, pipes or commas."""

    def __init__(self, key: str, item: Target, **options: Any) -> None:
        super().__init__(key, **options)
        self.item = item

    def clean(self, text: str, reading: Reading) -> list[Any]:
        return [self.item.clean(part, reading) for part in split_cell(text)]

    def assign(self, draft: Draft, value: Any) -> None:
        draft.multi[(self.key, "token")] = list(dict.fromkeys(value))


class Custom(Target):
    """A custom field of the record."""

    def __init__(self, definition: Any, item: Target, **options: Any) -> None:
        super().__init__(f"custom.{definition.key}", definition.label, **options)
        self.definition, self.item = definition, item
        self.reads = item.reads

    def clean(self, text: str, reading: Reading) -> Any:
        if self.definition.type == "multi":
            return [self.item.clean(part, reading) for part in split_cell(text)]
        return [self.item.clean(text, reading)]

    def assign(self, draft: Draft, value: Any) -> None:
        draft.custom[self.definition.pk] = list(dict.fromkeys(value))


def split_cell(text: str) -> list[str]:
    """Cut a cell of several values: at line breaks, semicolons and pipes; else at commas."""
    separators = r"[;|\n]" if re.search(r"[;|\n]", text) else r","
    return [part.strip() for part in re.split(separators, text) if part.strip()]


def of_field(model: type[models.Model], name: str, **options: Any) -> Target:
    """Return the target for a plain column, by what kind of column the model has.

    Raises ValueError for a column that needs a target of its own.
    """
    column: Any = model._meta.get_field(name)
    names = {f.name for f in model._meta.get_fields()}
    if isinstance(column, models.DateTimeField):
        return Moment(name, **options)
    if isinstance(column, models.DateField):
        return Date(name, **options)
    if isinstance(column, models.BooleanField):
        return (OnlySets if name == "do_not_contact" else Boolean)(name, **options)
    if isinstance(column, models.IntegerField):
        high = 32_767 if isinstance(column, models.PositiveSmallIntegerField) else 2_147_483_647
        return Integer(name, low=0, high=high, **options)
    if isinstance(column, models.DecimalField):
        if f"{name}_currency" in names:
            return Money(name, **options)
        if column.max_digits == 7 and column.decimal_places == 6:
            return Fraction(name, **options)
        limit = Decimal(10) ** (column.max_digits - column.decimal_places) - 1
        return Number(name, low=-limit, high=limit, places=column.decimal_places, **options)
    if name == "name":
        return Name(name, limit=column.max_length, **options)
    if isinstance(column, models.TextField):
        return Text(name, **options)
    if isinstance(column, models.CharField):
        if column.choices:
            return Choice(name, [(str(token), str(label)) for token, label in column.flatchoices], **options)
        return Text(name, limit=column.max_length, **options)
    raise ValueError(f"{model.__name__}.{name} needs a target of its own.")


def _word(text: str) -> str:
    return _WORDS.sub("_", fold(text.replace("–", "-").replace(",", ""))).strip("_")
