"""The real sets through the command: what is written, what is reported, nothing repaired."""

from collections import Counter
from decimal import Decimal

import pytest
from django.db.models import Sum

from accounts.models import Account, Contact, CustomField, ImportRow, Opportunity, Product, Stage, Term
from segmentation_crm.common.models import User
from tests.support.importing import import_data
from tests.support.shared_data import shared_data

pytestmark = [pytest.mark.shared_data, pytest.mark.django_db]


def test_maven_completely_by_guesses_alone():
    """85 accounts, 7 products, 35 users, 8,800 opportunities; the dirt is reported and stands."""
    folder = shared_data("maven-crm", required=True)
    users = import_data(folder / "sales_teams.csv", "users")
    products = import_data(folder / "products.csv", "products")
    accounts = import_data(folder / "accounts.csv", "accounts")
    deals = import_data(folder / "sales_pipeline.csv", "opportunities")
    assert [r["created"] for r in (users, products, accounts, deals)] == [35, 7, 85, 8800]
    assert [r["invalid"] for r in (users, products, accounts, deals)] == [0, 0, 0, 0]
    assert users["unmapped"] == ["manager"]
    assert accounts["warnings"]["unknown_country"] == 1
    assert deals["warnings"]["unknown_product"] == 1480
    assert deals["unmapped"] == []
    assert ImportRow.objects.get(run__type="accounts", findings__0__code="unknown_country").findings[0]["text"] == (
        "Philipines"
    )
    assert Term.objects.filter(vocabulary="industry", name="technolgy").exists()
    assert Account.objects.exclude(parent_account=None).count() == 15
    stages = Counter(Opportunity.objects.values_list("stage__name", flat=True))
    assert stages == {"Won": 4238, "Lost": 2473, "Engaging": 1589, "Prospecting": 500}
    assert set(Stage.objects.filter(is_won=True, opportunities__isnull=False).values_list("name", flat=True)) == {"Won"}
    won = Opportunity.objects.filter(stage__is_won=True).aggregate(total=Sum("amount_reporting"))["total"]
    assert won == Decimal(10_005_534)
    assert Opportunity.objects.filter(account=None).count() == 1425
    assert Opportunity.objects.filter(opened_on=None).count() == 500
    assert Opportunity.objects.filter(closed_at=None).count() == 2089
    assert set(Opportunity.objects.filter(product=None).values_list("product_text", flat=True)) == {"GTXPro"}
    assert Opportunity.objects.filter(owner=None).count() == 0
    assert User.objects.filter(is_active=False, opportunities=None).count() == 5


def test_northwind_customers_become_accounts_and_contacts():
    folder = shared_data("northwind", required=True)
    accounts = import_data(
        folder / "customers.csv", "accounts", "--null", "NULL", "--create-fields", "--source", "northwind",
        "--map", "customerID=external_id", "--map", "region=",
    )  # fmt: skip
    assert (accounts["created"], accounts["invalid"], accounts["unmapped"]) == (91, 0, [])
    assert not [code for code in accounts["warnings"] if code.startswith("unknown_country")]
    assert Account.objects.get(name="Alfreds Futterkiste").city == "Berlin"
    contacts = import_data(
        folder / "customers.csv", "contacts", "--null", "NULL", "--source", "northwind", "--map", "customerID=account",
        "--map", "companyName=", "--map", "contactName=name", "--map", "contactTitle=job_title",
    )  # fmt: skip
    assert (contacts["created"], contacts["invalid"]) == (91, 0)
    assert Contact.objects.filter(account=None).count() == 0
    assert Contact.objects.filter(job_title="Owner").count() == 17
    products = import_data(folder / "products.csv", "products", "--source", "northwind")
    assert (products["created"], products["invalid"]) == (77, 0)
    assert Product.objects.get(name="Chai").list_price == 18


def test_sp500_with_guesses_and_new_fields():
    """Founded holds texts such as 2013 (1888): it becomes a text field, and no row is lost."""
    folder = shared_data("sp500", required=True)
    options = ("--create-fields", "--map", "Symbol=external_id", "--map", "Security=name")
    result = import_data(folder / "constituents.csv", "accounts", *options)
    assert (result["created"], result["invalid"], result["unmapped"]) == (503, 0, [])
    kinds = dict(CustomField.objects.values_list("key", "type"))
    assert kinds == {
        "gics_sector": "text",
        "gics_sub_industry": "text",
        "headquarters_location": "text",
        "date_added": "date",
        "cik": "integer",
        "founded": "text",
    }
    again = import_data(folder / "constituents.csv", "accounts", *options)
    assert (again["created"], again["updated"], again["unchanged"]) == (0, 0, 503)


def test_salesforce_accounts_and_opportunities():
    folder = shared_data("crm-exports/salesforce", required=True)
    result = import_data(folder / "accountData.csv", "accounts", "--source", "salesforce")
    assert result["encoding"] == "latin-1"
    assert (result["created"], result["invalid"]) == (422, 0)
    deals = import_data(folder / "opportunityData.csv", "opportunities", "--source", "salesforce")
    assert deals["created"] + deals["invalid"] == 38
    linked = Opportunity.objects.exclude(account=None).count()
    assert linked + deals["warnings"].get("unknown_account", 0) == deals["created"]
    assert Opportunity.objects.filter(stage__name="Closed Won", stage__is_won=True).exists()


def test_mautic_samples():
    """Blanks after commas are trimmed; a company that nobody knows is kept as text."""
    folder = shared_data("crm-exports/mautic", required=True)
    ten = import_data(folder / "10contacts.csv", "contacts")
    assert (ten["created"], ten["invalid"]) == (10, 0)
    assert Contact.objects.filter(email="ariel@example.com", country="CH").exists()
    leads = import_data(folder / "fakeleaddata.csv", "contacts")
    # Of 54, four have no e-mail address, the key of this file, and four are known from the file before.
    assert (leads["created"], leads["updated"], leads["invalid"]) == (46, 4, 4)
    companies = import_data(folder / "fakecompanydata.csv", "accounts")
    assert (companies["created"], companies["invalid"]) == (4, 0)
