"""Partitions, splits, dry runs, versions and pasted members over the API, and what each of three people sees."""

import json

import pytest
from pyroaring import BitMap64

from accounts.models import Import
from segmentation_crm.common.models import Role, SavedView
from segments.models import Segment
from segments.services.rebuilding import rebuild_segment
from segments.services.saving import update_segment
from tests.factories import AccountFactory, ContactFactory, UserFactory
from tests.support.api import caller

from .making import all_of, built, in_segment, larger_than, member_ids, saved, three_people

pytestmark = pytest.mark.django_db
SECRET = "Verborgen Holding"


@pytest.fixture
def admin():
    return UserFactory(role=Role.ADMIN)


@pytest.fixture
def api(admin):
    return caller(admin)


def errors(answer):
    return {error["field"]: error["message"] for error in answer.json()["errors"]}


# --- dry run ---
def dry_run(api, segment, rules):
    return api.post(f"/api/v1/segments/{segment.slug}/dry-run/", {"rules": rules})


def test_a_dry_run_says_who_comes_and_goes_and_writes_nothing(api, admin):
    small, middle = AccountFactory(name="Small", employee_count=60), AccountFactory(name="Middle", employee_count=200)
    AccountFactory(name="Large", employee_count=900)
    segment = built(all_of({"field": "account.employee_count", "operator": "between", "value": [50, 300]}))
    saved(in_segment(segment.slug), "Reader", admin)
    found = dry_run(api, segment, larger_than(100)).json()
    assert (found["member_count"], found["after"]) == (2, 2)
    assert [row["name"] for row in found["entered"]["sample"]] == ["Large"]
    assert [row["id"] for row in found["left"]["sample"]] == [small.pk]
    assert found["dependents"] == [{"kind": "segment", "name": "Reader", "url": "/segments/reader/"}]
    assert member_ids(segment) == {small.pk, middle.pk}
    assert Segment.objects.get(pk=segment.pk).version == segment.version


def test_the_lists_of_a_dry_run_hold_the_same_records(api, admin, client):
    AccountFactory(name="Small", employee_count=60)
    AccountFactory(name="Large", employee_count=900)
    segment = built(all_of({"field": "account.employee_count", "operator": "between", "value": [50, 300]}))
    found = dry_run(api, segment, larger_than(100)).json()
    client.force_login(admin)
    for side, name in (("entered", "Large"), ("left", "Small")):
        rows = client.get(found[side]["list_url"]).context["table"].rows
        assert [row.record.name for row in rows] == [name]


def test_a_dry_run_shows_each_of_three_people_their_part():
    alice, bob, charlie = three_people()
    AccountFactory(name="Own GmbH", owner=alice, employee_count=900)
    AccountFactory(name=SECRET, owner=charlie, employee_count=900)
    segment = built(larger_than(5_000))
    for viewer, names in ((alice, ["Own GmbH"]), (bob, ["Own GmbH"]), (charlie, [SECRET])):
        answer = dry_run(caller(viewer), segment, larger_than(100))
        found = answer.json()
        assert [row["name"] for row in found["entered"]["sample"]] == names, viewer.username
        assert found["entered"]["count"] == 1
        assert found["narrowed"]
        assert (SECRET in answer.content.decode()) is (viewer == charlie)


def test_a_dry_run_heeds_decisions_and_the_parent(api, admin):
    inside, outside = AccountFactory(employee_count=500), AccountFactory(employee_count=900)
    parent = built(all_of({"field": "account.employee_count", "operator": "lte", "value": 600}), "Parent")
    segment = saved(larger_than(5_000), user=admin, parent=parent)
    rebuild_segment(segment.pk)
    found = dry_run(api, segment, larger_than(100)).json()
    assert [row["id"] for row in found["entered"]["sample"]] == [inside.pk]
    assert outside.pk not in member_ids(segment)


@pytest.mark.parametrize("rules", [{}, {"combinator": "and", "rules": []}, larger_than("many"), "x"])
def test_a_dry_run_of_a_wrong_rule_is_a_400(api, rules):
    assert dry_run(api, built(larger_than(1)), rules).status_code == 400


def test_a_saved_view_depends_on_a_segment_and_a_private_one_is_not_named(api, admin):
    segment = built(larger_than(1))
    SavedView.objects.create(
        record="account", name="Secret plan", owner=UserFactory(username="dora"), rules=in_segment(segment.slug)
    )
    answer = api.delete(f"/api/v1/segments/{segment.slug}/")
    assert answer.status_code == 409
    assert "saved view" in answer.json()["detail"]
    assert "Secret plan" not in answer.json()["detail"]


