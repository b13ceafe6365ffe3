"""Days as a person lives them: in the zone the user chose, else the organisation's."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from .access import AnyUser
from .models import Organisation, User
from .services.preferences import preference

ZONE_KEY = "time_zone"
# Beyond these, a moment may have no counterpart in another zone, and none is meant.
YEARS = range(1900, 2200)


def zone_of(user: AnyUser) -> ZoneInfo:
    """Return the zone in which the user's days begin (1 or 2 queries)."""
    chosen = preference(user, ZONE_KEY).get("name", "") if isinstance(user, User) else ""
    if chosen and chosen in available_timezones():
        return ZoneInfo(chosen)
    return ZoneInfo(Organisation.current().time_zone)


def check_year(value: dt.date | None) -> None:
    """Let days and moments of the years 1900 to 2199 pass; also a validator of forms.

    Raises ValidationError for others.
    """
    if value is not None and value.year not in YEARS:
        raise ValidationError(f"Give a year from {YEARS[0]} to {YEARS[-1]}.")


@dataclass(frozen=True)
class LocalDay:
    """One day in a zone, by the moments between which it lies."""

    zone: ZoneInfo
    date: dt.date

    @classmethod
    def today(cls, zone: ZoneInfo, now: dt.datetime | None = None) -> "LocalDay":
        """Return the day that it is in the zone."""
        return cls(zone, (now or timezone.now()).astimezone(zone).date())

    def plus(self, days: int) -> "LocalDay":
        """Return the day so many days later (negative: earlier)."""
        return LocalDay(self.zone, self.date + dt.timedelta(days=days))

    def at(self, hour: int, minute: int = 0) -> dt.datetime:
        """Return the moment of a wall-clock time on this day; one that the clocks skip moves on by the gap."""
        wall = dt.datetime.combine(self.date, dt.time(hour, minute), self.zone)
        return wall.astimezone(dt.UTC).astimezone(self.zone)

    @property
    def start(self) -> dt.datetime:
        """Return the moment the day begins."""
        return self.at(0)

    @property
    def end(self) -> dt.datetime:
        """Return the moment the next day begins."""
        return self.plus(1).start

    @property
    def week_end(self) -> dt.datetime:
        """Return the moment after the week's last day, Sunday."""
        return self.plus(7 - self.date.weekday()).start


def in_local_time(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Let a view read and write dates in the user's zone; it stands below `login_required` (1 or 2 queries)."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with timezone.override(zone_of(request.user)):
            return view(request, *args, **kwargs)

    return wrapped
