"""The stored answers of the real data sets, exact through the preview API (and by figures) after a real import."""

import csv
import json
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest
from django.db.models import Count, Q, Sum
from django.test import Client
from django.utils import timezone
from segments.rules.evaluate import member_queryset
from segments.rules.validate import validate

from accounts.models import Account, ExternalId, Opportunity, Purchase
from segmentation_crm.common.models import User
from segmentation_crm.common.services.tokens import create_token
from tests.support.importing import import_data
from tests.support.shared_data import shared_data

from .translate import Relation, Vocabulary, rule_of

pytestmark = [pytest.mark.shared_data, pytest.mark.django_db]

OPPORTUNITIES = Relation(
    "account.opportunities",
    {
        "deal_stage": "opportunity.stage",
        "close_value": "opportunity.amount",
        "close_date": "opportunity.closed_at",
        "product": "opportunity.product",
    },
)
MAVEN_ACCOUNTS = Vocabulary(
    columns={
        "account": "account.name",
        "sector": "account.industry",
        "year_established": "account.founded_year",
        "revenue": "account.annual_revenue",
        "employees": "account.employee_count",
        "office_location": "account.country",
        "subsidiary_of": "account.parent_account",
    },
    relations={"opportunities": OPPORTUNITIES},
    dates=frozenset({"close_date"}),
    values={"office_location": {"United States": "US"}},
)
MAVEN_OPPORTUNITIES = Vocabulary(
    columns={
        "account": "opportunity.account",
        "deal_stage": "opportunity.stage",
        "close_value": "opportunity.amount",
        "close_date": "opportunity.closed_at",
        "engage_date": "opportunity.opened_on",
        "product": "opportunity.product",
    },
    dates=frozenset({"close_date", "engage_date"}),
    text_columns={"product": "opportunity.product_text"},
)
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
SP500 = Vocabulary(
    columns={
        "GICS Sector": "account.custom.gics_sector",
        "GICS Sub-Industry": "account.custom.gics_sub_industry",
        "Headquarters Location": "account.custom.headquarters_location",
        "Date added": "account.custom.date_added",
    },
    dates=frozenset({"Date added"}),
)


def cases(folder: str, kind: str = "segment") -> list[dict]:
    """Return the cases of one kind, or none where the data is absent (the skip is said by the fixture)."""
    path = shared_data(folder) / "expected.json"
    if not path.exists():
        return []
    return [c for c in json.loads(path.read_text(encoding="utf-8"))["cases"] if c["kind"] == kind]


def figure(folder: str, case_id: str):
    """Return the expected figure of a case."""
    return next(c["expected"] for c in cases(folder, "figure") if c["id"] == case_id)


class Api:
    """The REST API as an integration calls it: a token, JSON in and out."""

    def __init__(self) -> None:
        user = User.objects.create(username="expected", role="admin")
        _, self.token = create_token(user, name="expected")
        self.client = Client()

    def preview(self, member_type: str, rules: dict) -> dict:
        """Post a preview and return the answer; anything but 200 fails with the body."""
        response = self.client.post(
            "/api/v1/segments/preview/",
            data=json.dumps({"member_type": member_type, "rules": rules}),
            content_type="application/json",
            headers={"authorization": f"Token {self.token}"},
        )
        assert response.status_code == 200, response.content
        return response.json()


def member_keys(rules: dict, member_type: str) -> set[int]:
    """Return the ids that the stored query selects (the API's sample holds ten)."""
    return set(member_queryset(validate(rules, member_type), timezone.now()).values_list("pk", flat=True))


@pytest.fixture
def maven():
    folder = shared_data("maven-crm", required=True)
    import_data(folder / "sales_teams.csv", "users", "--map", "sales_agent=username")
    import_data(folder / "products.csv", "products", "--map", "product=name", "--map", "sales_price=list_price")
    accounts = import_data(
        folder / "accounts.csv", "accounts",
        "--map", "account=name", "--map", "sector=industry", "--map", "year_established=founded_year",
        "--map", "revenue=annual_revenue", "--map", "employees=employee_count",
        "--map", "office_location=country", "--map", "subsidiary_of=parent_account",
    )  # fmt: skip
    pipeline = import_data(
        folder / "sales_pipeline.csv", "opportunities",
        "--map", "opportunity_id=external_id", "--map", "sales_agent=owner", "--map", "product=product",
        "--map", "account=account", "--map", "deal_stage=stage", "--map", "engage_date=opened_on",
        "--map", "close_date=closed_at", "--map", "close_value=amount",
    )  # fmt: skip
    return {"folder": folder, "accounts": accounts, "pipeline": pipeline}


def test_maven_segments_are_exact_through_the_preview_api(maven):
    """All segment cases in one import: the count, the total and, where listed, the members by name."""
    api, wrong = Api(), {}
    for case in cases("maven-crm"):
        member_type = {"accounts": "account", "opportunities": "opportunity"}[case["entity"]]
        vocabulary = MAVEN_ACCOUNTS if member_type == "account" else MAVEN_OPPORTUNITIES
        rules = rule_of(case["filter"], vocabulary)
        answer = api.preview(member_type, rules)
        got = {"count": answer["count"], "total": answer["total"]}
        want = {"count": case["expected_count"], "total": case["of"]}
        if "expected_members" in case:
            ids = member_keys(rules, member_type)
            got["members"] = sorted(Account.objects.filter(pk__in=ids).values_list("name", flat=True))
            want["members"] = sorted(case["expected_members"])
        if got != want:
            wrong[case["id"]] = (want, got)
    assert wrong == {}