# --- versions ---
def test_an_old_version_comes_back_as_the_newest(api, admin):
    segment = saved(larger_than(10), user=admin)
    first = segment.rules
    segment, _ = update_segment(admin, segment, {"rules": larger_than(20)})
    path = f"/api/v1/segments/{segment.slug}/versions/1/restore/"
    assert api.post(path).status_code == 428
    assert api.post(path, headers={"If-Match": '"1"'}).status_code == 412
    found = api.post(path, headers={"If-Match": f'"{segment.version}"'}).json()
    assert (found["rules_version"], found["rules"]) == (3, first)
    versions = api.get(f"/api/v1/segments/{segment.slug}/versions/").json()["results"]
    assert [row["number"] for row in versions] == [3, 2, 1]
    again = api.post(path, headers={"If-Match": f'"{found["version"]}"'})
    assert errors(again)["version"] == "Version 1 is the rule as it stands now."


# --- strategic, parent ---
def test_a_strategic_segment_is_active_only_with_an_objective(api):
    body = {"name": "Growth", "member_type": "account", "rules": larger_than(5), "kind_of_use": "strategic"}
    assert "objective" in errors(api.post("/api/v1/segments/", body))
    assert api.post("/api/v1/segments/", {**body, "status": "draft"}).status_code == 201
    found = api.post("/api/v1/segments/", {**body, "objective": "conversion"}).json()
    assert found["objective"] == "conversion"
    assert "owner" in errors(api.patch(f"/api/v1/segments/{found['slug']}/", {"owner": None}))


def test_a_parent_is_set_and_a_circle_refused(api, admin):
    parent, child = saved(larger_than(1), "Parent", admin), saved(larger_than(2), "Child", admin)
    found = api.patch("/api/v1/segments/child/", {"parent": "parent"}).json()
    assert found["parent"] == "parent"
    assert "circle" in errors(api.patch("/api/v1/segments/parent/", {"parent": child.pk}))["parent"]
    refused = api.patch(
        "/api/v1/segments/parent/", {"rules": in_segment("child")}, headers={"If-Match": f'"{parent.version}"'}
    )
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["code"] == "cycle"
    assert "no such segment" in errors(api.patch("/api/v1/segments/child/", {"parent": "nothing"}))["parent"]
    people = saved(all_of({"field": "contact.seniority", "operator": "is_set"}), "People", admin, member_type="contact")
    assert "accounts" in errors(api.patch("/api/v1/segments/child/", {"parent": people.slug}))["parent"]


# --- partitions and splits ---
def test_a_partition_from_making_to_deleting(api, admin):
    for count in (10, 300, 900):
        AccountFactory(employee_count=count)
    for name, count in (("Large", 500), ("Middle", 100)):
        built(larger_than(count), name, user=admin)
    body = {
        "name": "Tiers",
        "member_type": "account",
        "parts": [{"name": "One", "source": "large"}, {"name": "Two", "source": "middle"}],
        "rest": "Three",
    }
    answer = api.post("/api/v1/partitions/", body)
    assert answer.status_code == 201, answer.json()
    found = answer.json()
    for part in found["parts"]:
        rebuild_segment(Segment.objects.get(slug=part["segment"]).pk)
    found = api.get("/api/v1/partitions/tiers/").json()
    assert [(part["name"], part["source"], part["member_count"]) for part in found["parts"]] == [
        ("One", "large", 1),
        ("Two", "middle", 1),
        ("Three", None, 1),
    ]
    members = api.get(f"/api/v1/segments/{found['parts'][0]['segment']}/members/").json()["results"]
    assert len(members) == 1
    path = "/api/v1/partitions/tiers/"
    parts = {"parts": [{"name": "One", "source": "middle"}]}
    assert api.patch(path, parts).status_code == 428
    assert api.patch(path, parts, headers={"If-Match": '"9"'}).status_code == 412
    changed = api.patch(path, parts, headers={"If-Match": '"1"'}).json()
    assert [part["source"] for part in changed["parts"]] == ["middle", None]
    assert Segment.objects.get(slug=found["parts"][0]["segment"]).status == "archived"
    assert api.delete("/api/v1/segments/middle/").status_code == 409
    assert api.delete(path).status_code == 204
    assert api.get(path).status_code == 404
    assert api.delete("/api/v1/segments/middle/").status_code == 204


def test_a_split_from_making_to_deleting(api, admin):
    AccountFactory.create_batch(20, employee_count=50)
    base = built(larger_than(1), "Everybody", user=admin)
    groups = [{"name": "Trial", "share": "90"}, {"name": "Control", "share": "10"}]
    body = {"name": "Test", "base": "everybody", "groups": groups, "seed": "s"}
    found = api.post("/api/v1/splits/", body).json()
    assert [group["share"] for group in found["groups"]] == [90, 10]
    for group in found["groups"]:
        rebuild_segment(Segment.objects.get(slug=group["segment"]).pk)
    found = api.get(f"/api/v1/splits/{found['id']}/").json()
    assert sum(group["member_count"] for group in found["groups"]) == base.member_count == 20
    wrong = api.patch("/api/v1/splits/test/", {"groups": groups[:1]}, headers={"If-Match": '"1"'})
    assert "groups" in errors(wrong)
    taken = api.post(
        f"/api/v1/segments/{found['groups'][0]['segment']}/overrides/",
        {"record": AccountFactory().pk, "mode": "include", "reason": "x"},
    )
    assert taken.status_code == 400
    assert api.delete("/api/v1/splits/test/").status_code == 204


