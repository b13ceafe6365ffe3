"""The API of segments: preview, fields, values, saving with versions, members, decisions by hand."""

import json

import pytest
from django.core.cache import cache

from segmentation_crm.common.models import Job, Role
from segments.models import Segment
from segments.rules.deadline import RuleTooExpensive
from segments.services import previewing
from tests.factories import AccountFactory, ContactFactory, OpportunityFactory, TermFactory, UserFactory
from tests.support.api import caller

from .making import all_of, built, in_segment, larger_than, member_ids, saved, three_people

pytestmark = pytest.mark.django_db
URL = "/api/v1/segments/"


@pytest.fixture
def admin():
    """Somebody who may save segments."""
    return UserFactory(role=Role.ADMIN)


@pytest.fixture
def api(admin):
    """A client with the admin's token."""
    return caller(admin)


def preview(client, rules, member_type="account", **more):
    """Post a preview."""
    return client.post(f"{URL}preview/", {"member_type": member_type, "rules": rules, **more}, format="json")


# --- preview ---
def test_preview_counts_every_node_with_its_unit(api):
    account = AccountFactory(name="Kessler", employee_count=300)
    AccountFactory(employee_count=10)
    OpportunityFactory(account=account, amount=5000)
    related = {
        "field": "account.opportunities",
        "operator": "match",
        "match": {"mode": "at_least", "threshold": 1},
        "value": all_of({"field": "opportunity.amount", "operator": "gte", "value": 1000}),
    }
    answer = preview(api, all_of(*larger_than(50)["rules"], related))
    assert answer.status_code == 200, answer.content
    body = answer.json()
    assert (body["count"], body["total"], body["undecided"]) == (1, 2, None)
    assert body["sample"] == [{"id": account.pk, "name": "Kessler"}]
    nodes = {json.dumps(node["path"]): (node["count"], node["unit"]) for node in body["nodes"]}
    assert nodes["[]"] == (1, "accounts")
    assert nodes['["rules", 0]'] == (1, "accounts")
    assert nodes['["rules", 1, "value", "rules", 0]'] == (1, "accounts with such an opportunity")
    assert [step["count"] for step in body["funnel"]] == [1, 1]
    assert "".join(part["text"] for part in body["sentence_parts"]) == body["sentence"]


def test_preview_tells_every_error_with_its_path(api):
    rules = all_of(
        {"field": "account.nope", "operator": "eq", "value": 1},
        {"field": "account.employee_count", "operator": "gte", "value": "many"},
    )
    answer = preview(api, rules)
    assert answer.status_code == 400
    assert [error["path"][:2] for error in answer.json()["errors"]] == [["rules", 0], ["rules", 1]]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"member_type": "account"},
        {"member_type": "planet", "rules": {}},
        {"member_type": "account", "rules": []},
        {"member_type": "account", "rules": None},
        {"member_type": "account", "rules": {"combinator": "and", "rules": []}},
        {"member_type": "account", "rules": larger_than(1), "as_of": "yesterday"},
        {"member_type": "account", "rules": larger_than(1), "as_of": "2026-02-30"},
        {"member_type": "account", "rules": larger_than(1), "extra": 1},
        [],
    ],
)
def test_preview_refuses_bad_bodies_as_json(api, body):
    answer = api.post(f"{URL}preview/", body, format="json")
    assert answer.status_code == 400
    assert answer.json()["detail"]


def test_preview_takes_a_moment_or_a_day(api):
    for as_of in ("2026-03-31", "2026-03-31T12:00:00Z"):
        assert preview(api, larger_than(1), as_of=as_of).status_code == 200


def test_preview_of_opportunities_and_activities(api):
    OpportunityFactory(amount=10)
    rules = all_of({"field": "opportunity.amount", "operator": "is_set"})
    assert preview(api, rules, "opportunity").json()["count"] == 1


def test_r31_a_rule_over_256_kib_is_413(api):
    value = ["x" * 999] * 300
    rules = all_of({"field": "account.name", "operator": "in", "value": value})
    assert preview(api, rules).status_code == 413


