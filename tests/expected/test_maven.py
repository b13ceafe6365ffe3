"""Maven CRM: accounts, products, agents and 8,800 deals, exact through the preview API and by figures."""

from decimal import Decimal

import pytest
from django.db.models import Count, Q, Sum

from accounts.models import Account, Opportunity
from segmentation_crm.common.models import User
from tests.support.importing import import_data
from tests.support.shared_data import shared_data

from .answers import Api, cases, figure, member_keys
from .translate import Relation, Vocabulary, rule_of

pytestmark = [pytest.mark.shared_data, pytest.mark.django_db, pytest.mark.xdist_group("maven")]

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


@pytest.fixture(scope="module")
def maven(imported_once):
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
    idle = User.objects.filter(opportunities=None).exclude(username="expected")
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
