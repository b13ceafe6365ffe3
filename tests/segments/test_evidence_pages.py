"""Pages, API and files of evidence, nearest misses and the undecided, by who may see what."""

import csv
import io
import json

import pytest
from django.urls import reverse

from segmentation_crm.common.exports import export_path
from segmentation_crm.common.jobs.running import run
from segmentation_crm.common.models import Export, Role
from segments.services.saving import create_segment
from tests.factories import AccountFactory, UserFactory
from tests.support.api import caller

from .asking import condition, group
from .making import built, larger_than, three_people

pytestmark = pytest.mark.django_db
LARGE = condition("account.employee_count", "gte", 200)
GERMAN = condition("account.country", "eq", "DE")


@pytest.fixture
def admin():
    return UserFactory(role=Role.ADMIN)


def test_api_explains_to_those_who_see_the_record():
    alice, bob, charlie = three_people()
    account = AccountFactory(owner=alice, employee_count=500)
    segment = built(larger_than(200))
    for viewer, code in ((alice, 200), (bob, 200), (charlie, 404)):
        client = caller(viewer)
        answer = client.get(f"/api/v1/segments/{segment.slug}/explain/?member={account.pk}")
        assert answer.status_code == code
        past = client.get(f"/api/v1/segments/{segment.pk}/explain/?member={account.pk}&at=2020-01-31")
        assert past.status_code == code
        if code == 200:
            body = answer.json()
            assert (body["verdict"], body["expected"], body["rule_holds"]) == ("in", "in", True)
            assert body["tree"]["nodes"][0]["value"] == "500 employees"
            assert body["changes"][0][0] == {
                "field": "account.employee_count", "label": "Employees", "record": "account",
                "record_id": account.pk, "from": "500 employees", "to": "199 employees",
            }  # fmt: skip
            assert past.json()["verdict"] == "not_recorded"


def test_api_says_what_is_wrong_with_the_question():
    account = AccountFactory()
    segment = built(larger_than(200))
    client = caller(UserFactory(role=Role.ADMIN))
    address = f"/api/v1/segments/{segment.slug}/explain/"
    assert "member" in str(client.get(address).json()["errors"])
    assert client.get(f"{address}?member=x").status_code == 404
    assert "at" in str(client.get(f"{address}?member={account.pk}&at=soon").json()["errors"])
    assert client.get(f"{address}?member={account.pk}&of=1").status_code == 400


def test_nearest_misses_are_ones_own():
    alice, bob, charlie = three_people()
    AccountFactory(owner=alice, name="Alices", employee_count=5)
    AccountFactory(owner=charlie, name="Charlies", employee_count=6)
    segment = built(larger_than(200))
    for viewer, names in ((alice, ["Alices"]), (bob, ["Alices"]), (charlie, ["Charlies"])):
        rows = caller(viewer).get(f"/api/v1/segments/{segment.slug}/nearest-misses/").json()["results"]
        assert [row["name"] for row in rows] == names
        assert rows[0]["fails"] == ["At least 200 employees"]


def test_pages_show_the_tree_to_those_who_see_the_record(client):
    alice, bob, charlie = three_people()
    account = AccountFactory(owner=alice, name="Kessler Werke", employee_count=50)
    segment = built(larger_than(200))
    address = reverse("segments:why", args=[segment.slug, account.pk])
    for viewer, code in ((alice, 200), (bob, 200), (charlie, 404)):
        client.force_login(viewer)
        answer = client.get(address)
        assert answer.status_code == code
        found = client.get(reverse("segments:why_index", args=[segment.slug]), {"q": "kessler"}).content.decode()
        misses = client.get(reverse("segments:why_index", args=[segment.slug]), {"part": "misses"}).content.decode()
        assert ("Kessler Werke" in found) is (code == 200)
        assert ("Kessler Werke" in misses) is (code == 200)
        if code == 200:
            text = answer.content.decode()
            assert "At least 200 employees" in text
            assert "50 employees" in text
            assert "200 employees" in text
            changes = client.get(address, {"part": "changes"}).content.decode()
            assert "What would bring it in" in changes
            assert "<b>200 employees</b>" in changes
            part = client.get(address, headers={"HX-Request": "true"}).content.decode()
            assert "<html" not in part
            assert "ev-tree" in part
            assert "Not recorded" in client.get(address, {"at": "2020-01-31"}).content.decode()
            assert "is no date" in client.get(address, {"at": "soon"}).content.decode()


