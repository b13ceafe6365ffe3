"""Northwind: customers with contact titles, and order lines joined to their orders."""

import csv
from collections import Counter
from decimal import Decimal

import pytest
from django.db.models import Sum

from accounts.models import Account, ExternalId, Purchase
from tests.support.importing import import_data
from tests.support.shared_data import shared_data

from .answers import Api, cases, figure, member_keys
from .translate import Relation, Vocabulary, rule_of

pytestmark = [pytest.mark.shared_data, pytest.mark.django_db, pytest.mark.xdist_group("northwind")]

COUNTRIES = {
    "Germany": "DE", "France": "FR", "Spain": "ES", "UK": "GB", "Italy": "IT", "Sweden": "SE", "Finland": "FI",
    "Austria": "AT", "Belgium": "BE", "Denmark": "DK", "Norway": "NO", "Poland": "PL", "Portugal": "PT",
    "Switzerland": "CH", "Ireland": "IE",
}  # fmt: skip
NORTHWIND = Vocabulary(
    columns={
        "contactTitle": "account.custom.contact_title",
        "country": "account.country",
        "region": "account.custom.region",
    },
    relations={
        "orders": Relation(
            "account.purchases",
            {"value": "purchase.amount", "day": "purchase.ordered_at"},
            count_distinct="purchase.order_number",
        )
    },
    values={"country": COUNTRIES},
)


@pytest.fixture(scope="module")
def northwind(imported_once, tmp_path_factory):
    folder = shared_data("northwind", required=True)
    import_data(folder / "products.csv", "products", "--map", "productName=name", "--map", "productID=external_id")
    import_data(
        folder / "customers.csv", "accounts",
        "--no-guess", "--null", "NULL", "--create-fields",
        "--map", "customerID=external_id", "--map", "companyName=name", "--map", "country=country",
        "--map", "city=city", "--map", "address=street", "--map", "postalCode=postal_code", "--map", "phone=phone",
    )  # fmt: skip
    orders = {row["orderID"]: row for row in csv.DictReader((folder / "orders.csv").open(encoding="utf-8"))}
    lines = tmp_path_factory.mktemp("northwind") / "lines.csv"
    with lines.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["order_number", "account", "product", "quantity", "unit_price", "discount", "ordered_at"])
        for row in csv.DictReader((folder / "order_details.csv").open(encoding="utf-8")):
            order = orders[row["orderID"]]
            day = order["orderDate"].split()[0]
            columns = ("productID", "quantity", "unitPrice", "discount")
            writer.writerow([row["orderID"], order["customerID"], *(row[c] for c in columns), day])
    result = import_data(lines, "purchases")
    return {"lines": result, "titles": figure("northwind", "rows")}


def test_northwind_segments_are_exact_through_the_preview_api(northwind):
    """Every case: count, total and members by their customer id."""
    api, wrong = Api(), {}
    for case in cases("northwind"):
        rules = rule_of(case["filter"], NORTHWIND)
        answer = api.preview("account", rules)
        ids = member_keys(rules, "account")
        known = ExternalId.objects.filter(record_type="account", record_id__in=ids)
        got = (answer["count"], answer["total"], sorted(known.values_list("external_id", flat=True)))
        want = (case["expected_count"], case["of"], sorted(case["expected_members"]))
        if got != want:
            wrong[case["id"]] = (want, got)
    assert wrong == {}


def test_northwind_figures(northwind):
    """Lines, order value, customers without orders, empty regions, titles."""
    expected = northwind["titles"]
    assert northwind["lines"]["created"] == expected["lines"]
    total = Purchase.objects.aggregate(total=Sum("amount"))["total"]
    assert round(total, 2) == Decimal(str(expected["order_value"]))
    assert Purchase.objects.values("order_number").distinct().count() == expected["orders"]
    values = Account.objects.filter(custom_values__definition__key="contact_title")
    assert Counter(values.values_list("custom_values__text", flat=True)) == expected["titles"]
    with_region = Account.objects.filter(custom_values__definition__key="region").distinct().count()
    assert 91 - with_region == expected["region_empty"]
