"""The dashboard's figures: as plain Python counts them, as the lists behind them show them, for three people."""

import datetime as dt
from decimal import Decimal

import pytest
from django.core.cache import cache
from django.urls import reverse

from accounts.models import Account, Contact, Opportunity
from accounts.queries.dashboard import dashboard
from tests import factories

pytestmark = pytest.mark.django_db
TODAY = dt.date(2026, 3, 15)


@pytest.fixture
def people():
    """A rep, the manager of the rep's team and a rep of another team, each with accounts and deals."""
    cache.clear()
    here, there = factories.TeamFactory(), factories.TeamFactory()
    rep = factories.UserFactory(role="sales_rep", team=here)
    manager = factories.UserFactory(role="sales_manager", team=here)
    stranger = factories.UserFactory(role="sales_rep", team=there)
    won, still_open = factories.StageFactory(is_won=True), factories.StageFactory()
    for number in range(30):
        owner = (rep, manager, stranger)[number % 3]
        account = factories.AccountFactory(
            owner=owner,
            account_type="customer" if number % 2 else "prospect",
            employee_count=None if number % 4 else 10,
            customer_since=dt.date(2025, 1, 1) + dt.timedelta(days=20 * number) if number % 2 else None,
        )
        factories.ContactFactory(account=account, email="" if number % 5 == 0 else f"c{number}@x{number}.example")
        deal = factories.OpportunityFactory(
            account=account,
            owner=owner,
            stage=won if number % 3 else still_open,
            amount=Decimal(100 * number),
            opened_on=dt.date(2025, 2, 1) + dt.timedelta(days=15 * number),
        )
        if number % 3:
            moment = dt.datetime(2025, 3, 1, tzinfo=dt.UTC) + dt.timedelta(days=14 * number)
            Opportunity.objects.filter(pk=deal.pk).update(closed_at=moment)
    return rep, manager, stranger


def test_figures_are_what_plain_python_counts(people):
    admin = factories.UserFactory()
    found = dashboard(admin, TODAY)
    accounts = list(Account.objects.live())
    assert (found.accounts, found.contacts) == (len(accounts), Contact.objects.live().count())
    assert found.customers == sum(a.account_type == "customer" for a in accounts)
    deals = list(Opportunity.objects.live().select_related("stage"))
    assert found.open_deals == sum(d.stage.is_open for d in deals)
    assert found.open_amount == sum(d.amount_reporting for d in deals if d.stage.is_open)
    won = [d for d in deals if d.stage.is_won and dt.date(2025, 4, 1) <= d.closed_at.date() < dt.date(2026, 4, 1)]
    assert (found.won, found.won_amount) == (len(won), sum(d.amount_reporting for d in won))
    assert len(found.months) == 12
    assert (found.months[0].start, found.months[-1].start) == (dt.date(2025, 4, 1), dt.date(2026, 3, 1))
    for month in found.months:
        assert month.won == sum(d.closed_at.date().replace(day=1) == month.start for d in won)
        assert month.opened == sum(d.opened_on.replace(day=1) == month.start for d in deals)
        since = [a.customer_since for a in accounts if a.customer_since]
        assert month.customers == sum(day.replace(day=1) == month.start for day in since)
    gaps = {gap.label: gap.count for gap in found.gaps}
    assert gaps["Accounts without size"] == sum(a.employee_count is None and not a.employee_band for a in accounts)
    assert gaps["Contacts without e-mail"] == Contact.objects.live().filter(email="").count()


def test_each_sees_the_figures_of_what_they_see(people):
    rep, manager, stranger = (dashboard(user, TODAY) for user in people)
    assert (rep.accounts, manager.accounts, stranger.accounts) == (10, 20, 10)
    assert manager.contacts == 20


def test_a_figure_leads_to_a_list_of_as_many(client, people):
    admin = factories.UserFactory()
    client.force_login(admin)
    found = dashboard(admin, TODAY)
    month = max(found.months, key=lambda one: one.won)
    for figure, route in (("won", "opportunity_list"), ("opened", "opportunity_list"), ("customers", "account_list")):
        shown = client.get(f"{reverse(f'accounts:{route}')}?{month.query(figure)}")
        assert len(shown.context["table"].rows) == getattr(month, figure), figure
    for gap in found.gaps:
        if gap.count and gap.query:
            shown = client.get(f"{reverse(f'accounts:{gap.route}')}?{gap.query}")
            assert len(shown.context["table"].rows) == gap.count, gap.label


def test_the_first_page_shows_them_later_and_keeps_them(client, people, django_assert_max_num_queries):
    client.force_login(people[1])
    assert b"Counting" in client.get("/").content
    first = client.get("/home/figures/").content.decode()
    assert "Over the records you see" in first
    with django_assert_max_num_queries(8):
        assert client.get("/home/figures/").status_code == 200
    factories.AccountFactory(owner=people[1])
    assert ">20<" in client.get("/home/figures/").content.decode()
    assert ">21<" in client.get("/home/figures/?fresh=1").content.decode()
