"""What a person could try against the pages of everyday work, and what must not come of it (R53–R58, R65, R75)."""

import datetime as dt
import json

import pytest
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account, Contact, Opportunity, Task
from accounts.services.matching import assign_domain
from accounts.services.merging import merge_records
from accounts.services.work import delete_task, restore_task
from segmentation_crm.common import bulk
from segmentation_crm.common.models import Notification, Role, SubmittedForm
from segmentation_crm.dashboard import kept_dashboard
from tests import factories as make
from tests.segments.making import three_people
from tests.support.api import caller

pytestmark = pytest.mark.django_db


@pytest.fixture
def people():
    return three_people()


def test_home_figures_follow_what_one_sees_at_once(people):
    alice, bob, charlie = people
    cache.clear()
    make.AccountFactory(owner=alice)
    assert kept_dashboard(bob)[0].accounts == 1
    bob.team = charlie.team
    bob.save()
    bob.__dict__.pop("_visibility", None)
    assert kept_dashboard(bob)[0].accounts == 0
    # Who sees the same shares the figures; another's are never shown.
    assert kept_dashboard(alice)[0].accounts == 1
    assert kept_dashboard(charlie)[0].accounts == 0


def test_a_domain_of_a_hidden_account_does_not_name_it(client, people):
    alice, _, charlie = people
    for name in ("Verborgen Nord", "Verborgen Sued"):
        account = make.AccountFactory(name=name, owner=charlie)
        make.AccountValueFactory(account=account, field="email_domains", token="verborgen.example", term=None)
    mine = make.AccountFactory(owner=alice)
    make.ContactFactory(account=None, owner=alice, email="x@verborgen.example")
    client.force_login(alice)
    answer = client.post(
        reverse("accounts:give_domain"), {"domain": "verborgen.example", "account": mine.pk}, follow=True
    )
    text = answer.content.decode()
    assert "has the domain verborgen.example already" in text
    assert "Verborgen Nord" not in text
    assert "Verborgen Sued" not in text
    with pytest.raises(Exception, match="Verborgen"):
        assign_domain("verborgen.example", mine, charlie)


def test_a_merge_is_undone_only_by_who_sees_both(client, people):
    alice, bob, charlie = people
    kept, gone = make.AccountFactory(owner=alice), make.AccountFactory(owner=charlie)
    merge = merge_records(kept, gone, {"owner": "kept"})
    for viewer, status in ((alice, 403), (charlie, 404), (bob, 403)):
        client.force_login(viewer)
        assert client.post(reverse("accounts:merge_undo", args=[merge.pk])).status_code == status
    assert Account.objects.get(pk=gone.pk).merged_into_id == kept.pk
    client.force_login(make.UserFactory(role=Role.ADMIN))
    client.post(reverse("accounts:merge_undo", args=[merge.pk]))
    assert Account.objects.get(pk=gone.pk).merged_into_id is None


def test_what_was_logged_is_not_taken_back_from_a_deal_that_was_handed_on(client, people):
    alice, _, charlie = people
    deal = make.OpportunityFactory(account=make.AccountFactory(owner=charlie), owner=alice)
    client.force_login(alice)
    token = "6f1c7f8e-0000-4000-8000-000000000001"
    log = {
        "token": token,
        "kind": "next_step",
        "record": f"opportunity:{deal.pk}",
        "next_step": "Call",
        "remind": "none",
    }
    client.post(reverse("accounts:quick_log"), log)
    deal.refresh_from_db()
    assert deal.next_step == "Call"
    Opportunity.objects.filter(pk=deal.pk).update(owner=charlie)
    client.post(reverse("accounts:quick_log_undo", args=[token]))
    deal.refresh_from_db()
    assert deal.next_step == "Call"
    assert SubmittedForm.objects.get(token=token).undone_at is None


def test_a_deleted_task_comes_back_once_and_without_people_who_are_gone(people):
    alice = people[0]
    task = make.TaskFactory(owner=alice, account=None)
    kept = {**delete_task(task), "created_by_id": 10**6}
    assert restore_task(kept).pk == restore_task(kept).pk == kept["id"]
    assert Task.objects.get(pk=kept["id"]).created_by is None


def test_role_forms_lead_nowhere_but_to_pages_of_this_site(client, people):
    contact = make.ContactFactory(account=make.AccountFactory(owner=people[0]))
    client.force_login(people[0])
    url = reverse("accounts:contact_role_add", args=[contact.pk])
    for wanted in (
        "nothing",
        "home",
        "//evil.example/",
        "https://evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
    ):
        answer = client.post(url, {"role": "champion", "next": wanted})
        assert answer.status_code == 302
        assert answer.url.startswith("/accounts/"), wanted


