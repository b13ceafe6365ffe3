"""The forecast against a plain Python sum, each figure against the list it leads to, and who sees what."""

import datetime as dt
import random
from collections import defaultdict
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone

from accounts.filters import OpportunityFilter
from accounts.models import Opportunity, Pipeline
from accounts.queries import opportunities_visible_to
from accounts.queries.forecast import Calendar, forecast
from segmentation_crm.common.models import Organisation
from tests import factories
from tests.segments.making import three_people

pytestmark = pytest.mark.django_db
ZONE = "America/New_York"


@pytest.fixture
def organisation():
    row = Organisation.current()
    row.time_zone, row.fiscal_year_start_month, row.currency = ZONE, 4, "USD"
    row.save()
    return row


@pytest.fixture
def world(organisation):
    """60 deals of three people, open and closed, some without amount, date, category, probability or owner."""
    rng = random.Random(7)
    people = three_people()
    stages = list(Pipeline.objects.get(is_default=True).stages.order_by("position"))
    for stage, chance in zip(stages, ("0.1", "0.4", "0.75", "1", "0"), strict=True):
        stage.probability = Decimal(chance)
        stage.save()
    zone = ZoneInfo(ZONE)
    for number in range(60):
        stage = rng.choice(stages)
        # The last minutes of a quarter in New York are the next quarter in UTC.
        closed = dt.datetime(2026, rng.choice([3, 6, 9]), 30, 23, 30, tzinfo=zone)
        factories.OpportunityFactory(
            name=f"Deal {number}",
            account=None,
            owner=rng.choice([*people, None]),
            stage=stage,
            amount=rng.choice([None, 100, Decimal("2500.25"), 40000]),
            probability=rng.choice([None, Decimal("0.5")]),
            forecast_category=rng.choice(["", "pipeline", "best_case", "commit", "closed", "omitted"]),
            expected_close=rng.choice([None, dt.date(2026, rng.randint(1, 12), rng.randint(1, 28))]),
            closed_at=None if stage.is_open else closed,
        )
    return people


def by_hand(deals):
    """Sum the deals as a person would: {(month, bucket): [count, amount, weighted]}."""
    zone, found = ZoneInfo(ZONE), defaultdict(lambda: [0, Decimal(0), Decimal(0)])
    for deal in deals:
        amount = deal.amount_reporting or Decimal(0)
        if deal.stage.is_won:
            day, bucket, weight = deal.closed_at.astimezone(zone).date(), "closed", Decimal(1)
        elif deal.stage.is_lost or deal.expected_close is None or deal.forecast_category == "omitted":
            continue
        else:
            day = deal.expected_close
            bucket = {"": "pipeline", "closed": "commit"}.get(deal.forecast_category, deal.forecast_category)
            weight = deal.probability if deal.probability is not None else deal.stage.probability
        row = found[(day.replace(day=1), bucket)]
        row[0] += 1
        row[1] += amount
        row[2] += amount * weight
    return dict(found)


def test_every_figure_is_the_plain_sum(world):
    deals = Opportunity.objects.select_related("stage")
    found = forecast(Opportunity.objects.all(), dt.date(2026, 1, 1), dt.date(2026, 12, 31), Calendar.current())
    sums = defaultdict(lambda: [0, Decimal(0), Decimal(0)])
    for (month, bucket, _), figure in found.cells.items():
        row = sums[(month, bucket)]
        row[0] += figure.count
        row[1] += figure.amount
        row[2] += figure.weighted
    rounded = {key: [row[0], row[1], round(row[2], 4)] for key, row in sums.items()}
    assert rounded == {key: [row[0], row[1], round(row[2], 4)] for key, row in by_hand(deals).items()}
    undated = [d for d in deals if d.stage.is_open and d.expected_close is None and d.forecast_category != "omitted"]
    omitted = [d for d in deals if d.stage.is_open and d.forecast_category == "omitted"]
    assert (found.undated.count, found.omitted.count) == (len(undated), len(omitted))
    assert found.undated.amount == sum(d.amount_reporting or 0 for d in undated)


def listed(viewer, url):
    """Return the deals behind a link, as the list filters them."""
    query = QueryDict(urlsplit(url).query)
    filterset = OpportunityFilter(
        query, queryset=opportunities_visible_to(viewer), request=type("Asker", (), {"user": viewer})()
    )
    assert filterset.is_valid(), filterset.errors
    assert not set(parse_qs(urlsplit(url).query)) - set(filterset.form.fields)
    return list(filterset.qs)


