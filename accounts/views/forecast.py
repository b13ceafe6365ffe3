"""The forecast page: what closes when, by forecast category, with every figure leading to its deals."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from segmentation_crm.common.access import AnyUser, keep_visibility
from segmentation_crm.common.models import Role, Team, User

from ..choices import OpportunityType
from ..filters import OpportunityFilter
from ..models import Pipeline
from ..queries import opportunities_visible_to
from ..queries.forecast import BUCKETS, Calendar, Figure, Forecast, Period, forecast
from .lists import owners

LABELS = {"closed": "Won", "commit": "Commit", "best_case": "Best case", "pipeline": "Pipeline"}
FILTERS = ("owner", "team", "pipeline", "type")
# A manager's page shows the team unless asked for all.
ALL = "all"
YEARS = range(1900, 2200)


@dataclass(frozen=True)
class Cell:
    """A figure with the address of its deals."""

    figure: Figure
    url: str


@dataclass
class Row:
    """A line of a table: a period, an owner or a team with its cells by bucket and their sum."""

    label: str
    cells: list[Cell]
    total: Cell
    open_weighted: Decimal = Decimal(0)
    is_now: bool = False
    sub: str = ""


@dataclass
class Bar:
    """A period's bar: parts by bucket, in per cent of the largest period."""

    label: str
    total: Decimal
    parts: list[dict[str, Any]] = field(default_factory=list)


@login_required
@require_GET
def forecast_page(request: HttpRequest) -> HttpResponse:
    """Show the forecast of a fiscal year (a fixed number of queries, however many deals)."""
    calendar = Calendar.current()
    by = "month" if request.GET.get("by") == "month" else "quarter"
    year = _year(request.GET.get("year", ""), calendar)
    periods = calendar.periods(year, 1 if by == "month" else 3)
    chosen = scope(request.user, request.GET)
    keep_visibility(request.user)
    filterset = OpportunityFilter(chosen, queryset=opportunities_visible_to(request.user), request=request)
    valid = filterset.is_valid()
    rows = filterset.qs if valid else opportunities_visible_to(request.user).none()
    found = forecast(rows, periods[0].start, periods[-1].last, calendar)
    links = Links(chosen)
    table = [_row(found, links, period, calendar) for period in periods]
    span = Period(str(year), periods[0].start, periods[-1].end)
    total = _row(found, links, span, calendar)
    people = _by_owner(found, links, span)
    context = {
        "calendar_year": year,
        "year_label": _year_words(year, calendar),
        "by": by,
        "previous_url": _with(request, year=year - 1),
        "next_url": _with(request, year=year + 1),
        "month_url": _with(request, by="month"),
        "quarter_url": _with(request, by="quarter"),
        "buckets": [{"key": key, "label": label} for key, label in LABELS.items()],
        "rows": table,
        "total": total,
        "owner_rows": people["owners"],
        "team_rows": people["teams"],
        "bars": _bars(found, periods),
        "won": total.cells[0],
        "undated": Cell(found.undated, links.to(state="open", without_close_date="true")),
        "omitted": Cell(found.omitted, links.to(state="open", forecast_category="omitted")),
        "without_amount": Cell(
            Figure(total.total.figure.without_amount), links.of_period(span, list(BUCKETS), without_amount="true")
        ),
        "controls": _controls(request.user, {**chosen, **({"team": ALL} if request.GET.get("team") == ALL else {})}),
        "is_rep": request.user.role == Role.SALES_REP,  # type: ignore[union-attr]
        "errors": [] if valid else [f"{name}: {' '.join(texts)}" for name, texts in filterset.form.errors.items()],
        "is_empty": not found.cells and not found.undated.count and not found.omitted.count,
    }
    return render(request, "accounts/forecast.html", context)


def scope(user: AnyUser, query: Any) -> dict[str, str]:
    """Return the filters in force: a rep's own deals; a manager's team unless something else is asked for."""
    chosen = {name: query.get(name, "") for name in FILTERS}
    role = getattr(user, "role", "")
    if role == Role.SALES_REP:
        chosen["owner"], chosen["team"] = "me", ""
    elif chosen["team"] == ALL:
        chosen["team"] = ""
    elif role == Role.SALES_MANAGER and not chosen["team"] and not chosen["owner"]:
        chosen["team"] = str(getattr(user, "team_id", None) or "")
    return {name: value for name, value in chosen.items() if value}


@dataclass(frozen=True)
class Links:
    """Addresses of the list of opportunities under the page's filters."""

    chosen: dict[str, str]

    def to(self, **more: Any) -> str:
        """Return the list with more filters; one that is None is taken away."""
        query = {name: value for name, value in {**self.chosen, **more}.items() if value not in (None, "")}
        return f"{reverse('accounts:opportunity_list')}?{urlencode(query, doseq=True)}"

    def of_period(self, period: Period, buckets: Sequence[str], **more: Any) -> str:
        """Return the list of what a cell counts."""
        return self.to(
            forecast=list(buckets),
            closes_from=period.start.isoformat(),
            closes_until=period.last.isoformat(),
            **more,
        )


