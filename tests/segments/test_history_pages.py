"""The history of a segment as people and programs see it: only of records that they may see.

Alice is a rep with two accounts of her own, bob manages her team, charlie is a rep of another team.
"""

import csv
import io
import json
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from pyroaring import BitMap

from segmentation_crm.common import lists
from segmentation_crm.common.lists.resolve import resolve
from segmentation_crm.common.models import Role
from segments.choices import RunCause
from segments.models import MembershipChange
from segments.services.saving import update_segment
from segments.services.storing import Words, store_difference
from segments.timeline import SOURCES
from tests.factories import AccountFactory, UserFactory
from tests.support.api import caller

from .making import larger_than, saved, three_people

pytestmark = pytest.mark.django_db
SECRET = "Verborgen Holding"


def ago(days):
    return timezone.now() - timedelta(days=days)


def move(segment, days, entered=(), left=(), cause=RunCause.DATA, **more):
    keys = [BitMap(record.pk for record in records) for records in (entered, left)]
    return store_difference(segment, *keys, as_of=ago(days), cause=cause, version=segment.rules_version, **more)


@pytest.fixture
def people():
    return three_people()


@pytest.fixture
def records(people):
    alice, _bob, charlie = people
    return (
        AccountFactory(name="Adler Werke", owner=alice),
        AccountFactory(name="Berger Klein", owner=alice),
        AccountFactory(name=SECRET, owner=charlie),
    )


@pytest.fixture
def segment(records, people):
    """Adler and the hidden one entered 100 days ago; 10 days ago Adler left and Berger came."""
    adler, berger, hidden = records
    segment = saved(larger_than(1_000_000), "Key accounts")
    move(segment, 100, [adler, hidden])
    words = {berger.pk: Words("account.employee_count", "80", "240", "Employees 80 → 240")}
    move(segment, 10, [berger], [adler], words=words)
    return segment


def page(client, user, segment, **query):
    client.force_login(user)
    response = client.get(reverse("segments:history", args=[segment.slug]), query)
    assert response.status_code == 200
    return response


def names(response):
    return [str(record) for record, *_ in response.context["rows"]]


def day(days):
    return ago(days).date().isoformat()


def test_the_page_goes_back_in_time(client, people, records, segment):
    charlie = UserFactory(role=Role.ADMIN)
    assert names(page(client, charlie, segment)) == ["Berger Klein", SECRET]
    past = page(client, charlie, segment, **{"from": day(60), "to": day(50)})
    assert names(past) == ["Adler Werke", SECRET]
    assert "Members at the end of" in past.content.decode()
    entered = page(client, charlie, segment, **{"from": day(50), "show": "entered"})
    assert names(entered) == ["Berger Klein"]
    assert "Employees 80 → 240" in entered.content.decode()
    left = page(client, charlie, segment, **{"from": day(50), "show": "left"})
    assert names(left) == ["Adler Werke"]
    assert "data changed" in left.content.decode()
    before = page(client, charlie, segment, **{"from": day(300), "to": day(200)})
    assert "Before the history begins" in before.content.decode()


def test_what_is_no_day_is_said_and_days_in_the_wrong_order_are_exchanged(client, people, segment):
    text = page(client, people[0], segment, **{"from": "31.12.2025"}).content.decode()
    assert "is no date; write one such as" in text
    swapped = page(client, people[0], segment, **{"from": day(5), "to": day(50)})
    assert swapped.context["span"].first.isoformat() == day(50)
    assert "exchanged" in swapped.content.decode()
    huge = page(client, people[0], segment, **{"from": "2026-99-99", "to": "9999-12-31", "unit": "era", "show": "all"})
    assert huge.context["span"].is_now


def test_counts_lists_and_chart_are_narrowed_to_what_the_viewer_sees(client, people, segment):
    alice, bob, charlie = people
    for viewer, then, now in (
        (alice, ["Adler Werke"], ["Berger Klein"]),
        (bob, ["Adler Werke"], ["Berger Klein"]),
        (charlie, [SECRET], [SECRET]),
    ):
        past = page(client, viewer, segment, **{"from": day(50), "to": day(50)})
        assert names(past) == then
        shown = page(client, viewer, segment, **{"from": day(50)})
        assert names(shown) == now
        assert next(bar.size for bar in shown.context["bars"]) == len(now)
        assert sum(bar.entered for bar in shown.context["bars"]) == (1 if viewer == charlie else 2)
        assert (SECRET in shown.content.decode()) is (viewer == charlie)


def test_the_list_behind_a_figure_holds_the_same_records(client, people, records, segment):
    admin = UserFactory(role=Role.ADMIN)
    for show, expected in (("members", {1, 2}), ("entered", {1}), ("left", {0})):
        response = page(client, admin, segment, **{"from": day(50), "show": show})
        from django.http import QueryDict

        resolved = resolve(lists.get("account"), admin, QueryDict(response.context["list_query"]))
        assert not resolved.errors
        assert {row.pk for row in resolved.queryset} == {records[number].pk for number in expected}


