"""The forecast: amounts by period of closing and forecast category, summed by the database."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Case, Count, DecimalField, F, Q, QuerySet, Sum, Value, When
from django.db.models.functions import Coalesce, TruncMonth

from segmentation_crm.common.effective_time import effective_now
from segmentation_crm.common.models import Organisation

from ..choices import ForecastCategory
from ..models import Opportunity, Stage

# The columns of the forecast. An open deal without category counts as pipeline, one called closed as commit: it is not.
BUCKETS = {
    "pipeline": Q(stage__is_open=True) & (Q(forecast_category="") | Q(forecast_category=ForecastCategory.PIPELINE)),
    "best_case": Q(stage__is_open=True, forecast_category=ForecastCategory.BEST_CASE),
    "commit": Q(
        stage__is_open=True, forecast_category__in=[str(ForecastCategory.COMMIT), str(ForecastCategory.CLOSED)]
    ),
    "closed": Q(stage__is_won=True),
}
OMITTED = Q(stage__is_open=True, forecast_category=ForecastCategory.OMITTED)
_BUCKET_OF = {"": "pipeline", "pipeline": "pipeline", "best_case": "best_case", "commit": "commit", "closed": "commit"}
_WHOLE = DecimalField(max_digits=30, decimal_places=8)
_CHANCE = DecimalField(max_digits=7, decimal_places=6)


@dataclass(frozen=True)
class Calendar:
    """The organisation's months, quarters and fiscal years."""

    zone: ZoneInfo
    start_month: int
    today: dt.date

    @classmethod
    def current(cls) -> "Calendar":
        """Read it from the settings (1 query)."""
        organisation = Organisation.current()
        zone = ZoneInfo(organisation.time_zone)
        return cls(zone, organisation.fiscal_year_start_month, effective_now().astimezone(zone).date())

    def fiscal_year(self, day: dt.date) -> int:
        """Return the year in which the fiscal year of a day ends, by which it is called."""
        return day.year if self.start_month == 1 or day.month < self.start_month else day.year + 1

    def year_start(self, fiscal_year: int) -> dt.date:
        """Return the first day of a fiscal year."""
        return dt.date(fiscal_year if self.start_month == 1 else fiscal_year - 1, self.start_month, 1)

    def periods(self, fiscal_year: int, months: int) -> "list[Period]":
        """Return the periods of so many months (1, 3) of a fiscal year."""
        start = self.year_start(fiscal_year)
        return [self.period(add_months(start, offset), months) for offset in range(0, 12, months)]

    def period(self, start: dt.date, months: int) -> "Period":
        """Return the period that begins on a day."""
        end = add_months(start, months)
        if months == 1:
            return Period(f"{start:%b %Y}", start, end)
        number = (
            (start.year - self.year_start(self.fiscal_year(start)).year) * 12 + start.month - self.start_month
        ) // 3
        return Period(f"Q{number + 1} {self.fiscal_year(start)}", start, end)

    def month_of(self, day: dt.date, offset: int = 0) -> "Period":
        """Return the month of a day, or one so many months later."""
        return self.period(add_months(day.replace(day=1), offset), 1)

    def quarter_of(self, day: dt.date, offset: int = 0) -> "Period":
        """Return the fiscal quarter of a day, or one so many quarters later."""
        into = (day.month - self.start_month) % 3
        return self.period(add_months(day.replace(day=1), 3 * offset - into), 3)

    def moment(self, day: dt.date) -> dt.datetime:
        """Return when a day begins."""
        return dt.datetime.combine(day, dt.time.min, self.zone)


@dataclass(frozen=True)
class Period:
    """A period of closing: from its first day until before its end."""

    label: str
    start: dt.date
    end: dt.date

    @property
    def last(self) -> dt.date:
        """Return its last day."""
        return self.end - dt.timedelta(days=1)


