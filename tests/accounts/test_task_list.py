"""The rows of the task list: done with an outcome, later, edited in a dialog, deleted and back, by who may."""

import datetime as dt
import re

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Task
from segmentation_crm.common.models import Role
from tests import factories as make
from tests.segments.making import three_people

pytestmark = pytest.mark.django_db
LIST = "/tasks/?owner=me&done=false"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def rep():
    return three_people()[0]


@pytest.fixture
def task(rep):
    due = timezone.now().replace(second=0, microsecond=0)
    return make.TaskFactory(owner=rep, title="Call Anna", due_at=due, account=make.AccountFactory(owner=rep))


def browser_of(user):
    client = Client()
    client.force_login(user)
    return client


def test_a_row_offers_the_acts_with_the_way_back_to_this_list(rep, task):
    page = browser_of(rep).get(LIST).content.decode()
    for act in ("complete", "postpone", "delete"):
        assert f"/tasks/{task.pk}/{act}/" in page
    assert f"/tasks/{task.pk}/reopen/" not in page
    assert f'href="/tasks/{task.pk}/?next=%2Ftasks%2F%3Fowner%3Dme%26done%3Dfalse"' in page


def test_done_with_an_outcome_replaces_the_row_and_is_undone(rep, task):
    browser = browser_of(rep)
    sent = {"outcome": "Wants a demo", "shown_as": "row", "next": LIST}
    row = browser.post(f"/tasks/{task.pk}/complete/", sent, headers=HTMX).content.decode()
    assert re.match(r"\s*<tr", row)
    assert "Done: Call Anna" in row
    task.refresh_from_db()
    assert task.outcome == "Wants a demo"
    assert task.done_at is not None
    assert browser.post(f"/tasks/{task.pk}/reopen/", {"next": LIST})["Location"] == LIST
    task.refresh_from_db()
    assert task.done_at is None


def test_later_and_deleted_and_back(rep, task):
    browser, due = browser_of(rep), task.due_at
    assert (
        "<tr"
        in browser.post(f"/tasks/{task.pk}/postpone/", {"days": "3", "shown_as": "row"}, headers=HTMX).content.decode()
    )
    task.refresh_from_db()
    assert task.due_at == due + dt.timedelta(days=3)
    row = browser.post(f"/tasks/{task.pk}/delete/", {"shown_as": "row", "next": LIST}, headers=HTMX).content.decode()
    assert not Task.objects.exists()
    undo = re.search(r'action="(/log/[^"]+/undo/)"', row).group(1)
    assert browser.post(undo, {"next": LIST})["Location"] == LIST
    assert Task.objects.get().title == "Call Anna"


def test_edited_in_a_dialog_and_back_to_the_list(rep, task):
    browser = browser_of(rep)
    dialog = browser.get(f"/tasks/{task.pk}/", {"next": LIST}, headers=HTMX).content.decode()
    assert 'id="record-dialog-title"' in dialog
    assert "<html" not in dialog
    wrong = browser.post(f"/tasks/{task.pk}/", {"title": "", "remind": "none", "next": LIST}, headers=HTMX)
    assert "This field is required" in wrong.content.decode()
    sent = {"title": "Call Berta", "type": "call", "remind": "none", "owner": rep.pk, "next": LIST}
    saved = browser.post(f"/tasks/{task.pk}/", sent, headers=HTMX)
    assert (saved.status_code, saved["HX-Redirect"]) == (204, LIST)
    task.refresh_from_db()
    assert task.title == "Call Berta"


def test_three_people_and_a_viewer(rep, task):
    stranger = make.UserFactory(role=Role.SALES_REP, team=make.TeamFactory())
    boss = make.UserFactory(role=Role.SALES_MANAGER, team=rep.team)
    viewer = make.UserFactory(role=Role.VIEWER)
    everything = "/tasks/?done=false"
    for user, listed, offered in (
        (rep, True, True),
        (boss, True, True),
        (stranger, False, False),
        (viewer, True, False),
    ):
        page = browser_of(user).get(everything).content.decode()
        assert ("Call Anna" in page) is listed
        assert (f"/tasks/{task.pk}/complete/" in page) is offered
    for user, status in ((stranger, 404), (viewer, 403)):
        assert browser_of(user).post(f"/tasks/{task.pk}/complete/", headers=HTMX).status_code == status


def test_acts_cost_no_queries(rep, django_assert_max_num_queries):
    browser = browser_of(rep)
    make.TaskFactory(owner=rep)
    browser.get(LIST)
    with django_assert_max_num_queries(40) as few:
        browser.get(LIST)
    make.TaskFactory.create_batch(5, owner=rep)
    with django_assert_max_num_queries(len(few)):
        browser.get(LIST)
