"""/healthz and /readyz: what is alive, for anybody, without details."""

import json
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from segmentation_crm import health
from segmentation_crm.common.jobs import heartbeats
from segmentation_crm.common.models import Heartbeat

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def broker(monkeypatch):
    """Say whether the broker answers: broker(True)."""

    def answer(value: bool) -> None:
        monkeypatch.setattr(health, "broker_answers", lambda: value)

    answer(True)
    return answer


def ask(client) -> tuple[int, dict]:
    response = client.get("/healthz")
    return response.status_code, json.loads(response.content)


def test_all_parts_alive(client, broker):
    heartbeats.beat("worker")
    heartbeats.beat("scheduler")
    assert ask(client) == (
        200,
        {"database": "ok", "broker": "ok", "worker": "ok", "scheduler": "ok", "capture": "ok"},
    )


def test_down_parts_but_the_database_answer_200(client, broker):
    broker(False)
    heartbeats.beat("scheduler")
    Heartbeat.objects.update_or_create(name="worker", defaults={"beat_at": timezone.now() - timedelta(minutes=2)})
    assert ask(client) == (
        200,
        {"database": "ok", "broker": "down", "worker": "down", "scheduler": "ok", "capture": "ok"},
    )


def test_a_missing_trigger_is_capture_down(client, broker, monkeypatch):
    monkeypatch.setattr(health, "missing_triggers", lambda: ["crm_capture_accounts_contact_update"])
    status, parts = ask(client)
    assert (status, parts["database"], parts["capture"]) == (200, "ok", "down")


def test_database_down_answers_503_without_details(client, broker, monkeypatch):
    def fail():
        raise OperationalError('connection to server at "10.0.0.7" failed: password of crm')

    monkeypatch.setattr(heartbeats, "alive", fail)
    response = client.get("/healthz")
    assert response.status_code == 503
    assert json.loads(response.content)["database"] == "down"
    assert "10.0.0.7" not in response.content.decode()


def test_a_broker_that_is_not_there_is_down_within_a_second(settings, tmp_path):
    settings.REDIS_URL = f"unix://{tmp_path}/nobody.sock"
    assert health.broker_answers() is False


def test_readyz_tells_whether_the_schema_is_there(client, monkeypatch):
    assert client.get("/readyz").status_code == 200
    monkeypatch.setattr(health, "is_ready", lambda: False)
    response = client.get("/readyz")
    assert (response.status_code, json.loads(response.content)) == (503, {"ready": False})