def test_every_move_is_exported_with_its_cause_as_far_as_one_sees_it(client, people, records, segment):
    url = reverse("segments:history_export", args=[segment.slug])
    manager = UserFactory(role=Role.ADMIN)
    client.force_login(manager)
    response = client.post(url, {"from": day(200)})
    rows = list(csv.DictReader(io.StringIO(b"".join(response).decode("utf-8-sig"))))
    assert [(row["change"], row["name"], row["why"]) for row in rows] == [
        ("entered", "Adler Werke", "data changed"),
        ("entered", SECRET, "data changed"),
        ("entered", "Berger Klein", "Employees 80 → 240"),
        ("left", "Adler Werke", "data changed"),
    ]
    client.force_login(people[1])
    assert SECRET not in b"".join(client.post(url, {"from": day(200)})).decode()
    client.force_login(UserFactory(role=Role.VIEWER))
    assert client.post(url, {"from": day(200)}).status_code == 403


# --- the API ---
def test_members_at_a_moment(people, records, segment):
    admin = UserFactory(role=Role.ADMIN)
    url = f"/api/v1/segments/{segment.slug}/members/"
    found = caller(admin).get(url, {"at": day(50)}).json()["results"]
    assert [(row["id"], row["manual"]) for row in found] == [(records[0].pk, False), (records[2].pk, False)]
    assert all(row["entered_at"] for row in found)
    assert [row["id"] for row in caller(people[0]).get(url, {"at": day(50)}).json()["results"]] == [records[0].pk]
    moment = (ago(10) + timedelta(minutes=1)).isoformat()
    assert [row["name"] for row in caller(people[0]).get(url, {"at": moment}).json()["results"]] == ["Berger Klein"]
    one = caller(admin).get(url, {"at": day(50), "page_size": 1}).json()
    assert len(one["results"]) == 1
    assert caller(admin).get(one["next"]).json()["results"][0]["id"] == records[2].pk
    for at, words in (("2001-01-01", "begins on"), ("yesterday", "Write a date"), ("", "Write a date")):
        answer = caller(admin).get(url, {"at": at})
        assert answer.status_code == 400
        assert words in json.dumps(answer.json()), at
    assert caller(admin).get(url, {"at": day(5), "on": "1"}).status_code == 400


def test_changes_come_by_cursor_with_cause_and_words(people, records, segment):
    admin, alice = UserFactory(role=Role.ADMIN), people[0]
    url = f"/api/v1/segments/{segment.pk}/changes/"
    pages, link = [], f"{url}?page_size=1"
    while link:
        answer = caller(admin).get(link).json()
        pages += answer["results"]
        link = answer["next"]
    adler, berger, hidden = records
    assert [(row["id"], row["change"]) for row in pages] == [
        (adler.pk, "entered"), (hidden.pk, "entered"), (berger.pk, "entered"), (adler.pk, "left"),
    ]  # fmt: skip
    told = pages[2]
    assert (told["cause"], told["field"], told["old"], told["new"]) == ("data", "account.employee_count", "80", "240")
    assert told["words"] == "Employees 80 → 240"
    later = caller(admin).get(url, {"since": day(20)}).json()["results"]
    assert [row["id"] for row in later] == [berger.pk, adler.pk]
    earlier = caller(admin).get(url, {"until": day(20)}).json()["results"]
    assert [row["id"] for row in earlier] == [adler.pk, hidden.pk]
    seen = caller(alice).get(url).json()["results"]
    assert [row["id"] for row in seen] == [adler.pk, berger.pk, adler.pk]
    assert SECRET not in json.dumps(seen)
    for query in ({"since": "soon"}, {"until": "2026-13-01"}, {"cursor": "x"}, {"page_size": "0"}, {"form": "csv"}):
        assert caller(admin).get(url, query).status_code == 400


def test_causes_that_name_hidden_records_are_not_said(people, records, segment):
    alice = people[0]
    adler = records[0]
    words = {adler.pk: Words("account.parent_account", "", SECRET, f"Parent unknown → {SECRET}")}
    move(segment, 1, [adler], words=words)
    url = f"/api/v1/segments/{segment.pk}/changes/"
    last = caller(alice).get(url).json()["results"][-1]
    assert (last["words"], last["new"]) == ("Parent account changed", "")
    assert SECRET in json.dumps(caller(UserFactory(role=Role.ADMIN)).get(url).json()["results"][-1])


# --- the record's own page ---
def test_the_record_page_tells_comings_and_goings_with_causes(client, people, records, monkeypatch):
    ann = UserFactory(role=Role.ADMIN, first_name="Ann", last_name="Lee")
    adler = records[0]
    segment = saved(larger_than(10), "Key accounts", user=ann)
    move(segment, 50, [adler], cause=RunCause.DEFINITION)
    update_segment(ann, segment, {"rules": larger_than(99)}, None)
    segment.refresh_from_db()
    monkeypatch.setattr("segments.services.storing.KEPT_OF_OTHERS", 0)
    move(segment, 20, [], [adler], cause=RunCause.DEFINITION)
    words = {adler.pk: Words("contact.activities", "2", "3", "opened 3rd e-mail")}
    move(segment, 5, [adler], words=words)
    assert MembershipChange.objects.filter(account=adler).count() == 2
    client.force_login(people[0])
    page = reverse("accounts:account_detail", args=[adler.pk])
    text = client.get(f"{page}?whole=1").content.decode()
    for expected in ("opened 3rd e-mail", "rule edited by Ann Lee (version 2)", "segment made by Ann Lee"):
        assert expected in text, expected
    assert len(SOURCES) == 2
