"""Exports over the API."""

import pytest

from segmentation_crm.common import jobs
from segmentation_crm.common.models import Export, Role
from tests.factories import AccountFactory, UserFactory
from tests.support.api import caller

pytestmark = pytest.mark.django_db
URL = "/api/v1/exports/"


def test_an_export_is_asked_for_followed_and_fetched():
    user = UserFactory(role=Role.MARKETING_MANAGER)
    AccountFactory(name="Aster", country="DE")
    AccountFactory(name="Birch", country="FR")
    client = caller(user, scopes=("export",))
    made = client.post(URL, {"record": "account", "query": {"country": "DE", "columns": "name"}}, format="json")
    assert made.status_code == 201, made.json()
    path = f"{URL}{made.json()['id']}/"
    assert client.get(path).json()["state"] == "queued"
    assert client.get(f"{path}download/").status_code == 404
    jobs.run(Export.objects.get().job_id)
    assert client.get(path).json()["state"] == "done"
    answer = client.get(f"{path}download/")
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    assert text.splitlines() == ["Account", "Aster"]
    for role in Role.values:
        other = caller(UserFactory(role=role))
        wanted = 403 if role == Role.VIEWER else 404
        assert other.get(path).status_code == other.get(f"{path}download/").status_code == wanted
    assert caller(user, scopes=("read", "write")).post(URL, {"record": "account"}, format="json").status_code == 403


@pytest.mark.parametrize(
    "data",
    [{}, {"record": "x"}, {"record": "task", "format": "pdf"}, {"record": "task", "query": {"nonsense": "1"}},
     {"record": "task", "ids": [0]}, {"record": "task", "more": 1}, {"record": "account", "query": {"rules": "{"}}],
)  # fmt: skip
def test_what_is_wrong_is_400(data):
    assert caller(UserFactory()).post(URL, data, format="json").status_code == 400
    assert not Export.objects.exists()


def test_r62_the_eleventh_within_an_hour_is_429():
    client = caller(UserFactory())
    codes = [client.post(URL, {"record": "task"}, format="json").status_code for _ in range(11)]
    assert codes == [201] * 10 + [429]