@pytest.mark.parametrize("moment", ["0001-01-01T00:00", "9999-12-31T23:59"])
@pytest.mark.parametrize("remind", ["day_before", "due", "morning"])
def test_a_moment_at_the_edge_of_time_is_refused_or_kept(client, people, moment, remind):
    alice = people[0]
    zone = "Pacific/Kiritimati" if moment[0] == "0" else "Pacific/Niue"
    alice.preferences.create(key="time_zone", value={"name": zone})
    account = make.AccountFactory(owner=alice)
    client.force_login(alice)
    task = {"title": "Call", "type": "call", "due_at": moment, "owner": alice.pk, "remind": remind}
    assert client.post(reverse("accounts:task_new"), task).status_code in (200, 302)
    log = {
        "token": "6f1c7f8e-0000-4000-8000-000000000002", "kind": "call", "record": f"account:{account.pk}",
        "outcome": "connected", "at": moment, "remind": remind, "task_title": "x", "task_due": moment,
    }  # fmt: skip
    for kind in ("call", "task"):
        assert client.post(reverse("accounts:quick_log"), {**log, "kind": kind}).status_code in (200, 302)
    for path in ("/my-day/", "/tasks/", f"/accounts/{account.pk}/", "/activities/"):
        assert client.get(path).status_code in (200, 302)
    task = make.TaskFactory(owner=alice, account=None)
    keys = bulk.keys_of("task", alice, ids=[task.pk])
    act = bulk.draft(alice, bulk.action_named("postpone", "task"), "task", keys)
    for day in ("9999-12-31", moment[:10]):
        assert client.post(reverse("bulk:act", args=[act.public_id]), {"due_on": day}).status_code == 200
    far = make.TaskFactory(owner=alice, account=None, due_at=dt.datetime(2199, 12, 31, 12, tzinfo=dt.UTC))
    assert client.post(reverse("accounts:task_postpone", args=[far.pk]), {"days": "365"}).status_code == 302


@pytest.mark.parametrize("wanted", ["/a\r\nSet-Cookie: x=1", "/ü", "/a\x00"])
@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_an_address_to_go_back_to_never_breaks_a_header(client, people, wanted, headers):
    task = make.TaskFactory(owner=people[0], account=None)
    client.force_login(people[0])
    form = {"title": "Call", "type": "call", "remind": "none", "owner": people[0].pk, "next": wanted}
    for path in (reverse("accounts:task_edit", args=[task.pk]), reverse("accounts:task_postpone", args=[task.pk])):
        answer = client.post(path, {**form, "days": "x"}, headers=headers)
        assert answer.status_code in (200, 204, 302)
        assert not any("\n" in value for value in answer.headers.values())
        assert "x" not in answer.cookies


def test_acts_twice_do_once(client, people):
    alice = people[0]
    account = make.AccountFactory(owner=alice)
    task = make.TaskFactory(owner=alice, account=account)
    client.force_login(alice)
    for _ in range(2):
        assert client.post(reverse("accounts:task_complete", args=[task.pk])).status_code == 302
    lead = make.ContactFactory(account=None, owner=alice)
    Contact.objects.filter(pk=lead.pk).update(proposed_account=account)
    url = reverse("accounts:decide_proposals")
    for _ in range(2):
        assert client.post(url, {"act": "accept", "pk": [lead.pk]}).status_code == 302
    lead.refresh_from_db()
    assert (lead.account_id, lead.proposed_account_id) == (account.pk, None)


def test_a_rep_hands_nothing_over_by_any_way(client, people):
    """Owner and what decides about sight change only by who may assign: inline, in bulk, by undo, over the API."""
    alice, _, charlie = people
    account = make.AccountFactory(owner=alice)
    client.force_login(alice)
    hx = {"HX-Request": "true"}
    answer = client.post(
        f"/accounts/{account.pk}/facts/owner/",
        {"owner": charlie.pk, "was": json.dumps({"owner": alice.pk})},
        headers=hx,
    )
    assert answer.status_code == 200
    assert "Select a valid choice" in answer.content.decode()
    # A field beside the one of the form is not written.
    was = '{"city": ""}'
    client.post(f"/accounts/{account.pk}/facts/city/", {"city": "Ulm", "owner": charlie.pk, "was": was}, headers=hx)
    account.refresh_from_db()
    assert (account.owner, account.city) == (alice, "Ulm")
    for action, field in (("assign", "owner"), ("edit", "owner")):
        answer = client.post(
            "/lists/bulk/",
            {"record": "account", "action": action, "pk": account.pk, "field": field, "owner": charlie.pk},
        )
        assert answer.status_code in (302, 403, 404)
    api = caller(alice)
    for field in ("owner", "version", "deleted_at", "merged_into", "id", "name__x", "custom.nothing"):
        assert (
            api.post(
                "/api/v1/accounts/bulk/", {"ids": [account.pk], "field": field, "value": 1}, format="json"
            ).status_code
            == 400
        )
    account.refresh_from_db()
    assert account.owner == alice


def test_a_frozen_choice_shrinks_with_what_one_sees(people):
    alice, _, charlie = people
    mine, handed = make.AccountFactory(owner=alice), make.AccountFactory(owner=alice)
    keys = bulk.keys_of("account", alice, ids=[mine.pk, handed.pk])
    act = bulk.draft(alice, bulk.action_named("edit", "account"), "account", keys)
    Account.objects.filter(pk=handed.pk).update(owner=charlie)
    act = bulk.start(act, {"field": "city", "value": "Ulm"})
    assert (act.changed, act.refused) == (1, 1)
    handed.refresh_from_db()
    assert handed.city == ""