def test_r42_a_rule_that_takes_too_long_is_422(api, monkeypatch):
    def too_long(*args, **kwargs):
        raise RuleTooExpensive

    monkeypatch.setattr(previewing, "preview", too_long)
    answer = preview(api, larger_than(1))
    assert (answer.status_code, answer.json()["code"]) == (422, "rule_too_expensive")


def test_r42_a_third_preview_at_once_is_429(api, admin):
    for number in range(previewing.AT_ONCE):
        cache.add(f"preview-slot:{admin.pk}:{number}", "held")
    answer = preview(api, larger_than(1))
    assert answer.status_code == 429
    assert answer["Retry-After"] == "1"
    cache.delete(f"preview-slot:{admin.pk}:0")
    assert preview(api, larger_than(1)).status_code == 200
    assert cache.get(f"preview-slot:{admin.pk}:0") is None


def test_r28_a_viewer_of_a_part_counts_only_that_part():
    alice, bob, charlie = three_people()
    AccountFactory(owner=alice, employee_count=100)
    AccountFactory(owner=charlie, employee_count=200)
    rules = {"combinator": "or", "rules": [*larger_than(1)["rules"], {"field": "account.name", "operator": "is_set"}]}
    for person in (alice, bob, charlie):
        body = preview(caller(person), rules).json()
        assert (body["count"], body["total"], len(body["sample"])) == (1, 1, 1)
    assert preview(caller(UserFactory(role=Role.VIEWER)), rules).json()["count"] == 2


def test_preview_needs_log_in():
    assert preview(caller(), larger_than(1)).status_code == 401


def test_preview_needs_only_the_scope_to_read(admin):
    assert preview(caller(admin, scopes=("read",)), larger_than(1)).status_code == 200
    assert caller(admin, scopes=("read",)).post(URL, {}, format="json").status_code == 403


# --- fields and values ---
def test_fields_describe_what_can_be_asked(api):
    body = api.get(f"{URL}fields/").json()
    keys = {field["key"] for field in body["fields"]}
    assert {"account.employee_count", "contact.seniority"} <= keys


def test_values_are_searched_and_named(api, admin):
    TermFactory(vocabulary="industry", slug="aerospace-test", name="Aerospace test")
    query = {"field": "account.industry", "q": "aerospace te"}
    assert api.get(f"{URL}values/", query).json()["results"] == [{"value": "aerospace-test", "label": "Aerospace test"}]
    named = api.get(f"{URL}values/", {"field": "account.industry", "value": '"aerospace-test"'}).json()["results"]
    assert named == [{"value": "aerospace-test", "label": "Aerospace test"}]
    saved(larger_than(1), "Large", admin)
    found = api.get(f"{URL}values/", {"field": "segment", "member_type": "account", "q": "lar"}).json()["results"]
    assert found == [{"value": "large", "label": "Large"}]
    assert api.get(f"{URL}values/", {"field": "segment", "value": '"large"'}).json()["results"] == found


def test_values_of_records_are_those_one_may_see():
    alice, _, charlie = three_people()
    account = AccountFactory(name="Kessler Werke", owner=alice)
    query = {"field": "account", "q": "kess"}
    assert caller(alice).get(f"{URL}values/", query).json()["results"] == [
        {"value": account.pk, "label": "Kessler Werke", "sub": ""}
    ]
    assert caller(charlie).get(f"{URL}values/", query).json()["results"] == []


@pytest.mark.parametrize(
    "query",
    [
        {"field": "account.nope"},
        {"field": ""},
        {"field": "segment", "member_type": "planet"},
        {"field": "account.industry", "value": "[1]"},
        {"field": "account.industry", "value": "true"},
        {"field": "account.industry", "q": "a\x00"},
    ],
)
def test_values_refuse_bad_parameters(api, query):
    assert api.get(f"{URL}values/", query).status_code == 400


