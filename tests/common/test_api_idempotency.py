"""A POST sent twice with one Idempotency-Key runs once (R57)."""

from types import SimpleNamespace

import pytest
from django.core.cache import cache

from accounts.models import Account
from segmentation_crm.common.api import idempotency
from tests.factories import UserFactory
from tests.support.api import caller

pytestmark = pytest.mark.django_db
PATH = "/api/v1/accounts/"


@pytest.fixture
def client():
    return caller(UserFactory())


def post(client, key, **body):
    return client.post(PATH, body, HTTP_IDEMPOTENCY_KEY=key)


def test_r57_the_same_call_again_gets_the_first_answer(client):
    first, again = post(client, "k1", name="Acme"), post(client, "k1", name="Acme")
    assert (first.status_code, again.status_code) == (201, 201)
    assert (again.json(), again["ETag"]) == (first.json(), first["ETag"])
    assert again["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first
    assert Account.objects.count() == 1


def test_r57_another_body_under_the_same_key_is_refused(client):
    post(client, "k1", name="Acme")
    assert post(client, "k1", name="Other").status_code == 409
    assert Account.objects.count() == 1


def test_r57_another_key_or_caller_runs_anew(client):
    post(client, "k1", name="Acme")
    assert post(client, "k2", name="Acme").status_code == 201
    assert post(caller(UserFactory()), "k1", name="Acme").status_code == 201
    assert Account.objects.count() == 3


def test_r57_while_the_first_call_runs_others_wait(client, monkeypatch):
    leases = []
    monkeypatch.setattr(idempotency, "_free", leases.append)
    monkeypatch.setattr(idempotency, "_keep", lambda *args: None)  # the first holder dies before it answers
    post(client, "k1", name="Acme")
    waiting = post(client, "k1", name="Acme")
    assert waiting.status_code == 409
    assert waiting["Retry-After"] == "1"
    cache.delete(f"{leases[0]}:lease")  # what the cache does after 60 s
    assert post(client, "k1", name="Acme").status_code == 201


def test_a_refused_call_frees_its_key(client):
    assert post(client, "k1", name="").status_code == 400
    assert post(client, "k1", name="Acme").status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 201, "ä"])
def test_a_key_that_is_none_is_refused(client, key):
    assert post(client, key, name="Acme").status_code == 400


def test_without_a_cache_a_call_with_a_key_is_refused_and_one_without_runs(client, monkeypatch):
    def broken(*args, **kwargs):
        raise ConnectionError

    monkeypatch.setattr(idempotency, "cache", SimpleNamespace(get=broken, add=broken, set=broken, delete=broken))
    answer = post(client, "k1", name="Acme")
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert client.post(PATH, {"name": "Acme"}).status_code == 201
