"""S&P 500: every column but name and symbol becomes a custom field of its own."""

from collections import Counter

import pytest

from accounts.models import Account, ExternalId
from tests.support.importing import import_data
from tests.support.shared_data import shared_data

from .answers import Api, cases, figure, member_keys
from .translate import Vocabulary, rule_of

pytestmark = [pytest.mark.shared_data, pytest.mark.django_db, pytest.mark.xdist_group("sp500")]

SP500 = Vocabulary(
    columns={
        "GICS Sector": "account.custom.gics_sector",
        "GICS Sub-Industry": "account.custom.gics_sub_industry",
        "Headquarters Location": "account.custom.headquarters_location",
        "Date added": "account.custom.date_added",
    },
    dates=frozenset({"Date added"}),
)


@pytest.fixture(scope="module")
def sp500(imported_once):
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