def test_parts_show_each_of_three_people_their_count():
    alice, bob, charlie = three_people()
    AccountFactory(owner=alice, employee_count=900)
    AccountFactory(owner=charlie, employee_count=900)
    built(larger_than(500), "Large", user=bob)
    body = {"name": "Tiers", "member_type": "account", "parts": [{"name": "One", "source": "large"}]}
    assert caller(alice).post("/api/v1/partitions/", body).status_code == 403
    found = caller(bob).post("/api/v1/partitions/", body).json()
    for part in found["parts"]:
        rebuild_segment(Segment.objects.get(slug=part["segment"]).pk)
    for viewer in (alice, bob, charlie):
        parts = caller(viewer).get("/api/v1/partitions/tiers/").json()["parts"]
        assert parts[0]["member_count"] == 1, viewer.username
    everything = caller(UserFactory(role=Role.ADMIN)).get("/api/v1/partitions/tiers/").json()["parts"]
    assert everything[0]["member_count"] == 2


# --- pasted members, snapshots ---
def test_pasted_lines_find_visible_records_alone():
    alice, bob, charlie = three_people()
    own = AccountFactory(name="Kessler Werke", domain="kessler.example", owner=alice)
    AccountFactory(name=SECRET, domain="verborgen.example", owner=charlie)
    by_name = AccountFactory(name="Björk & Co", domain="", owner=alice)
    segment = saved(None, "Fair", bob, kind="static")
    values = ["https://www.kessler.example/contact", "verborgen.example", "BJÖRK & co", "kessler.example", "999999"]
    found = caller(bob).post(f"/api/v1/segments/{segment.slug}/paste/", {"values": values}).json()
    assert found["added"] == 2
    assert [(row["line"], row["text"]) for row in found["unmatched"]] == [(2, "verborgen.example"), (5, "999999")]
    assert member_ids(segment) == {own.pk, by_name.pk}
    again = caller(bob).post(f"/api/v1/segments/{segment.slug}/paste/", {"values": [str(own.pk)]}).json()
    assert (again["added"], again["already"]) == (0, 1)


def test_contacts_are_pasted_by_email_and_twins_are_reported(api, admin):
    anna = ContactFactory(first_name="Anna", last_name="Own", email="anna@kessler.example")
    for number in range(2):
        ContactFactory(first_name="Ben", last_name="Twin", email=f"ben{number}@kessler.example")
    segment = saved(None, "Guests", admin, kind="static", member_type="contact")
    text = "Anna@Kessler.example, nobody@nowhere.example;Ben Twin"
    found = api.post(f"/api/v1/segments/{segment.slug}/paste/", {"values": [text]}).json()
    assert found["added"] == 1
    assert [row["text"] for row in found["unmatched"]] == ["nobody@nowhere.example", "Ben Twin"]
    assert "2 contacts fit" in found["unmatched"][1]["why"]
    assert member_ids(segment) == {anna.pk}
    dynamic = saved(all_of({"field": "contact.seniority", "operator": "is_set"}), "D", admin, member_type="contact")
    assert api.post(f"/api/v1/segments/{dynamic.slug}/paste/", {"values": ["x"]}).status_code == 400
    assert "values" in errors(api.post(f"/api/v1/segments/{segment.slug}/paste/", {"values": [" ; "]}))


def test_a_snapshot_stays_until_it_is_taken_again(api, admin):
    first = AccountFactory(employee_count=500)
    segment = built(larger_than(100), kind="snapshot", user=admin)
    second = AccountFactory(employee_count=600)
    rebuild_segment(segment.pk)
    assert member_ids(segment) == {first.pk}
    assert api.post(f"/api/v1/segments/{segment.slug}/take-again/").status_code == 202
    rebuild_segment(segment.pk)
    assert member_ids(segment) == {first.pk, second.pk}
    assert api.post(f"/api/v1/segments/{built(larger_than(1), 'D').slug}/take-again/").status_code == 400


