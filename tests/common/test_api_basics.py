"""What holds for every answer of the API: JSON errors, log-in, tokens, versions, headers (R48–R50, R58, R61, R69)."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.utils import timezone

from accounts.api import accounts as accounts_api
from segmentation_crm.common.access import SCOPES
from segmentation_crm.common.models import ApiToken, Job, Role, SavedView
from tests.factories import AccountFactory, TeamFactory, UserFactory
from tests.support.api import caller

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin():
    return UserFactory(username="admin")


@pytest.fixture
def client(admin):
    return caller(admin)


# --- errors ---


@pytest.mark.parametrize("path", ["/api/", "/api/v1/", "/api/v2/x/", "/api/v1/nothing/", "/api/v1/accounts/abc/"])
@pytest.mark.parametrize("method", ["get", "post", "delete"])
def test_unknown_addresses_answer_404_as_json(client, path, method):
    answer = getattr(client, method)(path)
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/json")
    assert answer.json()["detail"]


def test_a_forgotten_slash_is_told_not_redirected(client):
    answer = client.post("/api/v1/accounts", {"name": "Lost on a redirect"})
    assert answer.status_code == 404
    assert "slash" in answer.json()["detail"]


@pytest.mark.parametrize("method", ["put", "trace"])
def test_r61_a_wrong_verb_answers_405_with_allow(client, method):
    answer = client.generic(method.upper(), "/api/v1/accounts/")
    assert answer.status_code == 405
    assert "GET" in answer["Allow"]
    assert answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"null", "application/json", 400),
        (b'"x"', "application/json", 400),
        (b'{"name": "a", "name": "b"}', "application/json", 400),
        (b'{"name": NaN}', "application/json", 400),
        (b'{"name": "\xff"}', "application/json", 400),
        (b'{"name": "a\\u0000b"}', "application/json", 400),
        (b'{"name": "\\ud800"}', "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"name=x", "application/x-www-form-urlencoded", 415),
        (b"garbage", "multipart/form-data; boundary=x", 415),
        (b"{}", "text/plain", 415),
        (b"{}", "application/json; charset=utf-16", 415),
        (b'"' + b"x" * 1024 * 1024 + b'"', "application/json", 413),
    ],
)
def test_r48_bodies_that_are_no_request_answer_as_json(client, body, content_type, status):
    answer = client.generic("POST", "/api/v1/accounts/", body, content_type=content_type)
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/json"
    assert answer.json()["detail"]


def test_r49_a_huge_form_with_a_session_answers_413_or_415_as_json(admin, client):
    client.credentials()
    client.force_login(admin)
    body = b"&".join(b"f%d=x" % index for index in range(1001))
    answer = client.generic("POST", "/api/v1/accounts/", body, content_type="application/x-www-form-urlencoded")
    assert answer.status_code in (403, 413, 415)
    assert answer.json()["detail"]


def test_r50_only_json_is_answered(client):
    answer = client.get("/api/v1/accounts/", HTTP_ACCEPT="text/html")
    assert (answer.status_code, answer["Content-Type"]) == (406, "application/json")


def test_a_refused_host_answers_as_json(client):
    answer = client.get("/api/v1/accounts/", HTTP_HOST="evil.example")
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/json")


def test_every_fault_of_a_body_is_told_with_path_field_code_and_message(client):
    answer = client.post("/api/v1/accounts/", {"employee_count": -1, "tier": "9", "nonsense": 1, "country": "XX"})
    assert answer.status_code == 400
    errors = {error["field"]: error for error in answer.json()["errors"]}
    assert set(errors) == {"name", "employee_count", "tier", "nonsense", "country"}
    assert errors["name"]["code"] == "required"
    assert errors["nonsense"] == {
        "path": ["nonsense"],
        "field": "nonsense",
        "code": "unknown_field",
        "message": "There is no such field.",
    }


def test_r103_a_database_that_does_not_answer_is_503_with_retry_after(client, monkeypatch):
    def gone(user):
        raise OperationalError("canceling statement due to statement timeout")

    monkeypatch.setattr(accounts_api.AccountViewSet, "visible", staticmethod(gone))
    answer = client.get("/api/v1/accounts/")
    assert answer.status_code == 503
    assert answer["Retry-After"] == "5"
    assert "statement" not in answer.content.decode()


def test_what_nobody_expected_is_500_as_json_without_details(client, monkeypatch):
    def broken(user):
        raise RuntimeError("secret inner workings")

    monkeypatch.setattr(accounts_api.AccountViewSet, "visible", staticmethod(broken))
    client.raise_request_exception = False
    answer = client.get("/api/v1/accounts/")
    assert (answer.status_code, answer["Content-Type"]) == (500, "application/json")
    assert "secret" not in answer.content.decode()


def test_answers_are_not_kept_by_caches_and_tell_the_rate(client):
    answer = client.get("/api/v1/accounts/")
    assert "no-store" in answer["Cache-Control"]
    assert answer["X-RateLimit-Limit"] == "600"
    assert int(answer["X-RateLimit-Remaining"]) < 600


def test_r60_over_the_rate_is_429_with_retry_after(client, monkeypatch):
    from segmentation_crm.common.api.throttling import AtomicUserThrottle

    monkeypatch.setattr(AtomicUserThrottle, "rate", staticmethod(lambda scope: (2, 60)))
    answers = [client.get("/api/v1/accounts/").status_code for _ in range(3)]
    assert answers == [200, 200, 429]
    assert int(client.get("/api/v1/accounts/")["Retry-After"]) >= 1


# --- log-in and tokens ---


@pytest.mark.parametrize(
    "header", ["Token", "Token wrong", "Token a b", "Token é", "Basic YTpi", "Bearer x", "Token \x00"]
)
def test_a_wrong_token_answers_401(client, header):
    client.credentials(HTTP_AUTHORIZATION=header)
    answer = client.get("/api/v1/accounts/")
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Token"


def test_r69_expired_revoked_and_inactive_answer_alike(admin):
    def answer_after(change):
        client = caller(admin)
        assert client.get("/api/v1/accounts/").status_code == 200
        change()
        answer = client.get("/api/v1/accounts/")
        assert answer.status_code == 401
        return answer.content

    def deactivate():
        admin.is_active = False
        admin.save()

    past = timezone.now() - timedelta(seconds=1)
    bodies = {
        answer_after(lambda: ApiToken.objects.update(expiry=past)),
        answer_after(lambda: ApiToken.objects.all().delete()),
        answer_after(deactivate),
    }
    assert len(bodies) == 1


def test_an_expired_token_is_kept_for_the_profile_page(admin):
    client = caller(admin)
    ApiToken.objects.update(expiry=timezone.now() - timedelta(days=1))
    client.get("/api/v1/accounts/")
    assert ApiToken.objects.count() == 1


def test_the_last_use_is_noted_once_a_minute(client):
    client.get("/api/v1/accounts/")
    first = ApiToken.objects.get().last_used_at
    assert first is not None
    client.get("/api/v1/accounts/")
    assert ApiToken.objects.get().last_used_at == first
    ApiToken.objects.update(last_used_at=first - timedelta(seconds=61))
    client.get("/api/v1/accounts/")
    assert ApiToken.objects.get().last_used_at >= first


def test_r75_a_session_needs_the_csrf_token(admin):
    from rest_framework.test import APIClient

    client = APIClient(enforce_csrf_checks=True)
    client.force_login(admin)
    assert client.get("/api/v1/accounts/").status_code == 200
    assert client.post("/api/v1/accounts/", {"name": "x"}).status_code == 403


def test_create_token_prints_one_that_works(admin, capsys):
    call_command("create_token", "admin")
    text = capsys.readouterr().out.strip()
    client = caller()
    client.credentials(HTTP_AUTHORIZATION=f"Token {text}")
    me = client.get("/api/v1/users/me/").json()
    assert (me["username"], me["role"], me["scopes"]) == ("admin", "admin", list(SCOPES))
    token = ApiToken.objects.get()
    assert text not in (token.digest, token.token_key)
    assert timedelta(days=89) < token.expiry - timezone.now() <= timedelta(days=90)


def test_create_token_takes_scopes_and_an_end(admin):
    call_command("create_token", "admin", "--scope", "read", "--days", "0", "--name", "Reports")
    token = ApiToken.objects.get()
    assert (token.scopes, token.expiry, token.name) == (["read"], None, "Reports")


@pytest.mark.parametrize("arguments", [["nobody"], ["admin", "--days", "-1"], ["admin", "--name", ""], ["gone"]])
def test_create_token_says_what_is_wrong(admin, arguments):
    UserFactory(username="gone", is_active=False)
    with pytest.raises(CommandError):
        call_command("create_token", *arguments)
    assert not ApiToken.objects.exists()


# --- jobs, users, saved views ---


def make_job(user, **values):
    return Job.objects.create(kind="test", due_at=timezone.now(), created_by=user, **values)


def test_a_job_is_read_by_number_and_public_id_by_its_maker_and_admins(admin, client):
    maker, other = UserFactory(role=Role.MARKETING_MANAGER), UserFactory(role=Role.MARKETING_MANAGER)
    job = make_job(maker, state="running", done_units=1, total_units=4)
    for key in (job.pk, job.public_id):
        for user in (maker, admin):
            body = caller(user).get(f"/api/v1/jobs/{key}/").json()
            assert (body["state"], body["progress"], body["error"]) == ("running", 0.25, "")
        assert caller(other).get(f"/api/v1/jobs/{key}/").status_code == 404
    assert caller(other).get("/api/v1/jobs/").json()["results"] == []
    assert "payload" not in client.get(f"/api/v1/jobs/{job.pk}/").json()


def test_a_job_is_cancelled_by_its_maker():
    maker = UserFactory(role=Role.ANALYST)
    job = make_job(maker)
    assert caller(UserFactory(role=Role.ANALYST)).post(f"/api/v1/jobs/{job.pk}/cancel/").status_code == 404
    assert caller(maker).post(f"/api/v1/jobs/{job.pk}/cancel/").json()["state"] == "cancelled"


def test_users_show_names_and_nothing_private(client):
    UserFactory(email="secret@our-company.example")
    rows = client.get("/api/v1/users/").json()["results"]
    assert set(rows[0]) == {"id", "username", "name", "role", "team", "is_active"}
    assert client.post("/api/v1/users/", {"username": "x"}).status_code == 405


def test_saved_views_are_private_of_the_team_or_for_everyone():
    team = TeamFactory()
    alice = UserFactory(role=Role.SALES_REP, team=team)
    bob = UserFactory(role=Role.SALES_REP, team=team)
    charlie = UserFactory(role=Role.SALES_REP)
    body = {"record": "account", "name": "Mine", "query": {"country": "DE"}}
    made = caller(alice).post("/api/v1/saved_views/", body)
    assert made.status_code == 201
    path = f"/api/v1/saved_views/{made.json()['id']}/"
    assert caller(bob).get(path).status_code == 404
    assert caller(alice).patch(path, {"visibility": "team"}).status_code == 200
    assert caller(bob).get(path).status_code == 200
    assert caller(charlie).get(path).status_code == 404
    assert caller(bob).patch(path, {"name": "Yours"}).status_code == 403
    assert caller(alice).patch(path, {"visibility": "everyone"}).status_code == 403
    assert caller(alice).patch(path, {"owner": charlie.pk}).status_code == 400
    assert caller(alice).post("/api/v1/saved_views/", body).status_code == 400
    assert caller(alice).delete(path).status_code == 204
    assert not SavedView.objects.exists()


def test_r58_a_version_is_told_and_held(client):
    account = AccountFactory(name="Old")
    path = f"/api/v1/accounts/{account.pk}/"
    etag = client.get(path)["ETag"]
    assert client.get(path, HTTP_IF_NONE_MATCH=etag).status_code == 304
    assert client.get(path, HTTP_IF_NONE_MATCH=f"W/{etag}").status_code == 304
    changed = client.patch(path, {"name": "New"}, HTTP_IF_MATCH=etag)
    assert changed.status_code == 200
    assert changed["ETag"] != etag
    stale = client.patch(path, {"name": "Newer"}, HTTP_IF_MATCH=etag)
    assert stale.status_code == 412
    assert stale.json()["current"]["name"] == "New"
    assert stale["ETag"] == changed["ETag"]
    assert client.delete(path, HTTP_IF_MATCH=etag).status_code == 412
    assert client.patch(path, {"city": "Oslo"}).json()["name"] == "New"