@pytest.mark.parametrize("by", ["month", "quarter"])
def test_a_figure_opens_the_list_that_gives_it(client, world, by):
    admin = factories.UserFactory()
    client.force_login(admin)
    context = client.get(reverse("accounts:forecast"), {"by": by, "year": "2027"}).context
    rows = [*context["rows"], context["total"], *context["owner_rows"], *context["team_rows"]]
    assert len(context["rows"]) == (12 if by == "month" else 4)
    opened = 0
    for row in rows:
        for cell in (*row.cells, row.total):
            if not cell.figure.count:
                continue
            deals = listed(admin, cell.url)
            opened += 1
            assert len(deals) == cell.figure.count, (row.label, cell.url)
            assert sum(d.amount_reporting or 0 for d in deals) == cell.figure.amount
    assert opened > 20
    for name in ("undated", "omitted"):
        assert len(listed(admin, context[name].url)) == context[name].figure.count > 0
    without = context["without_amount"]
    assert len(listed(admin, without.url)) == without.figure.count > 0


def test_a_rep_sees_own_deals_and_a_manager_the_team(client, world):
    alice, bob, charlie = world

    def owners(viewer, **query):
        client.force_login(viewer)
        context = client.get(reverse("accounts:forecast"), {"year": "2027", **query}).context
        total = context["total"].total
        return {deal.owner for deal in listed(viewer, total.url)}, total.figure.count

    assert owners(alice)[0] == {alice}
    assert owners(alice, owner=str(bob.pk))[0] == {alice}
    assert owners(bob)[0] == {alice, bob}
    assert None in owners(bob, team="all")[0]
    assert owners(charlie)[0] == {charlie}
    everybody = {deal.owner for deal in Opportunity.objects.all()}
    assert owners(factories.UserFactory(role="analyst"))[0] == everybody


def test_more_deals_cost_no_more_queries(client, world, django_assert_max_num_queries):
    client.force_login(factories.UserFactory())
    url = reverse("accounts:forecast")
    client.get(url)
    with django_assert_max_num_queries(25) as few:
        client.get(url)
    stage = Pipeline.objects.get(is_default=True).stages.first()
    for _ in range(15):
        factories.OpportunityFactory(stage=stage, owner=world[0], amount=5, expected_close=timezone.localdate())
    with django_assert_max_num_queries(len(few)):
        client.get(url)


def test_fiscal_quarters(organisation):
    calendar = Calendar.current()
    labels = [(p.label, p.start, p.end) for p in calendar.periods(2027, 3)]
    assert labels[0] == ("Q1 2027", dt.date(2026, 4, 1), dt.date(2026, 7, 1))
    assert labels[3] == ("Q4 2027", dt.date(2027, 1, 1), dt.date(2027, 4, 1))
    assert calendar.fiscal_year(dt.date(2026, 3, 31)) == 2026
    assert calendar.fiscal_year(dt.date(2026, 4, 1)) == 2027
    assert calendar.quarter_of(dt.date(2026, 2, 10)).start == dt.date(2026, 1, 1)
    assert calendar.quarter_of(dt.date(2026, 12, 31), 1).label == "Q4 2027"


def test_closes_names_periods_from_today(client, organisation):
    admin = factories.UserFactory()
    today = Calendar.current().today
    stage = Pipeline.objects.get(is_default=True).stages.first()
    soon = factories.OpportunityFactory(stage=stage, expected_close=today)
    factories.OpportunityFactory(stage=stage, expected_close=today + dt.timedelta(days=400))
    assert listed(admin, "?closes=this_month") == [soon]
    assert listed(admin, "?closes=this_quarter") == [soon]
    assert listed(admin, "?closes=next_quarter") == []


def test_nothing_to_forecast_says_what_to_do(client):
    client.force_login(factories.UserFactory())
    for query in ({}, {"year": "abcd"}, {"year": "0"}, {"year": "9999", "by": "x", "type": "zzz"}):
        response = client.get(reverse("accounts:forecast"), query)
        assert response.status_code == 200
        assert "Nothing to forecast" in response.content.decode()
