"""Saved views: who sees, changes, shares and deletes them, on pages and over the API; with a rule in them."""

import json

import pytest
from django.urls import reverse
from rest_framework.test import APIClient

from segmentation_crm.common.models import Role, SavedView, UserPreference
from tests.factories import AccountFactory, TeamFactory, UserFactory
from tests.segments.making import larger_than, three_people

pytestmark = pytest.mark.django_db
LIST = "accounts:account_list"


@pytest.fixture
def people():
    return three_people()


def caller(user):
    """Return an API client that is signed in."""
    client = APIClient()
    client.force_authenticate(user)
    return client


def save(client, name="Chosen", query="", visibility="private", part=False, **more):
    """Save the account list as shown under a name."""
    headers = {"HTTP_HX_REQUEST": "true"} if part else {}
    data = {"name": name, "query": query, "visibility": visibility, **more}
    return client.post(reverse("lists:view_new", args=["account"]), data, **headers)


def text_of(client, user, **query):
    """Return the page of accounts as the user sees it."""
    client.force_login(user)
    answer = client.get(reverse(LIST), query, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


# --- making ---
def test_a_list_is_saved_as_it_is_shown(client, people):
    alice, _, _ = people
    AccountFactory(name="Adler", country="DE", owner=alice, employee_count=100)
    AccountFactory(name="Berger", country="DE", owner=alice, employee_count=1)
    AccountFactory(name="Caron", country="FR", owner=alice, employee_count=100)
    client.force_login(alice)
    rules = json.dumps(larger_than(50))
    answer = save(client, "Large German", f"country=DE&ordering=-name&columns=name,tier&rules={rules}")
    view = SavedView.objects.get()
    assert answer.url == f"{reverse(LIST)}?view={view.pk}"
    assert view.query == {"country": "DE", "ordering": "-name", "columns": ["name", "tier"]}
    assert view.rules["rules"][0]["field"] == "account.employee_count"
    text = text_of(client, alice, view=view.pk)
    assert "Adler" in text
    assert "Berger" not in text
    assert "Caron" not in text
    assert "Country: Germany" in text
    assert "at least 50 employees" in text
    assert "Changed</span>" not in text
    assert "Changed</span>" in text_of(client, alice, view=view.pk, country="FR")


def test_what_is_wrong_stands_in_the_dialog_and_what_was_typed_stays(client, people):
    alice, _, _ = people
    client.force_login(alice)
    save(client, "Mine")
    again = save(client, "Mine", part=True)
    assert again.status_code == 200
    assert "already have a view of this name" in again.content.decode()
    assert 'value="Mine"' in again.content.decode()
    empty = save(client, "   ", part=True)
    assert "This field is required" in empty.content.decode()
    done = save(client, "Other", part=True)
    assert done.status_code == 204
    assert done["HX-Redirect"].endswith(f"?view={SavedView.objects.get(name='Other').pk}")
    broken = save(client, "Broken", "colour=red")
    assert "There is no filter “colour”" in broken.content.decode()
    assert SavedView.objects.count() == 2


def test_chosen_columns_belong_to_the_user_or_to_the_view(client, people):
    alice, _, _ = people
    AccountFactory(name="Adler", owner=alice, city="Hamburg")
    client.force_login(alice)
    url = reverse("lists:columns", args=["account"])
    answer = client.post(url, {"columns": ["name", "city", "nonsense"], "query": "country="})
    assert answer.status_code == 302
    assert UserPreference.objects.get(user=alice, key="columns:account").value == {"keys": ["name", "city"]}
    assert "Hamburg" in text_of(client, alice)
    save(client, "With city")
    view = SavedView.objects.get()
    assert view.query["columns"] == ["name", "city"]
    answer = client.post(url, {"columns": ["name", "tier"], "query": f"view={view.pk}"})
    assert "columns=name%2Ctier" in answer.url
    assert "Changed</span>" in text_of(client, alice, view=view.pk, columns="name,tier")
    client.post(url, {"reset": "1", "query": ""})
    assert not UserPreference.objects.filter(user=alice).exists()


# --- who sees and changes ---
def test_three_people_and_a_view(client, people):
    alice, bob, charlie = people
    client.force_login(alice)
    save(client, "Seltene Sicht", "country=DE")
    view = SavedView.objects.get()
    for visibility, seen_by in (("private", {alice}), ("team", {alice, bob}), ("everyone", {alice, bob, charlie})):
        SavedView.objects.filter(pk=view.pk).update(visibility=visibility)
        for user in people:
            assert ("Seltene Sicht" in text_of(client, user)) == (user in seen_by), (visibility, user)
            opened = text_of(client, user, view=view.pk)
            assert ("not shared with you" in opened) == (user not in seen_by)


def test_only_the_owner_changes_and_deletes(client, people):
    alice, bob, charlie = people
    view = SavedView.objects.create(record="account", name="Alice's", owner=alice, visibility="team")
    for user, status in ((charlie, 404), (bob, 403)):
        client.force_login(user)
        for act in ("view_save", "view_delete"):
            assert client.post(reverse(f"lists:{act}", args=[view.pk]), {"query": "country=DE"}).status_code == status
        assert client.post(reverse("lists:view_edit", args=[view.pk]), {"name": "x"}).status_code == status
        assert f"views/{view.pk}/delete" not in text_of(client, user, view=view.pk)
    view.refresh_from_db()
    assert (view.name, view.query) == ("Alice's", {})
    client.force_login(alice)
    client.post(reverse("lists:view_save", args=[view.pk]), {"query": f"view={view.pk}&country=DE"})
    view.refresh_from_db()
    assert view.query == {"country": "DE"}
    client.post(reverse("lists:view_edit", args=[view.pk]), {"name": "New name", "visibility": "private"})
    view.refresh_from_db()
    assert (view.name, view.visibility, view.query) == ("New name", "private", {"country": "DE"})


def test_a_deleted_view_can_be_brought_back(client, people):
    alice, bob, _ = people
    client.force_login(alice)
    save(client, "Kept", "country=DE")
    client.post(reverse("lists:view_delete", args=[SavedView.objects.get().pk]))
    assert not SavedView.objects.exists()
    assert "Bring it back" in text_of(client, alice)
    client.force_login(alice)
    client.post(
        reverse("lists:view_delete", args=[SavedView.objects.create(record="account", name="B", owner=alice).pk])
    )
    client.post(reverse("lists:view_restore"))
    assert SavedView.objects.get().name == "B"
    assert client.post(reverse("lists:view_restore")).status_code == 404
    client.force_login(bob)
    assert client.post(reverse("lists:view_restore")).status_code == 404


def test_sharing_with_everyone_and_choosing_for_others_takes_a_manager(client, people):
    alice, bob, _ = people
    client.force_login(alice)
    refused = save(client, "For all", visibility="everyone")
    assert "Select a valid choice" in refused.content.decode()
    refused = save(client, "For my team", visibility="team", is_default="on")
    assert "takes a manager" in refused.content.decode()
    assert not SavedView.objects.exists()
    save(client, "For my team", visibility="team")
    save(client, "For me", is_default="on")
    client.force_login(bob)
    save(client, "For all", visibility="everyone", is_default="on")
    assert set(SavedView.objects.values_list("name", "is_default")) == {
        ("For my team", False),
        ("For me", True),
        ("For all", True),
    }
    # A private default that its owner shares is no default of others.
    mine = SavedView.objects.get(name="For me")
    client.force_login(alice)
    data = {"name": mine.name, "visibility": "team", "is_default": ""}
    client.post(reverse("lists:view_edit", args=[mine.pk]), data)
    mine.refresh_from_db()
    assert (mine.visibility, mine.is_default) == ("team", False)


def test_there_is_one_default_for_the_same_people(client, people):
    _, bob, _ = people
    client.force_login(bob)
    save(client, "First", is_default="on")
    save(client, "Second", is_default="on")
    save(client, "Team's", visibility="team", is_default="on")
    assert set(SavedView.objects.filter(is_default=True).values_list("name", flat=True)) == {"Second", "Team's"}
    answer = client.get(reverse(LIST))
    assert answer.url == f"?view={SavedView.objects.get(name='Second').pk}"
    # Whoever asks for something gets that, and no view besides.
    assert client.get(reverse(LIST), {"country": "DE"}).status_code == 200
    assert client.get(reverse(LIST), {"view": "all"}).status_code == 200


def test_an_admin_puts_everyones_views_in_order(client, people):
    alice, _, _ = people
    shared = SavedView.objects.create(record="account", name="Old", owner=alice, visibility="everyone")
    own = SavedView.objects.create(record="account", name="Own", owner=alice)
    admin = UserFactory(role=Role.ADMIN)
    client.force_login(admin)
    assert client.post(reverse("lists:view_delete", args=[shared.pk])).status_code == 302
    assert client.post(reverse("lists:view_delete", args=[own.pk])).status_code == 404
    assert list(SavedView.objects.all()) == [own]


def test_a_person_without_team_is_told_so(people):
    loner = UserFactory(role=Role.SALES_REP, team=None)
    answer = caller(loner).post("/api/v1/saved_views/", {"record": "task", "name": "x", "visibility": "team"}, "json")
    assert answer.status_code == 400
    assert "no team" in str(answer.json())


# --- the rule ---
def test_a_view_with_a_rule_leads_to_a_segment_for_who_builds_segments(client, people):
    alice, bob, _ = people
    AccountFactory(owner=alice, employee_count=100)
    view = SavedView.objects.create(record="account", name="Large", owner=bob, visibility="team", rules=larger_than(50))
    text = text_of(client, bob, view=view.pk)
    link = f"{reverse('segments:new')}?member_type=account&amp;view={view.pk}"
    assert link in text
    assert "Save as segment" not in text_of(client, alice, view=view.pk)
    client.force_login(bob)
    builder = client.get(reverse("segments:new"), {"member_type": "account", "view": view.pk}).content.decode()
    assert "account.employee_count" in builder
    client.force_login(UserFactory(role=Role.SALES_MANAGER, team=TeamFactory()))
    other = client.get(reverse("segments:new"), {"member_type": "account", "view": view.pk}).content.decode()
    assert "account.employee_count" not in other


def test_the_builder_opens_for_a_list_with_its_rule(client, people):
    alice, _, charlie = people
    view = SavedView.objects.create(record="account", name="Large", owner=alice, rules=larger_than(50))
    url = reverse("segments:list_rule", args=["account"])
    client.force_login(alice)
    assert "account.employee_count" in client.get(url, {"view": view.pk}).content.decode()
    client.force_login(charlie)
    assert "account.employee_count" not in client.get(url, {"view": view.pk}).content.decode()
    assert client.get(reverse("segments:list_rule", args=["task"])).status_code == 404


# --- API ---
def test_the_api_checks_like_the_page(people):
    alice, bob, charlie = people
    api = caller(alice)
    body = {"record": "account", "name": "Large", "query": {"country": ["DE", "FR"]}, "rules": larger_than(50)}
    made = api.post("/api/v1/saved_views/", body, "json")
    assert made.status_code == 201, made.json()
    path = f"/api/v1/saved_views/{made.json()['id']}/"
    for wrong, words in (
        ({"query": {"colour": "red"}}, "There is no filter"),
        ({"query": {"columns": ["nonsense"]}}, "There is no column"),
        ({"query": {"employee_count_min": "many"}}, "Employees from"),
        ({"query": []}, "object"),
        ({"query": {"country": {"a": 1}}}, "text"),
        ({"rules": {"combinator": "and", "rules": []}}, "empty"),
        ({"rules": "x"}, "rule"),
        ({"record": "contact"}, "stays with its list"),
        ({"name": ""}, "blank"),
    ):
        answer = api.patch(path, wrong, "json")
        assert answer.status_code == 400, wrong
        assert words in str(answer.json()), (wrong, answer.json())
    assert api.patch(path, {"is_default": True, "visibility": "team"}, "json").status_code == 403
    assert caller(bob).get(path).status_code == 404
    assert api.patch(path, {"visibility": "team"}, "json").status_code == 200
    assert caller(bob).delete(path).status_code == 403
    assert caller(charlie).get(path).status_code == 404
    assert (
        api.post("/api/v1/saved_views/", {"record": "task", "name": "T", "rules": larger_than(1)}, "json").status_code
        == 400
    )
