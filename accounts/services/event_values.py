"""Reading one event as a program sent it: every value is checked by itself, without a query.

Ten thousand of them come in one call, which is why no serializer does it: a table of readers costs a tenth.
"""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from ..choices import ActivityType, Channel, Direction, Party
from .activities import usual_direction

# A sender's clock may run ahead by so much; before 1990 it is an empty clock, not an event.
AHEAD = dt.timedelta(minutes=5)
EARLIEST = dt.datetime(1990, 1, 1, tzinfo=dt.UTC)
USUAL_SOURCE = "api"
# Of one event so many faults are told.
MOST_PROBLEMS = 5
MAX_KEY = 2**63 - 1


class Refused(ValueError):
    """A value that cannot be taken; `code` and the message say why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one field of one event; field is "" where the event as a whole is meant."""

    index: int
    field: str
    code: str
    message: str


@dataclass(slots=True)
class EventDraft:
    """An event whose values are right: columns of Activity, references as they were sent, its number elsewhere."""

    index: int
    columns: dict[str, Any]
    links: dict[str, Any] = field(default_factory=dict)
    external_id: str = ""
    source: str = USUAL_SOURCE

    @property
    def visitor(self) -> str:
        """Return the visitor's id, "" where there is none."""
        return str(self.columns.get("visitor_id", ""))


Reader = Callable[[Any], Any]


def text(limit: int | None) -> Reader:
    """Return the reader of a text of up to so many characters."""

    def read(value: Any) -> str:
        if type(value) is not str:
            raise Refused("invalid_type", "Give a text.")
        if not value.isprintable():
            _check_storable(value)
        found = value.strip()
        if limit is not None and len(found) > limit:
            raise Refused("max_length", f"At most {limit} characters; these are {len(found)}.")
        return found

    return read


def number_elsewhere(limit: int) -> Reader:
    """Return the reader of the number that a record has in another system; a whole number is taken as its digits."""
    read_text = text(limit)

    def read(value: Any) -> str:
        found = str(value) if type(value) is int else read_text(value)
        if len(found) > limit:
            raise Refused("max_length", f"At most {limit} characters; these are {len(found)}.")
        return str(found)

    return read


def one_of(values: Iterable[str]) -> Reader:
    """Return the reader of a token of a closed list."""
    known = {str(value) for value in values}
    words = ", ".join(sorted(known))

    def read(value: Any) -> str:
        if type(value) is not str or value not in known:
            raise Refused("invalid_choice", f"Give one of: {words}.")
        return value

    return read


def whole(low: int, high: int) -> Reader:
    """Return the reader of a whole number from low to high."""

    def read(value: Any) -> int:
        if type(value) is not int:
            raise Refused("invalid_type", f"Give a whole number from {low} to {high}.")
        if not low <= value <= high:
            raise Refused("out_of_range", f"Give a whole number from {low} to {high}.")
        return value

    return read


def figure(low: Decimal, high: Decimal, places: int) -> Reader:
    """Return the reader of a figure from low to high, as number or as text, with so many decimal places at most."""

    def read(value: Any) -> Decimal:
        if type(value) not in (int, float, str) or (type(value) is str and len(value) > 40):
            raise Refused("invalid_type", 'Give a figure, such as 12.5 or "12.50".')
        try:
            found = Decimal(str(value))
        except InvalidOperation:
            raise Refused("invalid_type", 'Give a figure, such as 12.5 or "12.50".') from None
        if not found.is_finite() or not low <= found <= high:
            raise Refused("out_of_range", f"Give a figure from {low} to {high}.")
        if int(found.as_tuple().exponent) < -places:
            raise Refused("too_many_places", f"At most {places} decimal places.")
        return found

    return read


def flag(value: Any) -> bool:
    """Return a yes or no.

    Raises Refused.
    """
    if type(value) is not bool:
        raise Refused("invalid_type", "Give true or false.")
    return value


def moment(value: Any) -> dt.datetime:
    """Return the moment written as ISO 8601 with its time zone.

    Raises Refused.
    """
    wanted = "Give a moment with its time zone, such as 2026-03-31T12:00:00Z."
    if type(value) is not str or len(value) > 40:
        raise Refused("invalid_moment", wanted)
    try:
        found = dt.datetime.fromisoformat(value)
        if found.tzinfo is None:
            raise Refused("invalid_moment", wanted)
        return found.astimezone(dt.UTC)
    except Refused:
        raise
    except (ValueError, OverflowError):
        raise Refused("invalid_moment", wanted) from None


