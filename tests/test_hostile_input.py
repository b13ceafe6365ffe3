"""What no page may answer with a server error: numbers, days and texts at and beyond the edge of what databases hold.

R27, R34, R35, R36, R56. The pages take them as they come: a page, a refusal in words, or 404.
"""

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from segmentation_crm.common import lists
from segmentation_crm.common.models import Role
from tests.factories import UserFactory
from tests.page_matrix import PAGES
from tests.test_page_permissions import address, owner, world

__all__ = ["owner", "world"]

pytestmark = pytest.mark.django_db
EDGES = ("\x00", "9" * 19, "9999-12-31", "0001-01-01T00:00")
# What pages read of their address, whichever page.
NAMES = (
    "a", "account", "after", "as", "before", "by", "columns", "contact", "cursor", "field", "find", "find_need", "from",
    "in", "kind", "last", "member_type", "next", "ordering", "owner", "page", "page_size", "period", "person",
    "pipeline", "q", "record", "rules", "search", "show", "stage", "state", "tab", "team", "until", "view", "year",
)  # fmt: skip


@pytest.fixture
def admin():
    client = Client(raise_request_exception=False)
    client.force_login(UserFactory(role=Role.ADMIN))
    return client


def failures(client, asked):
    """Return what answered with a server error, of addresses and their parameters."""
    return [
        (path, sorted(query)[:1], next(iter(query.values())))
        for path, query in asked
        if client.get(path, query).status_code >= 500
    ]


@pytest.mark.parametrize("value", EDGES)
def test_no_page_breaks_at_what_its_address_says(admin, world, value):
    paths = [address(name, world) for name, page in PAGES.items() if "admin" in page.roles and page.granted == 200]
    assert not failures(admin, [(path, dict.fromkeys(NAMES, value)) for path in paths])


@pytest.mark.parametrize("key", ["account", "contact", "opportunity", "activity", "segment", "task"])
def test_no_filter_of_a_list_breaks(admin, key):
    definition = lists.get(key)
    names = list(definition.filterset.base_filters)
    url = reverse(definition.url_name)
    assert not failures(admin, [(url, {name: value}) for name in names for value in EDGES])


def test_no_form_breaks_at_a_nul(admin, world):
    """What a page reads of a form by itself, without a form's checks."""
    task, contact = world["args"]["task"][0], world["args"]["contact"][0]
    nul = dict.fromkeys(
        ("outcome", "name", "text", "back", "query", "next", "role", "field", "record", "act"), "a\x00b"
    )
    forms = [
        (reverse("accounts:task_complete", args=[task]), {}),
        (reverse("accounts:contact_role_add", args=[contact]), {}),
        (reverse("accounts:contact_needs", args=[contact]), {}),
        (reverse("bulk:choose"), {"record": "contact", "action": "edit", "pk": contact}),
        (reverse("exports:new"), {"record": "contact", "pk": contact}),
        (reverse("lists:view_new", args=["contact"]), {}),
        (reverse("lists:columns", args=["contact"]), {}),
        (reverse("opened"), {}),
    ]
    broken = []
    for path, own in forms:
        before = transaction.savepoint()
        if admin.post(path, {**nul, **own}).status_code >= 500:
            broken.append(path)
        # The test's own transaction goes on behind what the page broke off.
        transaction.set_rollback(False)
        transaction.savepoint_rollback(before)
    assert not broken