def add_months(day: dt.date, months: int) -> dt.date:
    """Return the first day of the month so many months later."""
    index = day.year * 12 + day.month - 1 + months
    return dt.date(index // 12, index % 12 + 1, 1)


def closes_between(first: dt.date | None, last: dt.date | None, calendar: Calendar) -> Q:
    """Return the condition for deals that close from one day to another: open ones by when that is expected."""
    open_, closed = Q(stage__is_open=True), Q(stage__is_open=False)
    if first is not None:
        open_ &= Q(expected_close__gte=first)
        closed &= Q(closed_at__gte=calendar.moment(first))
    if last is not None:
        open_ &= Q(expected_close__lte=last)
        closed &= Q(closed_at__lt=calendar.moment(last + dt.timedelta(days=1)))
    return open_ | closed


@dataclass
class Figure:
    """Deals of one cell: how many, their amount and weighted amount in the organisation's currency."""

    count: int = 0
    amount: Decimal = Decimal(0)
    weighted: Decimal = Decimal(0)
    without_amount: int = 0

    def add(self, other: "Figure") -> None:
        """Add the deals of another cell."""
        self.count += other.count
        self.amount += other.amount
        self.weighted += other.weighted
        self.without_amount += other.without_amount


@dataclass(frozen=True)
class Forecast:
    """Figures by (month's first day, bucket, owner or None); `undated`: open deals without expected close."""

    cells: dict[tuple[dt.date, str, int | None], Figure]
    undated: Figure = field(default_factory=Figure)
    omitted: Figure = field(default_factory=Figure)

    @cached_property
    def _by_owner(self) -> dict[Any, dict[str, list[tuple[dt.date, Figure]]]]:
        """Figures of each owner, and under `...` of all together, by bucket: a page asks for hundreds of sums."""
        found: dict[Any, dict[str, list[tuple[dt.date, Figure]]]] = defaultdict(lambda: defaultdict(list))
        whole: dict[tuple[dt.date, str], Figure] = defaultdict(Figure)
        for (month, bucket, who), figure in self.cells.items():
            found[who][bucket].append((month, figure))
            whole[month, bucket].add(figure)
        for (month, bucket), figure in whole.items():
            found[...][bucket].append((month, figure))
        return found

    def sum(self, period: Period | None = None, buckets: Iterable[str] | None = None, owner: Any = ...) -> Figure:
        """Return the figure of a period, of some buckets, of an owner (None: of nobody); each all where not given."""
        found = Figure()
        by_bucket = self._by_owner.get(owner, {})
        for bucket in set(buckets if buckets is not None else BUCKETS):
            for month, figure in by_bucket.get(bucket, ()):
                if period is None or period.start <= month < period.end:
                    found.add(figure)
        return found

    def owners(self) -> list[int | None]:
        """Return whose deals there are."""
        return list({who for _, _, who in self.cells})


class _MonthOfDay(TruncMonth):
    """The month of a day. PostgreSQL would make each day a moment of the session's time zone first."""

    def as_postgresql(self, compiler: Any, connection: Any, **more: Any) -> tuple[str, Any]:
        """Cut the day itself."""
        sql, params = compiler.compile(self.lhs)
        return f"DATE_TRUNC('month', ({sql})::timestamp)", params


def forecast(opportunities: "QuerySet[Opportunity]", first: dt.date, last: dt.date, calendar: Calendar) -> Forecast:
    """Sum the deals that close from one day to another (4 queries, however many deals).

    weighted = amount × probability of the deal, else of its stage, else 0; what is won counts whole. Stages are
    named by key: each sum then comes from an index alone (accounts_opp_open_sums, accounts_opp_closed_sums).
    """
    stages = list(Stage.objects.order_by().values_list("pk", "is_open", "is_won", "probability"))
    of_stage = [When(stage_id=pk, then=Value(chance)) for pk, is_open, _, chance in stages if is_open and chance]
    chance = Coalesce(F("probability"), Case(*of_stage, default=Value(Decimal(0)), output_field=_CHANCE))
    rows = opportunities.order_by()
    sums: dict[str, Any] = {
        "count": Count("*"),
        "amount": Sum("amount_reporting"),
        "without_amount": Count("stage", filter=Q(amount_reporting__isnull=True)),
    }
    cells: dict[tuple[dt.date, str, int | None], Figure] = defaultdict(Figure)
    still_open = rows.filter(stage_id__in=[pk for pk, is_open, _, _ in stages if is_open])
    open_: Any = (
        still_open.filter(forecast_category__in=list(_BUCKET_OF), expected_close__gte=first, expected_close__lte=last)
        .annotate(month=_MonthOfDay("expected_close"))
        .values("month", "forecast_category", "owner_id")
        .annotate(**sums, weighted=Sum(F("amount_reporting") * chance, output_field=_WHOLE))
    )
    for row in open_:
        cells[(row["month"], _BUCKET_OF[row["forecast_category"]], row["owner_id"])].add(_figure(row))
    won: Any = (
        rows.filter(
            stage_id__in=[pk for pk, _, is_won, _ in stages if is_won],
            closed_at__gte=calendar.moment(first),
            closed_at__lt=calendar.moment(last + dt.timedelta(days=1)),
        )
        .annotate(month=TruncMonth("closed_at", tzinfo=calendar.zone))
        .values("month", "owner_id")
        .annotate(**sums, weighted=Sum("amount_reporting"))
    )
    for row in won:
        cells[(row["month"].date(), "closed", row["owner_id"])].add(_figure(row))
    undated = Q(expected_close__isnull=True, forecast_category__in=list(_BUCKET_OF))
    omitted = Q(forecast_category=ForecastCategory.OMITTED)
    apart = still_open.filter(undated | omitted).aggregate(**_apart("undated", undated), **_apart("omitted", omitted))
    return Forecast(
        dict(cells),
        Figure(apart["undated_count"], apart["undated_amount"] or Decimal(0)),
        Figure(apart["omitted_count"], apart["omitted_amount"] or Decimal(0)),
    )


def _apart(name: str, condition: Q) -> dict[str, Any]:
    return {
        f"{name}_count": Count("stage", filter=condition),
        f"{name}_amount": Sum("amount_reporting", filter=condition),
    }


def _figure(row: dict[str, Any]) -> Figure:
    return Figure(row["count"], row["amount"] or Decimal(0), row["weighted"] or Decimal(0), row["without_amount"])