def key_or_name(value: Any) -> int | str:
    """Return a reference: an id, or a text that names its target.

    Raises Refused.
    """
    if type(value) is int:
        if not 1 <= value <= MAX_KEY:
            raise Refused("does_not_exist", "There is no such record.")
        return value
    found = text(200)(value) if type(value) is str else None
    if not found:
        raise Refused("invalid_type", "Give an id, or the name where the target has one.")
    return int(found) if found.isascii() and found.isdigit() and len(found) < 19 else str(found)


def _check_storable(value: str) -> None:
    if "\x00" in value:
        raise Refused("bad_text", "The text holds a NUL character.")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise Refused("bad_text", "The text holds half of a surrogate pair.") from None


_PLACES = Decimal(10) ** 16 - Decimal("0.0001")
READERS: dict[str, Reader] = {
    "type": one_of(ActivityType.values),
    "occurred_at": moment,
    "direction": one_of(Direction.values),
    "channel": one_of(Channel.values),
    "party": one_of(Party.values),
    "subject": text(255),
    "text": text(None),
    "visitor_id": text(80),
    "url_path": text(1000),
    "entry_page": text(1000),
    "referrer": text(1000),
    "utm_source": text(200),
    "utm_medium": text(200),
    "utm_campaign": text(200),
    "utm_term": text(200),
    "utm_content": text(200),
    "provider": text(120),
    "duration_s": whole(0, 2**31 - 1),
    "nps": whole(0, 10),
    "value": figure(-_PLACES, _PLACES, 4),
    "intent_score": figure(Decimal(0), Decimal(100), 3),
    "baseline": figure(Decimal(0), Decimal(100), 3),
    "bot_suspected": flag,
}
LINKS: dict[str, Reader] = {
    "contact": key_or_name,
    "contact_external_id": number_elsewhere(200),
    "contact_source": text(60),
    "email": text(254),
    "account": key_or_name,
    "opportunity": key_or_name,
    "campaign": key_or_name,
    "content": key_or_name,
    "topic": key_or_name,
    "user": key_or_name,
}
OWN: dict[str, Reader] = {"external_id": number_elsewhere(200), "source": text(60)}
_ALL: dict[str, Reader] = {**READERS, **LINKS, **OWN}


def read_event(index: int, raw: Any, now: dt.datetime) -> tuple[EventDraft | None, list[Problem]]:
    """Return the event, or what is wrong with it: up to 5 faults (0 queries). Null means "not given"."""
    if type(raw) is not dict:
        return None, [Problem(index, "", "not_an_object", "An event is an object of fields.")]
    problems: list[Problem] = []
    draft = EventDraft(index, {})
    columns, links = draft.columns, draft.links
    for name, value in raw.items():
        reader = _ALL.get(name)
        if reader is None:
            problems.append(Problem(index, printable(name), "unknown_field", "There is no such field."))
        elif value is not None:
            try:
                found = reader(value)
            except Refused as error:
                problems.append(Problem(index, name, error.code, error.message))
            else:
                if name in READERS:
                    columns[name] = found
                elif name in LINKS:
                    links[name] = found
                elif found:
                    setattr(draft, name, found)
        if len(problems) >= MOST_PROBLEMS:
            return None, problems
    refused = {problem.field for problem in problems}
    for name in ("type", "occurred_at"):
        if name not in columns and name not in refused:
            problems.append(Problem(index, name, "required", "Every event needs this field."))
    if "occurred_at" in columns:
        problems += _clock_problems(index, columns["occurred_at"], now)
    if problems:
        return None, problems[:MOST_PROBLEMS]
    columns.setdefault("direction", usual_direction(columns["type"]))
    return draft, []


def _clock_problems(index: int, at: dt.datetime, now: dt.datetime) -> list[Problem]:
    if at > now + AHEAD:
        words = f"The moment lies in the future; here it is {now:%Y-%m-%dT%H:%M:%SZ}. Set the sender's clock."
        return [Problem(index, "occurred_at", "in_future", words)]
    if at < EARLIEST:
        words = "The moment lies before 1990, which is what an empty clock writes. Give the real one."
        return [Problem(index, "occurred_at", "too_early", words)]
    return []


def printable(name: str) -> str:
    """Return a key as an answer can hold it."""
    return name[:100].encode("ascii", "backslashreplace").decode()
