"""The clock of a rule: as_of, the organisation's days, windows, periods and fiscal years (RULES §5.4, §5.5).

Everything that depends on time is turned into bounds here, half-open for moments, closed for dates; the compiler only
compares columns with them.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone

from segmentation_crm.common.models import Organisation

from .nodes import DateOperand, Duration

_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_DAYS = {"day": 1, "week": 7}


@dataclass(frozen=True)
class Days:
    """Calendar days from first to last, both included; None is unbounded."""

    first: date | None = None
    last: date | None = None


@dataclass(frozen=True)
class Moments:
    """The moments m with start <= m < end; None is unbounded."""

    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True)
class YearDays:
    """Days of the year, as month * 100 + day, on which an anniversary is due, for dates before that year."""

    year: int
    first: int
    last: int


def shift(day: date, n: int, unit: str) -> date:
    """Return the day n units later (earlier for n < 0), month ends clamped; never beyond the years 1 to 9999."""
    if unit in _DAYS:
        ordinal = day.toordinal() + n * _DAYS[unit]
        return date.fromordinal(min(max(ordinal, date.min.toordinal()), date.max.toordinal()))
    months = day.year * 12 + day.month - 1 + n * _MONTHS[unit]
    year, month = divmod(months, 12)
    if year < 1:
        return date.min
    if year > 9999:
        return date.max
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


@dataclass(frozen=True)
class Clock:
    """The moment a rule is asked at, and the settings that time depends on.

    Built once per compilation by `Clock.at()`; passing one in keeps the compiler free of queries.
    """

    as_of: datetime
    zone: ZoneInfo
    fiscal_month: int = 1
    size_limits: tuple[tuple[str, int], ...] = (("micro", 10), ("small", 50), ("mid_market", 1000))

    @classmethod
    def at(cls, as_of: datetime | date | None = None) -> "Clock":
        """Return the clock at this moment, by the organisation's settings (1 query).

        None is now; a bare date is the end of that local day; a moment without zone is local.
        """
        settings = Organisation.current()
        zone = ZoneInfo(settings.time_zone)
        limits = tuple((name, int(limit)) for name, limit in settings.size_limits.items())
        made = cls(timezone.now(), zone, settings.fiscal_year_start_month, limits)
        if isinstance(as_of, datetime):
            return cls(made.moment(as_of), zone, made.fiscal_month, limits)
        if as_of is not None:
            end = made.last_moment(as_of)
            return cls(end, zone, made.fiscal_month, limits)
        return made

    @property
    def today(self) -> date:
        """Return the local day of as_of."""
        return self.day_of(self.as_of)

    def moment(self, value: datetime) -> datetime:
        """Return the moment in UTC; one without zone is local."""
        if value.tzinfo is None:
            value = value.replace(tzinfo=self.zone)
        try:
            return value.astimezone(UTC)
        except OverflowError:
            return value.replace(tzinfo=UTC)

    def day_of(self, value: datetime) -> date:
        """Return the local day of a moment."""
        try:
            return self.moment(value).astimezone(self.zone).date()
        except OverflowError:
            return value.date()

    def start_of(self, day: date) -> datetime | None:
        """Return the moment at which the local day begins, or None where it lies before the year 1."""
        try:
            return datetime.combine(day, time.min, self.zone).astimezone(UTC)
        except OverflowError:
            return None

    def end_of(self, day: date) -> datetime | None:
        """Return the moment at which the next local day begins, or None where it lies beyond the year 9999."""
        return None if day == date.max else self.start_of(day + timedelta(days=1))

    def last_moment(self, day: date) -> datetime:
        """Return the last microsecond of the local day: what a bare date means as as_of."""
        end = self.end_of(day)
        return datetime.max.replace(tzinfo=UTC) if end is None else end - timedelta(microseconds=1)

    def moments(self, days: Days) -> Moments:
        """Return the moments of whole local days."""
        return Moments(
            None if days.first is None else self.start_of(days.first),
            None if days.last is None else self.end_of(days.last),
        )

    # --- operands ---
    def operand(self, value: DateOperand) -> date | datetime:
        """Return a moment in UTC for a written datetime, else a local day."""
        if value.datetime is not None:
            return self.moment(value.datetime)
        if value.date is not None:
            return value.date
        if value.ago is not None:
            return shift(self.today, -value.ago.n, value.ago.unit)
        if value.ahead is not None:
            return shift(self.today, value.ahead.n, value.ahead.unit)
        return self.today

    # --- windows ---
    def back(self, duration: Duration) -> date:
        """Return the local day n units back: the first of the window that ends at as_of."""
        return shift(self.today, -duration.n, duration.unit)

    def last_days(self, duration: Duration) -> Days:
        """Return the days of in_last: today included."""
        return Days(self.back(duration), self.today)

    def last_moments(self, duration: Duration) -> Moments:
        """Return the moments of in_last: from local midnight n units back up to as_of."""
        return Moments(self.start_of(self.back(duration)), self.as_of)

    def next_days(self, duration: Duration) -> Days:
        """Return the days of in_next: today included."""
        return Days(self.today, shift(self.today, duration.n, duration.unit))

    def next_moments(self, duration: Duration) -> Moments:
        """Return the moments of in_next: from as_of to the end of the local day n units ahead."""
        return Moments(self.as_of, self.end_of(shift(self.today, duration.n, duration.unit)))

    def period(self, name: str) -> Days:
        """Return the days of a period such as this_week or last_fiscal_year, those to come included."""
        if name in ("today", "yesterday"):
            day = self.today if name == "today" else shift(self.today, -1, "day")
            return Days(day, day)
        which, _, unit = name.partition("_")
        if unit == "week":
            start, step = shift(self.today, -self.today.weekday(), "day"), "week"
        else:
            fiscal, step = unit.startswith("fiscal_"), unit.removeprefix("fiscal_")
            length = _MONTHS[step]
            first_month = self.fiscal_month if fiscal else 1
            into = (self.today.month - first_month) % length
            start = shift(self.today.replace(day=1), -into, "month")
        if which == "last":
            start = shift(start, -1, step)
        following = shift(start, 1, step)
        return Days(start, date.max if following == date.max else following - timedelta(days=1))

    def anniversaries(self, duration: Duration) -> list[YearDays]:
        """Return the days of the year in the window of in_next, one entry per calendar year.

        29 February is due on the 28th in other years; the first anniversary comes a year after the date.
        """
        window = self.next_days(duration)
        assert window.first
        assert window.last
        found = []
        for year in range(window.first.year, window.last.year + 1):
            first = window.first.month * 100 + window.first.day if year == window.first.year else 101
            last = window.last.month * 100 + window.last.day if year == window.last.year else 1231
            if last == 228 and monthrange(year, 2)[1] == 28:
                last = 229
            found.append(YearDays(year, first, last))
        # Of whole years the latest says what the earlier ones say, and more.
        whole = [entry for entry in found if (entry.first, entry.last) == (101, 1231)]
        return [entry for entry in found if entry not in whole[:-1]]
