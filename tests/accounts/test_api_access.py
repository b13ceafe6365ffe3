"""Who may read and write which records over the API, for every viewset (R52–R55, R64, R65, R68)."""

import pytest

from accounts.api.urls import ROUTES
from segmentation_crm.common.models import Role
from tests.factories import AccountFactory, TeamFactory, UserFactory
from tests.support.api import FOR_ALL, OF_ACCOUNT, READ_ONLY, caller

pytestmark = pytest.mark.django_db

# Seen by who made them, not by account: tests of their own.
# Imports are seen by their maker, territories by admins: they have tests of their own.
BY_MAKER = {"imports", "territories"}
RECORDS = sorted(set(ROUTES) - BY_MAKER)


@pytest.fixture
def alice():
    """A rep with an account of her own."""
    return UserFactory(username="alice", role=Role.SALES_REP, team=TeamFactory())


@pytest.fixture
def bob(alice):
    """The manager of alice's team."""
    return UserFactory(username="bob", role=Role.SALES_MANAGER, team=alice.team)


@pytest.fixture
def charlie():
    """A rep of another team."""
    return UserFactory(username="charlie", role=Role.SALES_REP, team=TeamFactory())


@pytest.fixture
def account(alice):
    return AccountFactory(owner=alice)


def found(client, route, record):
    newest_first = {} if route == "role_templates" else {"ordering": "-id"}  # the delivered codes fill many pages
    listed = client.get(f"/api/v1/{route}/", {"page_size": 200, **newest_first})
    assert listed.status_code == 200, listed.content
    in_list = record.pk in [row["id"] for row in listed.json()["results"]]
    detail = client.get(f"/api/v1/{route}/{record.pk}/").status_code
    assert detail == (200 if in_list else 404)
    return in_list


def test_every_route_is_covered_here():
    assert set(ROUTES) == set(OF_ACCOUNT) | set(FOR_ALL) | BY_MAKER


@pytest.mark.parametrize("route", sorted(OF_ACCOUNT))
def test_r65_records_are_seen_by_their_owner_and_the_team_only(route, account, alice, bob, charlie):
    record = OF_ACCOUNT[route](account)
    assert found(caller(alice), route, record)
    assert found(caller(bob), route, record)
    assert not found(caller(charlie), route, record)


@pytest.mark.parametrize("route", sorted(OF_ACCOUNT))
def test_r53_a_foreign_id_answers_like_a_missing_one(route, account, charlie):
    record = OF_ACCOUNT[route](account)
    client = caller(charlie)
    for method in ("get", "patch", "delete"):
        foreign = getattr(client, method)(f"/api/v1/{route}/{record.pk}/", {} if method == "patch" else None)
        missing = getattr(client, method)(f"/api/v1/{route}/{record.pk + 10**6}/", {} if method == "patch" else None)
        assert (foreign.status_code, foreign.content) == (missing.status_code, missing.content)
        assert foreign.status_code in ((404,) if method == "get" else (403, 404, 405))
    assert type(record)._default_manager.filter(pk=record.pk).exists()


@pytest.mark.parametrize("route", sorted(FOR_ALL))
def test_lists_of_the_organisation_are_seen_by_everyone(route, charlie):
    assert found(caller(charlie), route, FOR_ALL[route]())


@pytest.mark.parametrize("role", [Role.ANALYST, Role.VIEWER])
@pytest.mark.parametrize("route", RECORDS)
def test_r68_analyst_and_viewer_read_everything_and_write_nothing(route, role, account):
    record = OF_ACCOUNT[route](account) if route in OF_ACCOUNT else FOR_ALL[route]()
    client = caller(UserFactory(role=role))
    assert found(client, route, record)
    refused = 405 if route in READ_ONLY else 403
    assert client.post(f"/api/v1/{route}/", {}).status_code in (403, refused)
    assert client.patch(f"/api/v1/{route}/{record.pk}/", {}).status_code in (403, 405)
    assert client.delete(f"/api/v1/{route}/{record.pk}/").status_code in (403, 405)
    assert client.put(f"/api/v1/{route}/{record.pk}/", {}).status_code in (403, 405)


@pytest.mark.parametrize("route", sorted(ROUTES))
def test_anonymous_callers_are_asked_to_log_in(route):
    client = caller()
    for method in ("get", "post", "patch", "delete"):
        for path in (f"/api/v1/{route}/", f"/api/v1/{route}/1/"):
            answer = getattr(client, method)(path)
            assert answer.status_code in (401, 405)
            assert "detail" in answer.json()
    assert client.get(f"/api/v1/{route}/")["WWW-Authenticate"] == "Token"


@pytest.mark.parametrize("route", RECORDS)
def test_r69_a_token_does_no_more_than_its_scopes_say(route, account):
    record = OF_ACCOUNT[route](account) if route in OF_ACCOUNT else FOR_ALL[route]()
    admin = UserFactory()
    reader, writer = caller(admin, ("read",)), caller(admin, ("write",))
    assert reader.get(f"/api/v1/{route}/").status_code == 200
    assert reader.delete(f"/api/v1/{route}/{record.pk}/").status_code in (403, 405)
    assert writer.get(f"/api/v1/{route}/").status_code == 403


@pytest.mark.parametrize("route", sorted(set(RECORDS) - READ_ONLY))
def test_r52_what_the_product_keeps_cannot_be_sent(route, account):
    record = OF_ACCOUNT[route](account) if route in OF_ACCOUNT else FOR_ALL[route]()
    client = caller(UserFactory())
    if route == "consents":
        answer = client.post(f"/api/v1/{route}/", {"id": 7, "created_at": "2020-01-01T00:00:00Z", "is_superuser": True})
    else:
        answer = client.patch(f"/api/v1/{route}/{record.pk}/", {"id": record.pk + 1, "is_superuser": True, "score": 1})
    assert answer.status_code == 400
    codes = {error["field"]: error["code"] for error in answer.json()["errors"]}
    assert codes["id"] == "read_only"
    assert codes["is_superuser"] == "unknown_field"


@pytest.mark.parametrize("route", sorted(ROUTES))
def test_no_serializer_takes_all_fields_of_its_model(route):
    meta = ROUTES[route].serializer_class.Meta
    assert isinstance(meta.fields, list)


@pytest.mark.parametrize("route", RECORDS)
def test_r59_reading_changes_nothing(route, account):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    record = OF_ACCOUNT[route](account) if route in OF_ACCOUNT else FOR_ALL[route]()
    client = caller(UserFactory())
    client.get(f"/api/v1/{route}/")  # notes the token's use
    with CaptureQueriesContext(connection) as queries:
        for path in (f"/api/v1/{route}/", f"/api/v1/{route}/{record.pk}/"):
            assert client.get(path).status_code == 200
            assert client.head(path).status_code == 200
    assert not [q["sql"] for q in queries if q["sql"].split()[0] in ("INSERT", "UPDATE", "DELETE")]
