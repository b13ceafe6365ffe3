"""Bulk edits over the API."""

import pytest

from accounts.models import RecordChange
from segmentation_crm.common.models import Role
from tests.factories import ContactFactory, UserFactory
from tests.support.api import caller

pytestmark = pytest.mark.django_db
URL = "/api/v1/contacts/bulk/"


def test_r55_each_record_has_its_result_and_a_foreign_one_is_untouched():
    rep = UserFactory(role=Role.SALES_REP)
    mine, same = ContactFactory(owner=rep, seniority=""), ContactFactory(owner=rep, seniority="vp")
    foreign = ContactFactory(owner=UserFactory(), seniority="")
    ids = [mine.pk, mine.pk, same.pk, foreign.pk, 987654321]
    answer = caller(rep).post(URL, {"ids": ids, "field": "seniority", "value": "vp"}, format="json")
    assert answer.status_code == 200
    body = answer.json()
    assert (body["changed"], body["unchanged"]) == (1, 1)
    assert [row["id"] for row in body["refused"]] == [foreign.pk, 987654321]
    assert len({row["reason"] for row in body["refused"]}) == 1
    foreign.refresh_from_db()
    assert foreign.seniority == ""
    assert RecordChange.objects.filter(batch=body["batch"]).count() == 1


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ({"ids": [], "field": "seniority", "value": "vp"}, "ids"),
        ({"ids": list(range(1, 1002)), "field": "seniority", "value": "vp"}, "ids"),
        ({"ids": [1], "field": "email", "value": "a@b.example"}, "field"),
        ({"ids": [1], "field": "seniority", "value": "king"}, "value"),
        ({"ids": [1], "field": "seniority", "value": {"a": 1}}, "value"),
        ({"ids": [1], "field": "seniority", "value": ""}, "value"),
        ({"ids": [1], "field": "seniority"}, "value"),
        ({"ids": [10**18], "field": "seniority", "value": "vp"}, "ids"),
        ({"ids": [1], "field": "seniority", "value": "vp", "more": 1}, "more"),
    ],
)
def test_what_is_wrong_is_named(data, name):
    answer = caller(UserFactory()).post(URL, data, format="json")
    assert answer.status_code == 400
    assert name in str(answer.json())


def test_null_empties_and_scope_and_role_are_asked():
    contact = ContactFactory(seniority="vp")
    data = {"ids": [contact.pk], "field": "seniority", "value": None}
    assert caller(UserFactory(), scopes=("read",)).post(URL, data, format="json").status_code == 403
    assert caller(UserFactory(role=Role.ANALYST)).post(URL, data, format="json").status_code == 403
    assert caller(UserFactory()).post(URL, data, format="json").json()["changed"] == 1
    contact.refresh_from_db()
    assert contact.seniority == ""