def test_broken_static_and_hand_kept_segments_have_pages_too(client, admin):
    account = AccountFactory()
    client.force_login(admin)
    static, _ = create_segment(admin, name="By hand", member_type="account", kind="static")
    broken = built(larger_than(200), name="Broken")
    type(broken).objects.filter(pk=broken.pk).update(
        rules={"combinator": "and", "rules": [{"field": "account.gone", "operator": "eq", "value": 1}]},
        status="broken", last_error="No such field.",
    )  # fmt: skip
    for segment in (static, broken):
        for name in ("why_index", "undecided"):
            assert client.get(reverse(f"segments:{name}", args=[segment.slug])).status_code == 200
            for part in ("misses", "line"):
                assert client.get(reverse(f"segments:{name}", args=[segment.slug]), {"part": part}).status_code == 200
        assert client.get(reverse("segments:why", args=[segment.slug, account.pk])).status_code == 200
        answer = client.get(reverse("segments:why", args=[segment.slug, account.pk]), {"part": "changes"})
        assert answer.status_code == 200
        assert "No edit of data flips this" in answer.content.decode()


# --- the worklist ---
@pytest.fixture
def gaps():
    alice, bob, charlie = three_people()
    AccountFactory(owner=alice, name="Alices", employee_count=None, country="DE")
    AccountFactory(owner=charlie, name="Charlies", employee_count=None, country="")
    AccountFactory(owner=charlie, name="Known", employee_count=5, country="DE")
    return alice, bob, charlie, built(group(LARGE, GERMAN))


def test_the_worklist_shows_ones_own_with_what_they_lack(client, gaps):
    alice, bob, charlie, segment = gaps
    for viewer, names in ((alice, {"Alices"}), (bob, {"Alices"}), (charlie, {"Charlies"})):
        client.force_login(viewer)
        text = client.get(reverse("segments:undecided", args=[segment.slug])).content.decode()
        assert {name for name in ("Alices", "Charlies", "Known") if name in text} == names
        assert "Employees" in text
        line = client.get(reverse("segments:undecided", args=[segment.slug]), {"part": "line"}).content.decode()
        assert "1 undecided" in line
        rules = json.dumps(group(LARGE, GERMAN))
        free = client.get(
            reverse("segments:undecided_rule"), {"member_type": "account", "rules": rules}
        ).content.decode()
        assert {name for name in ("Alices", "Charlies") if name in free} == names
    client.force_login(charlie)
    only = client.get(reverse("segments:undecided", args=[segment.slug]), {"field": "account.country"}).content.decode()
    assert "Charlies" in only
    # Opened without a rule the page says what it lacks.
    assert b"does not work" in client.get(reverse("segments:undecided_rule")).content
    assert client.get(reverse("segments:undecided_rule"), {"member_type": "x"}).status_code == 404


def test_preview_counts_the_undecided_where_asked_for(gaps):
    alice, _, charlie, _ = gaps
    body = {"member_type": "account", "rules": group(LARGE, GERMAN)}
    assert caller(alice).post("/api/v1/segments/preview/", body).json()["undecided"] is None
    found = caller(alice).post("/api/v1/segments/preview/", {**body, "undecided": True}).json()["undecided"]
    assert found == {
        "count": 1,
        "upper_bound": False,
        "fields": [{"field": "account.employee_count", "missing": 1, "settles": 1}],
    }
    assert (
        caller(charlie).post("/api/v1/segments/preview/", {**body, "undecided": True}).json()["undecided"]["count"] == 1
    )


@pytest.mark.parametrize("format", ["csv", "xlsx"])
def test_the_worklist_exports_ones_own(client, gaps, format):
    _, _, charlie, segment = gaps
    client.force_login(charlie)
    answer = client.post(reverse("segments:undecided_export", args=[segment.slug]), {"format": format})
    assert answer.status_code == 302
    export = Export.objects.get(user=charlie)
    run(export.job_id)
    export.refresh_from_db()
    assert export.rows == 1
    if format == "csv":
        rows = list(csv.reader(io.StringIO(export_path(export).read_text("utf-8-sig"))))
        assert rows[0][1:] == ["Name", "Web domain", "Owner", "Missing", "Settled by one of"]
        assert rows[1][1] == "Charlies"
        assert rows[1][4] == "Country, Employees"
    viewer = UserFactory(role=Role.VIEWER)
    client.force_login(viewer)
    assert client.post(reverse("segments:undecided_export", args=[segment.slug])).status_code == 403
