"""Money in the organisation's currency, at the rate of each record's date."""

import datetime as dt
from decimal import Decimal

import pytest

from accounts.models import Account, Opportunity, Purchase
from accounts.services.money import RateBook, refresh_all_reporting, refresh_reporting
from accounts.services.saving import after_bulk_write
from segmentation_crm.common.models import Organisation
from tests import factories

pytestmark = pytest.mark.django_db
UTC = dt.UTC


@pytest.fixture
def rates():
    """EUR to USD: 1.10 from 2020, 1.25 from 2026-02-01; GBP only the other way round."""
    Organisation.objects.create(currency="USD", time_zone="Europe/Berlin")
    factories.ExchangeRateFactory(on_date=dt.date(2020, 1, 1), rate=Decimal("1.10"))
    factories.ExchangeRateFactory(on_date=dt.date(2026, 2, 1), rate=Decimal("1.25"))
    factories.ExchangeRateFactory(base="USD", quote="GBP", on_date=dt.date(2020, 1, 1), rate=Decimal("0.8"))


def purchase(**values):
    return factories.PurchaseFactory(**{"amount": 100, "amount_reporting": None, **values})


def test_the_rate_of_the_records_date_counts(rates):
    early = purchase(amount_currency="EUR", ordered_at=dt.datetime(2026, 1, 31, 12, tzinfo=UTC))
    late = purchase(amount_currency="EUR", ordered_at=dt.datetime(2026, 2, 1, 12, tzinfo=UTC))
    assert (early.amount_reporting, late.amount_reporting) == (Decimal("110.0000"), Decimal("125.0000"))


def test_the_day_is_the_organisations_local_day(rates):
    evening = purchase(amount_currency="EUR", ordered_at=dt.datetime(2026, 1, 31, 23, 30, tzinfo=UTC))
    assert evening.amount_reporting == Decimal(125)


def test_own_currency_and_none_stay_as_they_are(rates):
    assert purchase(amount_currency="USD").amount_reporting == 100
    assert purchase(amount_currency="").amount_reporting == 100
    assert purchase(amount=None, quantity=None).amount_reporting is None


def test_a_rate_given_the_other_way_round_is_turned(rates):
    assert purchase(amount_currency="GBP").amount_reporting == Decimal(125)


def test_without_a_rate_there_is_no_reporting_amount(rates):
    assert purchase(amount_currency="JPY").amount_reporting is None
    before = purchase(amount_currency="EUR", ordered_at=dt.datetime(2019, 12, 30, tzinfo=UTC))
    assert before.amount_reporting is None


def test_an_opportunity_counts_at_its_closing_else_its_opening(rates):
    made = {"amount": 100, "amount_currency": "EUR", "opened_on": dt.date(2026, 1, 1)}
    assert factories.OpportunityFactory(**made).amount_reporting == Decimal(110)
    closed = factories.OpportunityFactory(closed_at=dt.datetime(2026, 3, 1, tzinfo=UTC), **made)
    assert closed.amount_reporting == Decimal(125)


def test_the_amount_is_computed_from_quantity_price_and_discount(rates):
    line = factories.OpportunityLineFactory(
        quantity=3, unit_price=Decimal("10"), unit_price_currency="EUR", discount=Decimal("0.1"),
        opportunity__opened_on=dt.date(2026, 1, 1),
    )  # fmt: skip
    assert (line.amount, line.amount_currency, line.amount_reporting) == (Decimal("27.0000"), "EUR", Decimal("29.7"))
    given = purchase(amount=5, quantity=3, unit_price=10)
    assert given.amount == 5


def test_new_rates_bring_stored_amounts_in_line(rates):
    account = factories.AccountFactory(annual_revenue=900_000, annual_revenue_currency="EUR")
    assert (account.annual_revenue_reporting, account.revenue_band) == (Decimal(1_125_000), "1-10M")
    bought = purchase(amount_currency="EUR", ordered_at=dt.datetime(2026, 3, 1, tzinfo=UTC))
    factories.ExchangeRateFactory(on_date=dt.date(2026, 2, 15), rate=Decimal("1.00"))
    changed = refresh_all_reporting()
    account.refresh_from_db()
    bought.refresh_from_db()
    assert (account.annual_revenue_reporting, account.revenue_band) == (Decimal(900_000), "<1M")
    assert bought.amount_reporting == 100
    assert (changed["account"], changed["purchase"]) == (1, 1)
    assert refresh_reporting(Purchase) == 0


def test_bulk_writes_are_brought_in_line(rates):
    account = Account.objects.bulk_create([Account(name="A", employee_count=30, annual_revenue=5)])[0]
    stage = factories.StageFactory(is_won=True)
    Opportunity.objects.bulk_create(
        [Opportunity(name="O", account=account, stage=stage, amount=10, amount_currency="GBP")]
    )
    after_bulk_write("account")
    after_bulk_write("opportunity")
    account.refresh_from_db()
    assert (account.employee_band, account.size_class, account.revenue_band) == ("11-50", "small", "<1M")
    assert (account.account_type, account.group_employee_count) == ("customer", 30)
    assert Opportunity.objects.get().amount_reporting == Decimal("12.5")


def test_loading_the_book_takes_two_queries(rates, django_assert_num_queries):
    with django_assert_num_queries(2):
        book = RateBook.load()
    with django_assert_num_queries(0):
        assert book.convert(1, "EUR", dt.date(2026, 2, 1)) == Decimal("1.25")
