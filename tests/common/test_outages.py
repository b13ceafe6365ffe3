"""An outage of the cache or the database answers 503 with words; a fault of our own stays a 500."""

import pytest
from django.core.cache import cache
from django.db import OperationalError
from django.test import Client
from django.urls import reverse
from redis.exceptions import ConnectionError as RedisConnectionError

from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def test_log_in_says_to_try_again_while_the_cache_is_down(monkeypatch):
    def down(*args, **kwargs):
        raise RedisConnectionError("connection refused")

    UserFactory(username="alice")
    for name in ("get", "set", "add", "incr"):
        monkeypatch.setattr(type(cache._connections[cache._alias]), name, down)
    response = Client(raise_request_exception=False).post(
        reverse("account_login"), {"login": "alice", "password": "wrong-password-1"}
    )
    assert response.status_code == 503
    assert response["Retry-After"] == "30"
    assert "Try again in half a minute" in response.content.decode()


@pytest.mark.parametrize(("error", "status"), [(OperationalError("server closed"), 503), (ValueError("ours"), 500)])
def test_only_outages_are_503(client, monkeypatch, error, status):
    def broken(user):
        raise error

    monkeypatch.setattr("segmentation_crm.views.home_context", broken)
    client.force_login(UserFactory())
    client.raise_request_exception = False
    assert client.get("/").status_code == status
