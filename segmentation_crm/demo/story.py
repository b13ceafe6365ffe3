"""What one account's story gathers before it is written: people, rows, past values, acts."""

import datetime as dt
import math
import random
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from django.db import models

from accounts.models import Account, Activity, Contact, Opportunity
from segmentation_crm.common.models import User

from .catalogue import SOURCE

MONTH = 30.4


@dataclass(frozen=True)
class Clock:
    """Days counted from today's local midnight: day 0 is today, day -1 yesterday."""

    midnight: dt.datetime
    months: int

    def at(self, day: float) -> dt.datetime:
        """Return the moment of a day and its fraction."""
        return self.midnight + dt.timedelta(days=day)

    def date(self, day: float) -> dt.date:
        """Return the local date of a day."""
        return self.at(day).astimezone(self.midnight.tzinfo).date()

    def month(self, number: int) -> tuple[float, float]:
        """Return first and last day of a month of the story; the last month ends today."""
        first = -(self.months - number) * MONTH
        return first, min(first + MONTH, -0.05)


class Row(dict[str, Any]):
    """The values of a row to be written; `made` is the record once it is."""

    made: Any = None


@dataclass(eq=False)
class Person:
    """A contact with what the story knows of them: since which day, how curious, in which buying roles."""

    contact: Contact
    roles: tuple[str, ...]
    since: float
    interest: float
    listed: bool
    bounced: bool = False
    seen: list[float] = field(default_factory=list)
    deals: list[tuple[float, float | None]] = field(default_factory=list)


class Story:
    """One account's records in the making."""

    def __init__(self, number: int, seed: int, account: Account, clock: Clock) -> None:
        self.number = number
        # The same account whatever the size of the story. Nothing secret is drawn.
        self.rng = random.Random(f"{seed}:{number}")  # noqa: S311
        self.clock = clock
        self.account = account
        self.people: list[Person] = []
        self.deals: list[Opportunity] = []
        self.rows: dict[type[models.Model], list[Row]] = defaultdict(list)
        self.past: list[tuple[models.Model, str, list[tuple[str, dt.datetime]]]] = []
        # Record, moment, who, action, changes.
        self.acts: list[tuple[models.Model, dt.datetime, User | None, str, list[dict[str, Any]]]] = []
        # By identity: a record has no key yet.
        self.last_touch: dict[int, float] = {}

    def add(self, model: type[models.Model], **values: Any) -> Row:
        """Keep a row to be written."""
        row = Row(values)
        self.rows[model].append(row)
        return row

    def activity(self, type_: str, day: float, person: Person | None = None, **values: Any) -> Row:
        """Keep an activity; an inbound one of a person counts as seen."""
        contact = person.contact if person else None
        return self.add(
            Activity,
            type=type_,
            occurred_at=self.clock.at(day),
            contact=contact,
            account=self.account,
            source=SOURCE,
            created_at=self.clock.at(day),
            **values,
        )

    def touched(self, record: models.Model, day: float) -> None:
        """Remember the last day on which something changed the record."""
        self.last_touch[id(record)] = max(day, self.last_touch.get(id(record), day))

    def office_hours(self, day: float) -> float:
        """Return the same day between eight and six, never after today's midnight for a past day."""
        return math.floor(day) + self.rng.uniform(8, 18) / 24


def poisson(rng: random.Random, mean: float) -> int:
    """Draw a count with this mean (small means)."""
    limit, product, count = math.exp(-mean), rng.random(), 0
    while product > limit and count < 60:
        product *= rng.random()
        count += 1
    return count