def _row(found: Forecast, links: Links, period: Period, calendar: Calendar) -> Row:
    cells = [Cell(found.sum(period, [bucket]), links.of_period(period, [bucket])) for bucket in LABELS]
    total = Cell(found.sum(period), links.of_period(period, list(BUCKETS)))
    weighted = found.sum(period, ["pipeline", "best_case", "commit"]).weighted
    return Row(period.label, cells, total, weighted, period.start <= calendar.today < period.end)


def _by_owner(found: Forecast, links: Links, span: Period) -> dict[str, list[Row]]:
    """Return the lines of owners and, where there are several, of their teams (2 queries)."""
    ids = [pk for pk in found.owners() if pk is not None]
    people = {user.pk: user for user in User.objects.filter(pk__in=ids).select_related("team")}
    rows: list[Row] = []
    teams: dict[Any, list[int | None]] = {}
    for pk in found.owners():
        person = people.get(pk) if pk is not None else None
        extra = {"owner": pk, "team": None} if pk is not None else {"unowned": "true", "owner": None}
        cells = [Cell(found.sum(span, [bucket], pk), links.of_period(span, [bucket], **extra)) for bucket in LABELS]
        total = Cell(found.sum(span, owner=pk), links.of_period(span, list(BUCKETS), **extra))
        weighted = found.sum(span, ["pipeline", "best_case", "commit"], pk).weighted
        team = person.team if person else None
        name = person.display_name if person else "No owner"
        rows.append(Row(name, cells, total, weighted, sub=team.name if team else ""))
        teams.setdefault(team, []).append(pk)
    rows.sort(key=lambda row: (-row.total.figure.amount, row.label))
    return {"owners": rows, "teams": _by_team(found, links, span, teams) if len(teams) > 1 else []}


def _by_team(found: Forecast, links: Links, span: Period, teams: dict[Any, list[int | None]]) -> list[Row]:
    rows = []
    for team, members in teams.items():
        if team is None:
            continue
        sums = {bucket: Figure() for bucket in LABELS}
        total, weighted = Figure(), Decimal(0)
        for pk in members:
            for bucket, figure in sums.items():
                figure.add(found.sum(span, [bucket], pk))
            total.add(found.sum(span, owner=pk))
            weighted += found.sum(span, ["pipeline", "best_case", "commit"], pk).weighted
        extra = {"team": team.pk}
        cells = [Cell(figure, links.of_period(span, [bucket], **extra)) for bucket, figure in sums.items()]
        rows.append(Row(team.name, cells, Cell(total, links.of_period(span, list(BUCKETS), **extra)), weighted))
    return sorted(rows, key=lambda row: (-row.total.figure.amount, row.label))


def _bars(found: Forecast, periods: Sequence[Period]) -> list[Bar]:
    """Return the bars of the chart: each part's place and width in per cent of the largest period."""
    sums = {period: {bucket: found.sum(period, [bucket]).amount for bucket in LABELS} for period in periods}
    largest = max((sum(parts.values(), Decimal(0)) for parts in sums.values()), default=Decimal(0))
    bars = []
    for period, parts in sums.items():
        bar, x = Bar(period.label, sum(parts.values(), Decimal(0))), Decimal(0)
        for bucket, amount in parts.items():
            if amount > 0 and largest > 0:
                width = (amount / largest * 100).quantize(Decimal("0.01"))
                bar.parts.append({"bucket": bucket, "x": x, "width": width, "label": LABELS[bucket], "amount": amount})
                x += width
        bars.append(bar)
    return bars if largest > 0 else []


def _controls(user: AnyUser, chosen: dict[str, str]) -> list[dict[str, Any]]:
    """Return the selects of the toolbar; a rep has no choice of owners (up to 3 queries)."""
    controls: list[tuple[str, str, Sequence[tuple[str, str]]]] = []
    if getattr(user, "role", "") != Role.SALES_REP:
        people = [("me", "My deals"), *(choice for choice in owners() if choice[0] != "me")]
        controls.append(("owner", "All owners", people))
        teams = [(str(team.pk), team.name) for team in Team.objects.order_by("name")]
        is_manager = getattr(user, "role", "") == Role.SALES_MANAGER
        controls.append(("team", "All teams", [(ALL, "Everything I see"), *teams] if is_manager else teams))
    pipelines = [(one.slug, one.name) for one in Pipeline.objects.order_by("position", "name")]
    controls.append(("pipeline", "All pipelines", pipelines if len(pipelines) > 1 else []))
    controls.append(("type", "All types", OpportunityType.choices))
    return [
        {"name": name, "label": label, "choices": choices, "value": chosen.get(name, ""), "several": []}
        for name, label, choices in controls
        if choices
    ]


def _year(text: str, calendar: Calendar) -> int:
    if text.isascii() and text.isdigit() and len(text) == 4 and int(text) in YEARS:
        return int(text)
    return calendar.fiscal_year(calendar.today)


def _year_words(year: int, calendar: Calendar) -> str:
    return str(year) if calendar.start_month == 1 else f"Fiscal year {year}"


def _with(request: HttpRequest, **changes: Any) -> str:
    query = request.GET.copy()
    for name, value in changes.items():
        query[name] = str(value)
    return f"?{query.urlencode()}"