# --- pages ---
def test_two_people_at_once_see_both_versions(client, admin):
    segment = saved(larger_than(10), user=admin)
    update_segment(admin, segment, {"rules": larger_than(20)})
    client.force_login(admin)
    mine = {"mine": json.dumps(larger_than(30)), "fields": json.dumps({"name": "Mine"}), "base": "1"}
    text = client.post(f"/segments/{segment.slug}/conflict/", mine).content.decode()
    for employees in ("10 employees", "20 employees", "30 employees"):
        assert employees in text
    stale = client.post(f"/segments/{segment.slug}/conflict/", {**mine, "act": "mine", "seen": "1"})
    assert "saved once more" in stale.content.decode()
    kept = client.post(f"/segments/{segment.slug}/conflict/", {**mine, "act": "mine", "seen": "2"}, follow=True)
    assert "Yours is saved" in kept.content.decode()
    segment.refresh_from_db()
    assert (segment.name, segment.rules_version) == ("Mine", 3)
    assert segment.versions.count() == 3
    editing = client.post(f"/segments/{segment.slug}/conflict/", {**mine, "act": "edit"}).content.decode()
    assert "This is your rule" in editing
    assert '"value": 30' in editing


def test_the_page_of_versions_shows_what_changed(client, admin):
    segment = saved(larger_than(10), user=admin)
    client.force_login(admin)
    assert "has not changed" in client.get(f"/segments/{segment.slug}/versions/").content.decode()
    update_segment(admin, segment, {"rules": larger_than(20)})
    text = client.get(f"/segments/{segment.slug}/versions/").content.decode()
    assert "<del>At least 10 employees</del>" in text
    assert "<ins>At least 20 employees</ins>" in text
    restored = client.post(f"/segments/{segment.slug}/versions/1/restore/", {"version": "2"}, follow=True)
    assert "as version 3" in restored.content.decode()
    assert client.get(f"/segments/{segment.slug}/versions/?old=99").status_code == 404


def test_forms_of_partitions_and_splits(client, admin):
    client.force_login(admin)
    AccountFactory(employee_count=900)
    built(larger_than(500), "Large", user=admin)
    form = {"name": "Tiers", "rest": "Rest", "base": "", "part_name": ["One", ""], "part_segment": ["large", ""]}
    text = client.post("/segments/partitions/new/", form, follow=True).content.decode()
    assert "is saved" in text
    bad = client.post("/segments/partitions/new/", {**form, "part_segment": ["", ""]})
    assert bad.status_code == 400
    assert "Choose a segment for “One”" in bad.content.decode()
    assert 'value="One"' in bad.content.decode()
    stale = client.post("/segments/partitions/tiers/edit/", {**form, "version": "7"}).content.decode()
    assert "Somebody saved it" in stale
    form = {"name": "Trial", "base": "large", "group_name": ["A", "B"], "group_share": ["60", "30"]}
    bad = client.post("/segments/splits/new/", form)
    assert "add up to 90 percent" in bad.content.decode()
    done = client.post("/segments/splits/new/", {**form, "group_share": ["60", "40"]}, follow=True)
    assert "60 %" in done.content.decode()
    assert "Trial" in client.get("/segments/divisions/").content.decode()
    deleted = client.post("/segments/splits/trial/delete/", follow=True)
    assert "archived with members" in deleted.content.decode()


def test_pages_of_static_segments(client, admin):
    client.force_login(admin)
    AccountFactory(name="Kessler", domain="kessler.example")
    form = {"name": "Fair", "member_type": "account", "text": "kessler.example\nnobody.example"}
    text = client.post("/segments/new/static/", form).content.decode()
    assert "1 account put in" in text
    assert "nobody.example" in text
    assert client.post("/segments/fair/paste/", {"text": ""}).status_code == 400
    page = client.get("/segments/fair/").content.decode()
    assert "Paste members" in page
    built(larger_than(0), "All", user=admin)
    placed = client.post("/segments/fair/parent/", {"parent": "all"}, follow=True).content.decode()
    assert "always members of “All”" in placed


def test_an_import_fills_a_static_segment_with_what_its_maker_sees(client):
    alice, bob, charlie = three_people()
    own, hidden = AccountFactory(owner=alice), AccountFactory(owner=charlie)
    written = BitMap64([own.pk, hidden.pk]).serialize()
    record = Import.objects.create(
        type="accounts", file_name="fair.csv", state="done", created_by=bob, touched_ids=written
    )
    client.force_login(bob)
    form = {"name": "Fair", "member_type": "account", "text": "", "imported": str(record.public_id)}
    assert "fair.csv" in client.get("/segments/new/static/").content.decode()
    wrong = client.post("/segments/new/static/", {**form, "member_type": "contact"}).content.decode()
    assert "holds accounts" in wrong
    client.post("/segments/new/static/", form)
    assert member_ids(Segment.objects.get(slug="fair")) == {own.pk}
    client.force_login(UserFactory(role=Role.MARKETING_MANAGER))
    assert "fair.csv" not in client.get("/segments/new/static/").content.decode()
