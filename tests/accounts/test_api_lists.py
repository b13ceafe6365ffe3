"""Lists over the API: pages by key, filters, orderings, and how many queries they take (R24–R27, R56)."""

from datetime import date
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.choices import Vocabulary
from accounts.models import AccountValue
from segmentation_crm.common.models import Role
from tests.factories import (
    AccountCustomValueFactory,
    AccountFactory,
    ActivityFactory,
    ContactFactory,
    CustomFieldFactory,
    ExternalIdFactory,
    OpportunityFactory,
    StageFactory,
    TermFactory,
    UserFactory,
)
from tests.support.api import FOR_ALL, OF_ACCOUNT, caller

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin():
    return caller(UserFactory())


def walk(client, path, params=None, towards="next"):
    """Return the ids of every page from here on, page by page."""
    pages = []
    answer = client.get(path, params or {})
    while True:
        assert answer.status_code == 200, answer.content
        body = answer.json()
        assert set(body) == {"next", "previous", "results"}
        pages.append([row["id"] for row in body["results"]])
        if body[towards] is None:
            return pages, answer
        parts = urlsplit(body[towards])
        answer = client.get(parts.path, {key: value[0] for key, value in parse_qs(parts.query).items()})


@pytest.mark.parametrize("ordering", ["", "id", "-id", "name", "-employee_count", "employee_count", "tier"])
def test_r56_pages_hold_every_row_once_forwards_and_back(admin, ordering):
    sizes = [5, None, 3, 3, None, 8, 1, 5, None, 2, 3]
    made = [AccountFactory(name=f"Same {size}", employee_count=size).pk for size in sizes]
    params = {"page_size": 3} | ({"ordering": ordering} if ordering else {})
    forwards, last = walk(admin, "/api/v1/accounts/", params)
    ids = [pk for page in forwards for pk in page]
    assert sorted(ids) == sorted(made)
    assert len(ids) == len(set(ids))
    assert [len(page) for page in forwards] == [3, 3, 3, 2]
    parts = urlsplit(last.json()["previous"])
    query = {key: value[0] for key, value in parse_qs(parts.query).items()}
    backwards, _ = walk(admin, parts.path, query, towards="previous")
    assert [pk for page in reversed(backwards) for pk in page] == ids[: -len(forwards[-1])]


def test_empty_values_come_last_both_ways(admin):
    AccountFactory(name="None")
    AccountFactory(name="Ten", employee_count=10)
    AccountFactory(name="Two", employee_count=2)

    def names(ordering):
        rows = admin.get("/api/v1/accounts/", {"ordering": ordering}).json()["results"]
        return [row["name"] for row in rows]

    assert names("employee_count") == ["Two", "Ten", "None"]
    assert names("-employee_count") == ["Ten", "Two", "None"]


def test_a_row_added_in_between_moves_nothing(admin):
    first = [AccountFactory().pk for _ in range(4)]
    page = admin.get("/api/v1/accounts/", {"page_size": 2}).json()
    added = AccountFactory().pk
    rest = admin.get(page["next"]).json()
    assert [row["id"] for row in page["results"] + rest["results"]] == first
    assert [row["id"] for row in admin.get(rest["next"]).json()["results"]] == [added]


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"page_size": "0"}, "page_size"),
        ({"page_size": "-1"}, "page_size"),
        ({"page_size": "many"}, "page_size"),
        ({"page_size": "1e3"}, "page_size"),
        ({"cursor": "made-up"}, "cursor"),
        ({"page": "2"}, "page"),
        ({"owner__password": "x"}, "owner__password"),
        ({"ordering": "owner__password"}, "ordering"),
        ({"ordering": "name;--"}, "ordering"),
        ({"owner": "x"}, "owner"),
        ({"owner": str(10**30)}, "owner"),
        ({"unowned": "maybe"}, "unowned"),
        ({"account_type": "friend"}, "account_type"),
        ({"industry": "no-such-term"}, "industry"),
        ({"employee_count_min": "1e1000000"}, "employee_count_min"),
        ({"annual_revenue_min": "NaN"}, "annual_revenue_min"),
        ({"annual_revenue_min": "-1e1000000"}, "annual_revenue_min"),
        ({"customer_since_from": "2025-02-30"}, "customer_since_from"),
        ({"updated_since": "yesterday"}, "updated_since"),
        ({"search": "x" * 201}, "search"),
        ({"search": "a\x00b"}, "search"),
    ],
)
def test_r27_what_a_list_does_not_take_is_refused_by_name(admin, params, field):
    answer = admin.get("/api/v1/accounts/", params)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == field


def test_r56_a_page_holds_at_most_200_rows(admin):
    AccountFactory.create_batch(201)
    assert len(admin.get("/api/v1/accounts/", {"page_size": "1000000"}).json()["results"]) == 200


def test_a_cursor_belongs_to_its_ordering(admin):
    AccountFactory.create_batch(3)
    query = parse_qs(urlsplit(admin.get("/api/v1/accounts/", {"page_size": 1}).json()["next"]).query)
    answer = admin.get("/api/v1/accounts/", {"cursor": query["cursor"][0], "ordering": "name"})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "cursor"


