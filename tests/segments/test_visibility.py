"""Nothing of a record that the viewer may not see: previews, members, exports, sentences, jobs (R28, R53, R65, R67).

Alice is a rep with a contact of her own whose account belongs to charlie; bob manages her team.
"""

import csv
import io
import json

import pytest
from django.urls import reverse

from segmentation_crm.common.jobs.running import run
from segmentation_crm.common.models import Job, Role
from tests.factories import AccountFactory, ContactFactory, UserFactory
from tests.support.api import caller

from .making import all_of, built, larger_than, three_people

pytestmark = pytest.mark.django_db
SECRET = "Verborgen Holding"
VPS = all_of({"field": "contact.seniority", "operator": "eq", "value": "vp"})


@pytest.fixture
def people():
    alice, bob, charlie = three_people()
    hidden = AccountFactory(name=SECRET, domain="verborgen.example", owner=charlie, employee_count=900)
    ContactFactory(account=hidden, owner=alice, first_name="Anna", last_name="Own", seniority="vp", job_title="CTO")
    ContactFactory(account=hidden, owner=charlie, first_name="Zoe", last_name="Foreign", seniority="vp")
    return alice, bob, charlie, hidden


@pytest.fixture
def segment(people):
    return built(VPS, "Vice presidents", member_type="contact")


def naming(hidden):
    """Return a rule that names the hidden account."""
    return all_of({"field": "contact.account", "operator": "in", "value": [hidden.pk]})


def test_preview_names_the_account_only_where_it_is_seen(people):
    body = {"member_type": "contact", "rules": VPS}
    for viewer, sees in zip(people[:3], (False, False, True), strict=True):
        found = caller(viewer).post("/api/v1/segments/preview/", body).json()
        assert found["count"] == (2 if sees else 1)
        assert found["total"] == found["count"]
        assert (SECRET in json.dumps(found)) is sees
        assert ("Foreign" in json.dumps(found)) is sees


def test_r28_an_always_true_branch_widens_nothing(people):
    rules = {"combinator": "or", "rules": [*VPS["rules"], {**VPS["rules"][0], "operator": "neq"}]}
    found = caller(people[0]).post("/api/v1/segments/preview/", {"member_type": "contact", "rules": rules}).json()
    assert found["count"] == 1
    assert {node["count"] for node in found["nodes"]} <= {0, 1}


def test_segment_page_names_the_account_only_where_it_is_seen(client, people, segment):
    for viewer, sees in zip(people[:3], (False, False, True), strict=True):
        client.force_login(viewer)
        text = client.get(segment.get_absolute_url()).content.decode()
        assert "Anna Own" in text
        assert ("Zoe Foreign" in text) is sees
        assert (SECRET in text) is sees


def test_export_holds_ones_own_part_without_names_of_hidden_accounts(client, people, segment):
    url = reverse("segments:export", args=[segment.slug])
    for viewer, sees in zip(people[:3], (False, False, True), strict=True):
        client.force_login(viewer)
        answer = client.post(url)
        rows = list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))
        assert [row[2] for row in rows[1:]] == (["Own", "Foreign"] if sees else ["Own"])
        assert (SECRET in str(rows)) is sees


def test_members_by_api_are_ones_own_part(people, segment):
    for viewer, count in zip(people[:3], (1, 1, 2), strict=True):
        client = caller(viewer)
        assert client.get(f"/api/v1/segments/{segment.pk}/").json()["member_count"] == count
        assert len(client.get(f"/api/v1/segments/{segment.pk}/members/").json()["results"]) == count


def test_the_list_counts_ones_own_part_of_what_it_has_the_time_to_count(client, people, segment, monkeypatch):
    def listed(viewer):
        client.force_login(viewer)
        return client.get(reverse("segments:list")).content.decode()

    for viewer, words in zip(people[:3], ("1 contact", "1 contact", "2 contacts"), strict=True):
        assert f">{words}<" in listed(viewer)
    monkeypatch.setattr("segments.lists.MOST_COUNTED", 1)
    assert "see the segment" in listed(people[0])
    assert ">2 contacts<" in listed(UserFactory(role=Role.VIEWER))