def test_maven_figures(maven):
    """Stages, totals, win rates and what the import reported about the known dirt."""
    stages = dict(Opportunity.objects.values_list("stage__name").annotate(n=Count("pk")))
    assert stages == figure("maven-crm", "stages")
    won = Opportunity.objects.filter(stage__is_won=True)
    totals = won.aggregate(total=Sum("amount"), count=Count("pk"))
    expected = figure("maven-crm", "won-total")
    assert totals["total"] == Decimal(str(expected["total"]))
    assert totals["count"] == expected["count"]
    assert round(totals["total"] / totals["count"], 2) == Decimal(str(expected["average"]))
    empty = figure("maven-crm", "empty-cells")
    assert Opportunity.objects.filter(account=None).count() == empty["account"]
    assert Opportunity.objects.filter(opened_on=None).count() == empty["engage_date"]
    assert Opportunity.objects.filter(closed_at=None).count() == empty["close_date"]
    assert Opportunity.objects.filter(amount=None).count() == empty["close_value"]
    assert Account.objects.filter(parent_account=None).count() == empty["accounts.subsidiary_of"]
    unmatched = figure("maven-crm", "unmatched")
    assert Opportunity.objects.filter(product=None).count() == unmatched["unmatched_product_rows"]
    assert Opportunity.objects.filter(product=None).values_list("product_text", flat=True).distinct().get() == "GTXPro"
    idle = User.objects.filter(owned_opportunities=None).exclude(username="expected")
    assert sorted(idle.values_list("username", flat=True)) == unmatched["agents_without_opportunity"]


def test_maven_win_rates_by_sector_and_product(maven):
    """Won, lost and won value per sector of the account and per product text."""
    for case_id, column in (("win-rate-by-sector", "account__industry__name"), ("win-rate-by-product", "product_text")):
        rows = (
            Opportunity.objects.filter(Q(stage__is_won=True) | Q(stage__is_lost=True))
            .exclude(account=None if "sector" in case_id else -1)
            .values_list(column)
            .annotate(
                won=Count("pk", filter=Q(stage__is_won=True)),
                lost=Count("pk", filter=Q(stage__is_lost=True)),
                value=Sum("amount", filter=Q(stage__is_won=True)),
            )
        )
        got = {name: (won, lost, float(value)) for name, won, lost, value in rows}
        want = {k: (v["won"], v["lost"], v["won_value"]) for k, v in figure("maven-crm", case_id).items()}
        assert got == want


def test_maven_dirt_is_reported_and_never_repaired(maven):
    """The misspelt sector stands, the misspelt country is empty with a warning that keeps the text."""
    assert maven["accounts"]["created"] == 85
    assert maven["accounts"]["invalid"] == 0
    assert Account.objects.filter(industry__name="technolgy").count() == 12
    assert sum(n for code, n in maven["accounts"]["warnings"].items() if "country" in code) == 1
    assert maven["pipeline"]["created"] == 8800
    assert maven["pipeline"]["invalid"] == 0
    assert 1480 in maven["pipeline"]["warnings"].values()


def test_maven_imported_twice_changes_nothing(maven):
    """The same accounts file again: nothing created, nothing updated."""
    again = import_data(
        maven["folder"] / "accounts.csv", "accounts",
        "--map", "account=name", "--map", "sector=industry", "--map", "year_established=founded_year",
        "--map", "revenue=annual_revenue", "--map", "employees=employee_count",
        "--map", "office_location=country", "--map", "subsidiary_of=parent_account",
    )  # fmt: skip
    assert (again["created"], again["updated"], again["unchanged"], again["invalid"]) == (0, 0, 85, 0)


@pytest.fixture
def northwind(tmp_path: Path):
    folder = shared_data("northwind", required=True)
    import_data(folder / "products.csv", "products", "--map", "productName=name", "--map", "productID=external_id")
    import_data(
        folder / "customers.csv", "accounts",
        "--no-guess", "--null", "NULL", "--create-fields",
        "--map", "customerID=external_id", "--map", "companyName=name", "--map", "country=country",
        "--map", "city=city", "--map", "address=street", "--map", "postalCode=postal_code", "--map", "phone=phone",
    )  # fmt: skip
    orders = {row["orderID"]: row for row in csv.DictReader((folder / "orders.csv").open(encoding="utf-8"))}
    lines = tmp_path / "lines.csv"
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


@pytest.fixture
def sp500():
    folder = shared_data("sp500", required=True)
    return import_data(
        folder / "constituents.csv", "accounts",
        "--no-guess", "--create-fields", "--map", "Symbol=external_id", "--map", "Security=name",
    )  # fmt: skip


def test_sp500_segments_are_exact_through_the_preview_api(sp500):
    """Every case over custom fields made from the file's own columns."""
    assert sp500["created"] == figure("sp500", "rows")["rows"]
    api, wrong = Api(), {}
    for case in cases("sp500"):
        rules = rule_of(case["filter"], SP500)
        answer = api.preview("account", rules)
        got: list = [answer["count"], answer["total"]]
        want: list = [case["expected_count"], case["of"]]
        if "expected_members" in case:
            ids = member_keys(rules, "account")
            known = ExternalId.objects.filter(record_type="account", record_id__in=ids)
            got.append(sorted(known.values_list("external_id", flat=True)))
            want.append(sorted(case["expected_members"]))
        if got != want:
            wrong[case["id"]] = (want, got)
    assert wrong == {}


def test_sp500_figures(sp500):
    """Sectors by count; the ids keep no trailing .0 and years stay years."""
    expected = figure("sp500", "rows")
    rows = Account.objects.filter(custom_values__definition__key="gics_sector")
    assert Counter(rows.values_list("custom_values__text", flat=True)) == expected["sectors"]
    ciks = Account.objects.filter(custom_values__definition__key="cik")
    assert ciks.count() == expected["rows"]