# --- saving ---
def test_a_segment_is_created_with_its_job(api):
    answer = api.post(URL, {"name": "Large", "member_type": "account", "rules": larger_than(50)}, format="json")
    assert answer.status_code == 201, answer.content
    body = answer.json()
    assert answer["ETag"] == '"1"'
    wanted = {"slug": "large", "version": 1, "status": "active", "member_count": 0, "last_built_at": None}
    assert {key: body[key] for key in wanted} == wanted
    assert body["job"] == str(Job.objects.get().public_id)
    assert api.get(f"/api/v1/jobs/{body['job']}/").json()["state"] == "queued"


def test_what_the_builder_sends_comes_back_as_one_form(api):
    rules = {"id": "g1", "not": False, **larger_than(50), "version": 1}
    body = api.post(URL, {"name": "A", "member_type": "account", "rules": rules}, format="json").json()
    assert body["rules"] == {"version": 1, **larger_than(50)}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": None}, "name"),
        ({"member_type": "opportunity"}, "member_type"),
        ({"rules": {"combinator": "and", "rules": []}}, ""),
        ({"version": 7}, "version"),
        ({"member_count": 7}, "member_count"),
        ({"owner": "admin"}, "owner"),
        ({"status": "broken"}, "status"),
    ],
)
def test_r52_bad_input_names_the_field_and_saves_nothing(api, change, field):
    good = {"name": "A", "member_type": "account", "rules": larger_than(1)}
    answer = api.post(URL, {**good, **change}, format="json")
    assert answer.status_code == 400
    assert field in {error["field"] for error in answer.json()["errors"]}
    assert not Segment.objects.exists()


def test_r58_rules_need_if_match_and_a_stale_one_is_412(api, admin):
    segment = saved(larger_than(1), user=admin)
    url = f"{URL}{segment.pk}/"
    assert api.patch(url, {"rules": larger_than(2)}, format="json").status_code == 428
    answer = api.patch(url, {"rules": larger_than(2)}, format="json", headers={"If-Match": '"1"'})
    assert (answer.status_code, answer["ETag"], answer.json()["version"]) == (200, '"2"', 2)
    assert answer.json()["job"]
    stale = api.patch(url, {"rules": larger_than(3)}, format="json", headers={"If-Match": '"1"'})
    assert stale.status_code == 412
    assert stale.json()["current"]["version"] == 2


def test_patch_without_if_match_writes_only_what_is_sent(api, admin):
    segment = saved(larger_than(1), user=admin, description="Old")
    answer = api.patch(f"{URL}{segment.slug}/", {"name": "New name"}, format="json")
    assert (answer.status_code, answer.json()["name"], answer.json()["description"]) == (200, "New name", "Old")
    assert answer.json()["rules"] == segment.rules


def test_a_segment_is_found_by_id_and_by_slug_and_missing_is_404(api, admin):
    segment = saved(larger_than(1), "Large", admin)
    for reference in (segment.pk, "large"):
        assert api.get(f"{URL}{reference}/").json()["id"] == segment.pk
    assert api.get(f"{URL}nothing-here/").status_code == 404


def test_the_list_is_filtered_and_refuses_unknown_filters(api, admin):
    saved(larger_than(1), "Large", admin)
    saved(all_of({"field": "contact.seniority", "operator": "is_set"}), "People", admin, member_type="contact")
    body = api.get(URL, {"member_type": "contact"}).json()
    assert [row["name"] for row in body["results"]] == ["People"]
    assert set(body) == {"next", "previous", "results"}
    assert api.get(URL, {"memberr": "contact"}).status_code == 400


def test_r44_a_cycle_is_refused_with_its_path(api, admin):
    base = saved(larger_than(1), "Base", admin)
    saved(in_segment("base"), "Reader", admin)
    answer = api.patch(f"{URL}{base.pk}/", {"rules": in_segment("reader")}, format="json", headers={"If-Match": '"1"'})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == "cycle"


def test_delete_archives_and_says_who_uses_it(api, admin):
    base = saved(larger_than(1), "Base", admin)
    reader = saved(in_segment("base"), "Reader", admin)
    refused = api.delete(f"{URL}{base.pk}/")
    assert refused.status_code == 409
    assert "Reader" in refused.json()["detail"]
    assert api.delete(f"{URL}{reader.pk}/").status_code == 204
    reader.refresh_from_db()
    assert reader.status == "archived"