def test_sentences_name_no_hidden_record(client, people):
    alice, bob, charlie, hidden = people
    segment = built(naming(hidden), "At one account", member_type="contact")
    assert SECRET in segment.sentence
    for viewer, sees in ((alice, False), (bob, False), (charlie, True), (UserFactory(role=Role.VIEWER), True)):
        client.force_login(viewer)
        api = caller(viewer)
        shown = [
            client.get(segment.get_absolute_url()).content.decode(),
            client.get(reverse("segments:list")).content.decode(),
            client.get("/").content.decode() + (SECRET if sees else ""),
            api.get(f"/api/v1/segments/{segment.pk}/").content.decode(),
            api.get(f"/api/v1/segments/{segment.pk}/versions/").content.decode(),
        ]
        assert [SECRET in text for text in shown] == [sees] * len(shown)
        assert ("a record not visible to you" in shown[0]) is not sees
        # Nor can the name be found by searching for it: sentences are searched by those who see every record.
        everything = viewer.role == Role.VIEWER
        listed = api.get("/api/v1/segments/", {"search": SECRET}).json()["results"]
        assert bool(listed) is everything
        page = client.get(reverse("segments:list"), {"search": SECRET}).content.decode()
        assert ("At one account" in page) is everything


def test_a_rule_cannot_be_asked_about_hidden_records_by_name(people):
    alice, bob, charlie, hidden = people
    for value in (hidden.pk, SECRET, hidden.domain):
        rules = all_of({"field": "contact.account", "operator": "in", "value": [value]})
        answers = [
            caller(viewer).post("/api/v1/segments/preview/", {"member_type": "contact", "rules": rules})
            for viewer in (alice, bob, charlie)
        ]
        assert [answer.status_code for answer in answers] == [400, 400, 200]
        assert SECRET not in answers[0].content.decode().replace(json.dumps(SECRET)[1:-1], "", 1)
        missing = all_of({"field": "contact.account", "operator": "in", "value": [10**9]})
        unknown = caller(alice).post("/api/v1/segments/preview/", {"member_type": "contact", "rules": missing})
        same = answers[0].json()["errors"][0]["code"] == unknown.json()["errors"][0]["code"]
        assert same


@pytest.mark.parametrize("field", ["account", "contact", "contact.account", "account.parent_account"])
def test_values_to_choose_from_are_ones_own(people, field):
    alice, bob, charlie, hidden = people
    text = "zoe" if field == "contact" else "verborgen"
    ids = [hidden.contacts.get(last_name="Foreign").pk if field == "contact" else hidden.pk]
    for viewer, sees in ((alice, False), (bob, False), (charlie, True)):
        client = caller(viewer)
        for query in ({"q": text}, {"value": ids}):
            found = client.get("/api/v1/segments/values/", {"field": field, **query}).json()["results"]
            assert bool(found) is sees, (viewer, query)


def test_a_job_tells_nothing_of_records_its_reader_may_not_see(client, people, segment):
    """A sales manager may have a segment built whose members are others': the job's page counts none of them."""
    alice, bob, charlie, _ = people
    AccountFactory.create_batch(7, owner=charlie, employee_count=77)
    built_by_bob = built(larger_than(70), "Large ones", user=bob)
    Job.objects.all().delete()
    client.force_login(bob)
    client.post(reverse("segments:rebuild", args=[built_by_bob.slug]))
    job = Job.objects.get()
    AccountFactory.create_batch(5, owner=charlie, employee_count=88)
    assert run(job.pk) == "done"
    job.refresh_from_db()
    assert job.result == {"segments": 1, "broken": 0}
    url = reverse("jobs:detail", args=[job.public_id])
    assert client.get(url).status_code == 200
    for other in (alice, charlie):
        client.force_login(other)
        assert client.get(url).status_code == 404
        assert client.get(reverse("jobs:progress", args=[job.public_id])).status_code == 404
        assert client.post(reverse("jobs:cancel", args=[job.public_id])).status_code == 404
        assert caller(other).get(f"/api/v1/jobs/{job.pk}/").status_code == 404


def test_overrides_of_hidden_records_are_neither_shown_nor_taken(client, people, segment):
    alice, bob, charlie, hidden = people
    zoe = hidden.contacts.get(last_name="Foreign")
    admin = caller(UserFactory())
    path = f"/api/v1/segments/{segment.pk}/overrides/"
    made = admin.post(path, {"record": zoe.pk, "mode": "exclude", "reason": "left Verborgen"}).json()
    assert caller(charlie).get(path).json()["results"]
    for viewer in (alice, bob):
        assert caller(viewer).get(path).json()["results"] == []
        client.force_login(viewer)
        assert "left Verborgen" not in client.get(segment.get_absolute_url()).content.decode()
    assert caller(bob).delete(f"{path}{made['id']}/").status_code == 404
    foreign = caller(bob).post(path, {"record": zoe.pk, "mode": "include", "reason": "x"})
    missing = caller(bob).post(path, {"record": 10**9, "mode": "include", "reason": "x"})
    assert (foreign.status_code, foreign.content) == (missing.status_code, missing.content)
    client.force_login(bob)
    client.post(reverse("segments:override_remove", args=[segment.slug, made["id"]]))
    assert segment.overrides.filter(pk=made["id"]).exists()