def names(client, path, **params):
    answer = client.get(path, params)
    assert answer.status_code == 200, answer.content
    return {row.get("name") or row["id"] for row in answer.json()["results"]}


def test_accounts_are_found_by_the_everyday_fields(admin):
    europe = TermFactory(vocabulary=Vocabulary.SALES_REGION, name="Europe")
    dach = TermFactory(vocabulary=Vocabulary.SALES_REGION, name="DACH", parent=europe)
    vip = TermFactory(vocabulary=Vocabulary.TAG, name="VIP", slug="vip")
    owner = UserFactory()
    acme = AccountFactory(
        name="Äcme Großhandel",
        country="DE",
        sales_region=dach,
        employee_count=500,
        tier="1",
        owner=owner,
        domain="acme.de",
    )
    AccountFactory(name="Other", country="FR", employee_count=5)
    AccountValue.objects.create(account=acme, field="tags", term=vip)
    ExternalIdFactory(record_type="account", record_id=acme.pk, source="sap", external_id="42")
    only = {"Äcme Großhandel"}
    path = "/api/v1/accounts/"
    assert names(admin, path, search="GROSSHANDEL") == only
    assert names(admin, path, search="acme.DE") == only
    assert names(admin, path, country="de") == only
    assert names(admin, path, sales_region=europe.slug) == only
    assert names(admin, path, employee_count_min=100) == only
    assert names(admin, path, tier=["1", "2"]) == only
    assert names(admin, path, owner=owner.pk) == only
    assert names(admin, path, unowned="false") == only
    assert names(admin, path, tag="vip") == only
    assert names(admin, path, external_id="42") == only
    assert names(admin, path, external_id="42", source="sap") == only
    assert names(admin, path, external_id="42", source="other") == set()
    assert names(admin, path, search="%") == set()
    assert names(admin, path, ordering="-name") == {"Other"} | only


def test_opportunities_are_found_by_state_and_account(admin):
    account = AccountFactory()
    won = OpportunityFactory(name="Won", account=account, stage=StageFactory(is_won=True), opened_on=date(2025, 1, 1))
    OpportunityFactory(name="Open")
    path = "/api/v1/opportunities/"
    assert names(admin, path, state="won") == {"Won"}
    assert names(admin, path, state=["won", "open"]) == {"Won", "Open"}
    assert names(admin, path, account=account.pk) == {"Won"}
    assert names(admin, path, stage=won.stage.slug) == {"Won"}
    assert names(admin, path, opened_until="2025-01-01") == {"Won"}


def test_contacts_are_found_by_folded_name_and_role(admin):
    ada = ContactFactory(first_name="Ada", last_name="Müller", seniority="vp")
    ContactFactory(first_name="Bo")
    path = "/api/v1/contacts/"
    assert names(admin, path, search="ada MÜLLER") == {"Ada Müller"}
    assert names(admin, path, seniority="vp") == {"Ada Müller"}
    assert names(admin, path, account=ada.account_id) == {"Ada Müller"}
    assert names(admin, path, buying_role="champion") == set()


def test_activities_come_newest_first(admin):
    ids = [ActivityFactory().pk for _ in range(3)]
    rows = admin.get("/api/v1/activities/").json()["results"]
    moments = [row["occurred_at"] for row in rows]
    assert moments == sorted(moments, reverse=True)
    assert {row["id"] for row in rows} == set(ids)


def queries_of(client, path):
    client.get(path)
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(path)
    assert answer.status_code == 200
    return len(queries)


# Token and user 1, rows 1, the rest for related rows; a rep's territories and team 2 more.
QUERIES = {"accounts": 6, "contacts": 6, "opportunities": 6, "terms": 3, "content": 3, "notes": 3, "role_templates": 3}


@pytest.mark.parametrize("route", sorted({**OF_ACCOUNT, **FOR_ALL}))
def test_a_list_takes_the_same_few_queries_however_long_it_is(admin, route):
    def make_one():
        if route in FOR_ALL:
            return FOR_ALL[route]() if route != "exchange_rates" else None
        account = AccountFactory()
        record = OF_ACCOUNT[route](account)
        if route == "accounts":
            AccountValue.objects.create(account=account, field="tags", term=TermFactory())
            AccountCustomValueFactory(account=account, definition=CustomFieldFactory(record="account"))
        return record

    for _ in range(3):
        make_one()
    few = queries_of(admin, f"/api/v1/{route}/")
    for _ in range(5):
        make_one()
    assert queries_of(admin, f"/api/v1/{route}/") == few
    assert few <= QUERIES.get(route, 2)


def test_a_rep_pays_two_queries_for_seeing_a_part():
    rep = UserFactory(role=Role.SALES_REP)
    AccountFactory(owner=rep)
    assert queries_of(caller(rep), "/api/v1/accounts/") <= 8