@pytest.mark.parametrize("role", [Role.SALES_REP, Role.ANALYST, Role.VIEWER])
def test_roles_that_read_get_403_on_writes(role, admin):
    segment, client = saved(larger_than(1), user=admin), caller(UserFactory(role=role))
    assert client.get(f"{URL}{segment.pk}/").status_code == 200
    assert client.post(URL, {"name": "A"}, format="json").status_code == 403
    assert client.patch(f"{URL}{segment.pk}/", {"name": "B"}, format="json").status_code == 403
    assert client.delete(f"{URL}{segment.pk}/").status_code == 403
    assert client.post(f"{URL}{segment.pk}/rebuild/").status_code == 403
    body = {"record": 1, "mode": "include", "reason": "x"}
    assert client.post(f"{URL}{segment.pk}/overrides/", body, format="json").status_code == 403


# --- members ---
def test_members_are_rows_in_pages(api):
    accounts = [AccountFactory(name=f"A{n}", employee_count=100) for n in range(3)]
    segment = built(larger_than(50))
    first = api.get(f"{URL}{segment.pk}/members/", {"page_size": 2}).json()
    second = api.get(first["next"]).json()
    assert [row["id"] for row in first["results"] + second["results"]] == [account.pk for account in accounts]
    assert set(first["results"][0]) == {"id", "name", "entered_at", "manual"}
    assert first["results"][0]["name"] == "A0"
    assert second["next"] is None
    assert api.get(f"{URL}{segment.pk}/members/", {"page": 2}).status_code == 400


def test_members_and_count_are_of_the_records_one_may_see():
    alice, bob, charlie = three_people()
    mine = AccountFactory(owner=alice, employee_count=100)
    AccountFactory(employee_count=100)
    segment = built(larger_than(50))
    assert len(member_ids(segment)) == 2
    for person, seen in ((alice, [mine.pk]), (bob, [mine.pk]), (charlie, [])):
        client = caller(person)
        rows = client.get(f"{URL}{segment.pk}/members/").json()["results"]
        shown = [row["id"] for row in rows if row["id"] == mine.pk]
        assert shown == seen
        assert client.get(f"{URL}{segment.pk}/").json()["member_count"] == len(rows)


def test_contacts_are_listed_by_name(api):
    ContactFactory(first_name="Anna", last_name="Brandt", seniority="vp")
    rule = all_of({"field": "contact.seniority", "operator": "eq", "value": "vp"})
    segment = built(rule, "VPs", member_type="contact")
    assert api.get(f"{URL}{segment.pk}/members/").json()["results"][0]["name"] == "Anna Brandt"


def test_versions_and_rebuild(api, admin):
    segment = saved(larger_than(1), user=admin)
    api.patch(f"{URL}{segment.pk}/", {"rules": larger_than(2)}, format="json", headers={"If-Match": '"1"'})
    rows = api.get(f"{URL}{segment.pk}/versions/").json()["results"]
    assert [row["number"] for row in rows] == [2, 1]
    answer = api.post(f"{URL}{segment.pk}/rebuild/")
    assert (answer.status_code, answer.json()["job"]) == (202, str(Job.objects.get().public_id))


def test_decisions_by_hand(api, admin):
    account = AccountFactory(employee_count=1)
    segment = built(larger_than(50))
    url = f"{URL}{segment.pk}/overrides/"
    assert api.post(url, {"record": account.pk, "mode": "include"}, format="json").status_code == 400
    made = api.post(url, {"record": account.pk, "mode": "include", "reason": "Invited"}, format="json")
    assert made.status_code == 201, made.content
    assert api.get(url).json()["results"][0]["record"] == account.pk
    assert api.get(f"{URL}{segment.pk}/members/").json()["results"][0]["manual"] is True
    assert api.delete(f"{url}{made.json()['id']}/").status_code == 204
    assert api.delete(f"{url}{made.json()['id']}/").status_code == 404
    missing = api.post(url, {"record": 10**15, "mode": "include", "reason": "x"}, format="json")
    assert missing.status_code == 400