def test_another_cannot_touch_ones_own_things(client, people):
    alice, bob, _ = people
    mail = make.NotificationFactory(user=alice, url="/my-day/")
    keys = bulk.keys_of("account", alice, ids=[make.AccountFactory(owner=alice).pk])
    act = bulk.draft(alice, bulk.action_named("edit", "account"), "account", keys)
    client.force_login(bob)
    assert client.post(reverse("notification_open", args=[mail.pk])).status_code == 404
    client.post(reverse("notification_mark"), {"pk": mail.pk})
    assert Notification.objects.get(pk=mail.pk).read_at is None
    assert client.get(reverse("bulk:act", args=[act.public_id])).status_code == 404
    assert client.post(reverse("bulk:act", args=[act.public_id]), {"field": "city", "value": "x"}).status_code == 404
    api = caller(bob)
    assert api.get(f"/api/v1/notifications/{mail.pk}/").status_code == 404
    assert api.patch(f"/api/v1/notifications/{mail.pk}/", {"read": True}, format="json").status_code == 404


def test_adding_to_a_segment_of_a_name_that_is_taken_says_so(client):
    admin = make.UserFactory(role=Role.ADMIN)
    account = make.AccountFactory()
    client.force_login(admin)
    for name in ("Fair", "Fair", "\u200b", "x" * 199):
        keys = bulk.keys_of("account", admin, ids=[account.pk])
        act = bulk.draft(admin, bulk.action_named("add_to_segment", "account"), "account", keys)
        assert client.post(reverse("bulk:act", args=[act.public_id]), {"name": name}).status_code in (200, 302)


@pytest.mark.parametrize("route", ["saved_views", "notes", "tasks", "evidence", "exports"])
def test_hostile_bodies_are_refused_in_json(route):
    api = caller(make.UserFactory(role=Role.ADMIN))
    account = make.AccountFactory()
    deep: dict = {"combinator": "and", "rules": []}
    for _ in range(300):
        deep = {"combinator": "and", "rules": [deep]}
    base = {"record": "account", "name": "x", "text": "x", "title": "x", "account": account.pk, "kind": "need"}
    bodies = [
        {**base, "rules": deep}, {**base, "name": "x\u0000", "text": "x\u0000", "title": "x\u0000", "quote": "\u0000"},
        {**base, "name": "\ud800", "text": "\ud800", "title": "\ud800"}, {**base, "account": 10**30, "term": 10**30},
        {**base, "text": "x" * 1_000_000, "title": "x" * 1_000_000, "name": "x" * 100_000},
        {**base, "query": {"ordering": "owner__password"}}, {**base, "query": {"columns": ["owner__password"]}},
        {**base, "query": {"owner__password__startswith": "a"}}, {**base, "query": [1]},
        {**base, "query": {"a": {"b": 1}}},
        {**base, "ids": [10**30]}, {**base, "owner": 10**30}, {**base, "due_at": "9999-12-31T23:59:59-12:00"},
        {**base, "query": {"search": "\u0000"}}, {**base, "query": {"ordering": "\ud800"}}, [], None, "x",
    ]  # fmt: skip
    for body in bodies:
        answer = api.post(f"/api/v1/{route}/", json.dumps(body), content_type="application/json")
        assert answer.status_code < 500, (route, str(body)[:100])
        assert answer["Content-Type"].startswith("application/json")


def test_two_edits_of_different_facts_are_both_kept_and_of_the_same_one_is_shown(client, people):
    """R57, R58."""
    alice = people[0]
    account = make.AccountFactory(owner=alice, city="Ulm", phone="")
    client.force_login(alice)
    hx = {"HX-Request": "true"}
    was = {
        name: client.get(f"/accounts/{account.pk}/facts/{name}/", headers=hx).context["was"]
        for name in ("city", "website")
    }
    client.post(f"/accounts/{account.pk}/facts/city/", {"city": "Bonn", "was": was["city"]}, headers=hx)
    client.post(
        f"/accounts/{account.pk}/facts/website/", {"website": "https://a.example", "was": was["website"]}, headers=hx
    )
    late = client.post(f"/accounts/{account.pk}/facts/city/", {"city": "Köln", "was": was["city"]}, headers=hx)
    account.refresh_from_db()
    assert (account.city, "a.example" in account.website) == ("Bonn", True)
    assert "Bonn" in late.content.decode()
    assert "Köln" in late.content.decode()
    api = caller(alice)
    first = api.get(f"/api/v1/accounts/{account.pk}/")
    assert api.patch(f"/api/v1/accounts/{account.pk}/", {"city": "Ulm"}, format="json").status_code == 200
    stale = api.patch(f"/api/v1/accounts/{account.pk}/", {"city": "X"}, format="json", HTTP_IF_MATCH=first["ETag"])
    assert stale.status_code == 412
    assert timezone.now()
