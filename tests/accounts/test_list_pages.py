"""List pages: the number of queries, whatever is shown and however many rows; choices too many for a select."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import CustomField
from segmentation_crm.common import lists
from segmentation_crm.common.models import Role
from tests.factories import (
    AccountFactory,
    ActivityFactory,
    ContactFactory,
    OpportunityFactory,
    TaskFactory,
    UserFactory,
)
from tests.segments.making import larger_than, saved

pytestmark = pytest.mark.django_db
PAGES = {
    "account": (lambda user: AccountFactory(owner=user), 14, 20),
    "contact": (lambda user: ContactFactory(owner=user, account=AccountFactory(owner=user)), 11, 15),
    "opportunity": (lambda user: OpportunityFactory(owner=user, account=AccountFactory(owner=user)), 16, 20),
    "activity": (lambda user: ActivityFactory(user=user), 10, 10),
    "task": (lambda user: TaskFactory(owner=user, account=AccountFactory(owner=user)), 10, 10),
    "segment": (lambda user: saved(larger_than(1), f"S{saved.__name__}{id(object())}", user), 8, 8),
}


def queries(client, key, **query):
    """Return how many queries a list takes."""
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(reverse(lists.get(key).url_name), {"view": "all", **query})
    assert answer.status_code == 200
    return [found["sql"] for found in captured.captured_queries]


@pytest.mark.parametrize("key", PAGES)
def test_queries_do_not_grow_with_the_rows(client, key):
    make, most, with_everything = PAGES[key]
    admin = UserFactory(role=Role.ADMIN)
    client.force_login(admin)
    make(admin)
    queries(client, key)
    few = queries(client, key)
    for _ in range(6):
        make(admin)
    many = queries(client, key)
    assert len(many) == len(few), [sql[:160] for sql in many]
    assert len(few) <= most, [sql[:160] for sql in few]
    CustomField.objects.create(record="account", key="plants", label="Plants", type="integer")
    every = ",".join(column.key for column in lists.get(key).columns(admin, []))
    assert len(queries(client, key, columns=every)) <= with_everything
