"""The API against its own description: no call ends in a 5xx, every error is JSON (R47–R50, T4 in short)."""

import os
from typing import Any

import pytest
import schemathesis
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode

from segmentation_crm.common.access import SCOPES
from segmentation_crm.common.api.throttling import AtomicUserThrottle
from segmentation_crm.common.models import ApiToken
from segmentation_crm.wsgi import application
from tests.factories import AccountFactory, ContactFactory, OpportunityFactory, UserFactory

# Calls for each operation and mode; more of them by hand: SCHEMATHESIS_EXAMPLES=200 pytest tests/test_api_schema.py
EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "2"))


def description() -> dict[str, Any]:
    return SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]


@pytest.mark.django_db
def test_the_description_names_every_operation_once_without_errors(capsys):
    paths = description()["paths"]
    ids = [operation["operationId"] for path in paths.values() for operation in path.values()]
    assert len(ids) == len(set(ids)) > 100
    assert "Error" not in capsys.readouterr().err


@pytest.mark.django_db
def test_schema_and_docs_ask_for_log_in(client, settings):
    assert client.get("/api/schema/").status_code == 401
    asked = client.get("/api/docs/")
    assert asked.status_code == 302
    assert "login" in asked["Location"]
    client.force_login(UserFactory())
    assert client.get("/api/schema/").json()["openapi"].startswith("3.")
    page = client.get("/api/docs/")
    assert page.status_code == 200
    text = page.content.decode()
    assert "<script>" not in text
    assert "<style" not in text
    assert "//" not in text.replace("http://testserver", "").replace("<!--", "")


@pytest.mark.django_db
@pytest.mark.timeout(600)
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["as-described", "broken"])
def test_no_call_ends_in_a_server_error_and_errors_are_json(mode, monkeypatch):
    monkeypatch.setattr(AtomicUserThrottle, "rate", staticmethod(lambda scope: (10**9, 60)))
    contact = ContactFactory(account=AccountFactory())
    OpportunityFactory(account=contact.account)
    _, token = ApiToken.objects.create(UserFactory(), expiry=None, name="Schema", scopes=list(SCOPES))
    schema = schemathesis.openapi.from_dict(description())
    schema.app = application
    failures: list[str] = []
    called = 0
    for result in schema.get_all_operations():
        operation = result.ok()
        if mode is GenerationMode.NEGATIVE and not can_be_broken(operation):
            continue

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def call(case: Any) -> None:
            nonlocal called
            answer = case.call(headers={"Authorization": f"Token {token}"})
            called += 1
            kind = (answer.headers.get("content-type") or [""])[0]
            if answer.status_code >= 500 or (answer.status_code >= 400 and "json" not in kind):
                failures.append(f"{answer.status_code} {kind}: {case.as_curl_command()[:500]}")

        call()
    assert not failures, "\n".join(failures[:20])
    assert called > 100


def can_be_broken(operation: Any) -> bool:
    """Tell whether there is anything in the call that could be wrong."""
    return bool(len(operation.query) or len(operation.path_parameters) or operation.body)
