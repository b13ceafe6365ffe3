"""The timeline of a record: events of many sources merged by time and paged by key.

Order: newest first; at one moment by the rank of the source, then the higher key first. A source returns the events
that follow a cursor in that order, never more than it is asked for.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone

from .access import AnyUser


class TimelineKind(models.TextChoices):
    """What a timeline is filtered by."""

    CONVERSATION = "conversation", "Calls and meetings"
    EMAIL = "email", "E-mail"
    WEB = "web", "Web and content"
    PRODUCT = "product", "Product use"
    SURVEY = "survey", "Surveys and reviews"
    NOTE = "note", "Notes"
    TASK = "task", "Tasks"
    DEAL = "deal", "Deals"
    PURCHASE = "purchase", "Purchases and contracts"
    SUPPORT = "support", "Support"
    FILE = "file", "Files"
    STATUS = "status", "Status"
    SEGMENT = "segment", "Segments"


@dataclass(frozen=True)
class Cursor:
    """The last event that was shown: its moment, the rank of its source, its key there."""

    at: dt.datetime
    rank: int
    pk: int


@dataclass
class TimelineEvent:
    """One line: what (title), what it was about, with whom. `contact` is only named where the viewer sees it.

    `text` is what somebody wrote. `parts` of a line that stands for a whole day: how many of which type.
    """

    at: dt.datetime
    kind: str
    pk: int
    title: str
    icon: str = "activity"
    about: str = ""
    url: str = ""
    text: str = ""
    tone: str = ""
    by: str = ""
    contact: Any = None
    account: Any = None
    parts: Sequence[tuple[str, int]] = ()
    has_time: bool = True
    rank: int = 0

    @property
    def contact_id(self) -> int | None:
        """Return the contact's key."""
        return getattr(self.contact, "pk", None)

    @property
    def account_id(self) -> int | None:
        """Return the account's key."""
        return getattr(self.account, "pk", None)

    @property
    def key(self) -> tuple[dt.datetime, int, int]:
        """Return what orders events: the greatest first."""
        return (self.at, -self.rank, self.pk)


@dataclass(frozen=True)
class TimelineQuery:
    """What a source is asked: whose events, who looks, after which cursor, how many.

    `contacts` and `opportunities` are those around the record that the user sees; `contact_id` narrows to one person.
    """

    record_type: str
    record: Any
    user: AnyUser
    limit: int
    kinds: frozenset[str] = frozenset()
    before: Cursor | None = None
    contact_id: int | None = None
    contacts: Sequence[int] = ()
    opportunities: Sequence[int] = ()
    rank: int = field(default=0)

    def older(self, column: str) -> Q:
        """Return the condition for rows whose moment in `column` follows the cursor."""
        if self.before is None:
            return Q(**{f"{column}__isnull": False})
        at = self.before.at
        return self._after(column, at, tie=at)

    def older_days(self, column: str) -> Q:
        """Return the same for a column of dates: a day counts as its local midnight."""
        if self.before is None:
            return Q(**{f"{column}__isnull": False})
        local = timezone.localtime(self.before.at)
        day = local.date()
        if day_start(day) < self.before.at:
            return Q(**{f"{column}__lte": day})
        return self._after(column, day, tie=day)

    def _after(self, column: str, value: Any, tie: Any) -> Q:
        """Return rows before the value, and of those at it what the order puts after the cursor."""
        assert self.before is not None
        if self.rank < self.before.rank:
            return Q(**{f"{column}__lt": value})
        if self.rank > self.before.rank:
            return Q(**{f"{column}__lte": value})
        return Q(**{f"{column}__lte": value}) & (Q(**{f"{column}__lt": tie}) | Q(pk__lt=self.before.pk))


@dataclass(frozen=True)
class TimelineSource:
    """Where events come from: a name, the kinds it can give, and how to fetch a page of them."""

    name: str
    kinds: frozenset[str]
    fetch: Callable[[TimelineQuery], list[TimelineEvent]]


def day_start(day: dt.date) -> dt.datetime:
    """Return the local midnight that a date counts as."""
    return timezone.make_aware(dt.datetime.combine(day, dt.time.min))


def merge_sources(sources: Sequence[TimelineSource], query: TimelineQuery) -> tuple[list[TimelineEvent], Cursor | None]:
    """Return one page of events and the cursor of the next, None at the end (the queries of each wanted source)."""
    found: list[TimelineEvent] = []
    for rank, source in enumerate(sources):
        if query.kinds and not query.kinds & source.kinds:
            continue
        for event in source.fetch(replace(query, rank=rank, limit=query.limit + 1)):
            event.rank = rank
            found.append(event)
    if query.before is not None:
        # SQLite's triggers write milliseconds: a row can then look older than its own cursor.
        last = (query.before.at, -query.before.rank, query.before.pk)
        found = [event for event in found if event.key < last]
    found.sort(key=lambda event: event.key, reverse=True)
    page = found[: query.limit]
    if len(found) <= query.limit or not page:
        return page, None
    return page, Cursor(page[-1].at, page[-1].rank, page[-1].pk)
