"""Words for the values and predicates of single conditions, as the sentence says them."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from segmentation_crm.common.fields import FieldDef

from .nodes import CountTest, DateOperand, Duration, HasBeen
from .operators import PERIODS, Operator, operators_of

Part = tuple[str, str]  # text, kind: text, value, field
Parts = list[Part]
MOST_NAMED = 6


def text(words: str) -> Part:
    """Return plain words."""
    return words, "text"


def value(words: str) -> Part:
    """Return words that stand for a value."""
    return words, "value"


def number_words(number: int | Decimal) -> str:
    """Return a number with thousands separated."""
    if isinstance(number, int):
        return f"{number:,}"
    return f"{int(number):,}" if number == number.to_integral_value() else f"{number.normalize():,f}"


def duration_words(duration: Duration) -> str:
    """Return such as "90 days"."""
    return f"{duration.n:,} {duration.unit}{'' if duration.n == 1 else 's'}"


def day_words(day: date) -> str:
    """Return such as "31 March 2026"."""
    return f"{day.day} {day:%B} {day.year}"


def moment_words(operand: DateOperand) -> str:
    """Return the words of a date operand."""
    if operand.ago:
        return f"{duration_words(operand.ago)} ago"
    if operand.ahead:
        return f"{duration_words(operand.ahead)} from today"
    if operand.datetime:
        return _time_words(operand.datetime)
    return day_words(operand.date) if operand.date else "today"


def _time_words(moment: datetime) -> str:
    seconds = f":{moment:%S}" if moment.second or moment.microsecond else ""
    zone = " UTC" if moment.tzinfo else ""
    return f"{day_words(moment.date())} {moment:%H:%M}{seconds}{zone}"


def one_words(raw: Any, field: FieldDef | None, type_name: str, labels: dict[Any, str]) -> str:
    """Return the words of one cleaned value."""
    if isinstance(raw, DateOperand):
        return moment_words(raw)
    kind = field.item if field is not None and field.type == "multi" else type_name
    if kind in ("reference", "tree"):
        return labels.get(raw, str(raw))
    if isinstance(raw, str):
        if kind == "enum" and field is not None:
            return next((choice.label for choice in field.choices if choice.value == raw), raw)
        return f'"{raw}"'
    words = number_words(raw)
    return f"{words} %" if kind == "percent" else _plain_year(field, words)


def _plain_year(field: FieldDef | None, words: str) -> str:
    return words.replace(",", "") if field is not None and "year" in field.name.split("_") else words


def listed(words: list[str], conjunction: str) -> Parts:
    """Return "A, B or C"; of a long list the first few and how many more."""
    shown, more = words, 0
    if len(words) > MOST_NAMED:
        shown, more = words[: MOST_NAMED - 1], len(words) - MOST_NAMED + 1
    parts: Parts = []
    for index, word in enumerate(shown):
        if index:
            last = index == len(shown) - 1 and not more
            parts.append(text(f" {conjunction} " if last else ", "))
        parts.append(value(word))
    if more:
        parts += [text(f" {conjunction} "), value(f"{more:,} more")]
    return parts


def plural_noun(field: FieldDef) -> bool:
    """Tell whether the noun of a multi field takes a plural verb."""
    return field.type == "multi" and noun(field).endswith("s")


def noun(field: FieldDef) -> str:
    """Return what the sentence calls the field: its phrase, else its label without the capital."""
    if field.phrase and "|" not in field.phrase:
        return field.phrase
    if field.unit and field.label.lower() == field.unit:
        return f"number of {field.unit}"
    label = field.label
    return label if label[:2].isupper() or ".custom." in field.key else label[:1].lower() + label[1:]


def predicate(operator: str, raw: Any, field: FieldDef | None, type_name: str, labels: dict[Any, str]) -> Parts:
    """Return the verb phrase of a condition: "is under Manufacturing"; negatives without "or unknown"."""
    found = operators_of(type_name, history=True)[operator]
    if found.operand == "none":
        return _presence(operator, field)
    if type_name == "multi" and field is not None:
        return _multi(operator, raw, field, labels)

    def words(item: Any) -> str:
        return one_words(item, field, type_name, labels)

    if operator in ("has_ever_been", "has_never_been"):
        return [text(f"{found.label} "), *listed([words(item) for item in raw], "or")]
    if isinstance(raw, HasBeen):
        return [
            text("has been "),
            value(words(raw.value)),
            text(" for at least "),
            value(duration_words(raw.duration)),
        ]
    if found.operand == "list":
        if len(raw) == 1:
            return [text(f"{'is not' if found.negative else _is(type_name)} "), value(words(raw[0]))]
        return [
            text("is none of " if found.negative else f"{_is(type_name)} "),
            *listed([words(item) for item in raw], "and" if found.negative else "or"),
        ]
    return _single(found, raw, words)


def _is(type_name: str) -> str:
    return "is exactly" if type_name == "tree" else "is"


def _single(operator: Operator, raw: Any, words: Any) -> Parts:
    if operator.operand == "range":
        return [text(f"{operator.label} "), value(words(raw[0])), text(" and "), value(words(raw[1]))]
    if operator.operand == "share":
        side = "top" if operator.name == "top_percent" else "bottom"
        return [text(f"is in the {side} "), value(f"{number_words(raw)} %")]
    if operator.operand == "duration":
        before, _, after = operator.words.partition(" {}")
        return [text(f"{before} "), value(duration_words(raw)), *([text(after)] if after else [])]
    if operator.operand == "period":
        name = PERIODS[raw]
        return [text("is not " if operator.negative else "is ")] + (
            [value(name)] if raw in ("today", "yesterday") else [text("in "), value(name)]
        )
    return [text(f"{operator.label} "), value(words(raw))]


def _presence(operator: str, field: FieldDef | None) -> Parts:
    verb = "are" if field is not None and plural_noun(field) else "is"
    words = {"is_empty": "unknown", "is_set": "known", "is_true": "yes", "is_false": "no"}[operator]
    return [text(f"{verb} "), value(words)]


def _multi(operator: str, raw: Any, field: FieldDef, labels: dict[Any, str]) -> Parts:
    plural = plural_noun(field)
    if isinstance(raw, CountTest):
        return number_test(raw)
    words = [one_words(item, field, "multi", labels) for item in raw]
    include = "include" if plural else "includes"
    if operator == "all_of":
        return [text(f"{include} " + ("all of " if len(words) > 1 else "")), *listed(words, "and")]
    if operator == "none_of":
        return [text(f"{'do' if plural else 'does'} not include "), *listed(words, "or")]
    if operator == "only_of":
        return [text(f"{'are' if plural else 'is'} nothing but "), *listed(words, "or")]
    return [text(f"{include} "), *listed(words, "or")]


def number_test(test: CountTest) -> Parts:
    """Return the verb phrase of a number test: "is at least 3"."""
    found = operators_of("integer")[test.operator]
    if isinstance(test.value, tuple):
        low, high = (number_words(end) for end in test.value)
        return [text(f"{found.label} "), value(low), text(" and "), value(high)]
    return [text(f"{found.label} "), value(number_words(test.value))]


_QUANTITIES = {"gte": "at least", "lte": "at most", "eq": "exactly", "gt": "more than", "lt": "fewer than"}


def quantity(operator: str, raw: Any) -> str:
    """Return "at least 200" or "200 to 2,000", "" for an operator that needs a verb."""
    if operator == "between":
        return f"{number_words(raw[0])} to {number_words(raw[1])}"
    return f"{_QUANTITIES[operator]} {number_words(raw)}" if operator in _QUANTITIES else ""
