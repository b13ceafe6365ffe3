"""Imports over the API: one's own, all for an admin, never another's."""

import pytest
from rest_framework.test import APIClient

from accounts.models import Import, ImportRow
from segmentation_crm.common.models import Role, Team
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def people():
    """alice started it, bob is her manager, charlie a rep elsewhere, root the admin."""
    team = Team.objects.create(name="North")
    return {
        "alice": UserFactory(role=Role.MARKETING_MANAGER, team=team),
        "bob": UserFactory(role=Role.SALES_MANAGER, team=team),
        "charlie": UserFactory(role=Role.SALES_REP),
        "root": UserFactory(role=Role.ADMIN),
    }


@pytest.fixture
def run(people):
    found = Import.objects.create(
        type="accounts", file_name="a.csv", state="done", created_by=people["alice"], rows_invalid=1
    )
    finding = {"column": "revenue", "code": "number", "message": "“x” is no number", "text": "x"}
    ImportRow.objects.create(run=found, number=3, line=4, is_rejected=True, findings=[finding], cells=["Acme", "x"])
    return found


def get(user, path):
    client = APIClient()
    client.force_authenticate(user)
    return client.get(path)


@pytest.mark.parametrize(("name", "status"), [("alice", 200), ("root", 200), ("bob", 404), ("charlie", 404)])
def test_imports_are_seen_by_who_started_them_and_admins(people, run, name, status):
    assert get(people[name], f"/api/v1/imports/{run.pk}/").status_code == status
    assert get(people[name], f"/api/v1/imports/{run.pk}/rows/").status_code == status
    listed = get(people[name], "/api/v1/imports/?state=done").json()["results"]
    assert [row["id"] for row in listed] == ([run.pk] if status == 200 else [])


def test_rows_name_column_reason_and_text(people, run):
    answer = get(people["alice"], f"/api/v1/imports/{run.pk}/rows/?page_size=1").json()
    assert answer["next"] is None
    row = answer["results"][0]
    assert (row["line"], row["is_rejected"], row["cells"]) == (4, True, ["Acme", "x"])
    assert row["findings"][0]["column"] == "revenue"


def test_an_unknown_state_is_refused_with_words(people, run):
    answer = get(people["alice"], "/api/v1/imports/?state=nearly")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "state"
