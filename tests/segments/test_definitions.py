"""Definitions in and out: the round trip, conflicts, order, errors with paths, what YAML may not do; streams."""

import io
import json
from pathlib import Path

import pytest
import yaml
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from segmentation_crm.common.models import Job, Role
from segments.definitions import BadDocument, CannotExport, document_of, dumped, import_document, loaded
from segments.models import Segment
from segments.services import streaming
from segments.templates_data import TEMPLATES
from tests.factories import AccountFactory, UserFactory
from tests.support.api import caller

from .making import all_of, built, in_segment, larger_than, saved, three_people

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(db, client):
    user = UserFactory(username="boss", role=Role.ADMIN)
    client.force_login(user)
    return user


@pytest.fixture
def pair(admin):
    """Return a segment and one that reads it, named so that the reader comes first by name."""
    base = saved(larger_than(50), "Zebra", admin, description="Base: 50+ · ünïcode")
    return base, saved(all_of(*in_segment("zebra")["rules"], *larger_than(5)["rules"]), "Apple", admin)


def document(*entries, **more):
    return {"format": "segmentation-crm/segments", "version": 1, "segments": list(entries), **more}


def entry(slug="large", **more):
    values = {"slug": slug, "name": slug.title(), "member_type": "account", "rules": larger_than(50)}
    return {**values, **more}


def actions(found):
    assert found.ok, found.all_errors
    return [item.action for item in found.items]


# --- out ---
def test_export_brings_what_is_read_before_its_reader(pair, admin):
    found = document_of(admin, ["apple"])
    assert [one["slug"] for one in found["segments"]] == ["zebra", "apple"]
    assert [one["slug"] for one in document_of(admin)["segments"]] == ["zebra", "apple"]
    assert found["segments"][1]["rules"]["rules"][0]["value"] == ["zebra"]
    with pytest.raises(CannotExport, match="no segment “gone”"):
        document_of(admin, ["gone"])


@pytest.mark.parametrize("format", ["json", "yaml"])
def test_what_goes_out_comes_in_the_same(pair, admin, format):
    for template in TEMPLATES:
        saved(template.rules, template.name, admin, member_type=template.member_type)
    before = document_of(admin)
    text = dumped(before, format)
    assert loaded(text) == before
    assert loaded(text, format) == before
    assert set(actions(import_document(admin, loaded(text), on_conflict="update"))) == {"unchanged"}
    Segment.objects.all().delete()
    assert set(actions(import_document(admin, loaded(text)))) == {"created"}
    assert document_of(admin) == before


# --- in ---
def test_import_makes_and_builds(admin):
    found = import_document(admin, document(entry()))
    assert actions(found) == ["created"]
    made = Segment.objects.get(slug="large")
    assert (made.owner, made.name) == (admin, "Large")
    assert Job.objects.filter(kind="segment.rebuild", key=f"segment:{made.pk}").exists()


def test_a_dry_run_changes_nothing(admin):
    reader = entry("reader", rules=in_segment("large"))
    found = import_document(admin, document(reader, entry()), dry_run=True)
    assert actions(found) == ["created", "created"]
    assert not Segment.objects.exists()
    assert not Job.objects.exists()


def test_conflicts_are_skipped_updated_or_made_new(admin):
    saved(larger_than(1), "Large", admin)
    both = document(entry(rules=larger_than(70)), entry("reader", rules=in_segment("large")))
    assert actions(import_document(admin, both)) == ["skipped", "created"]
    assert actions(import_document(admin, both, on_conflict="update")) == ["updated", "unchanged"]
    large = Segment.objects.get(slug="large")
    assert (large.rules["rules"][0]["value"], large.rules_version) == (70, 2)
    found = import_document(admin, both, on_conflict="new")
    assert actions(found) == ["created", "created"]
    assert [item.slug for item in found.items] == ["large-2", "reader-2"]
    assert Segment.objects.get(slug="reader-2").rules["rules"][0]["value"] == ["large-2"]


def test_one_error_keeps_everything_out_and_each_has_its_path(admin):
    bad = entry("bad", rules=all_of({"field": "account.nothing", "operator": "eq", "value": 1}))
    found = import_document(admin, document(entry(), bad, entry("worse", member_type="deal")))
    assert not found.ok
    assert [error["path"] for error in found.all_errors] == [
        ["segments", 1, "rules", "rules", 0, "field"], ["segments", 2, "member_type"],
    ] or [error["path"][:3] for error in found.all_errors] == [
        ["segments", 1, "rules"], ["segments", 2, "member_type"],
    ]  # fmt: skip
    assert not Segment.objects.exists()


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ([], []),
        ({"format": "x", "version": 1, "segments": [entry()]}, ["format"]),
        ({"format": "segmentation-crm/segments", "version": 2, "segments": [entry()]}, ["version"]),
        (document(), ["segments"]),
        (document(entry(), more=1), ["more"]),
        (document("x"), ["segments", 0]),
        (document(entry(), entry()), ["segments", 1, "slug"]),
        (document(entry("overlap")), ["segments", 0, "slug"]),
        (document(entry("a b")), ["segments", 0, "slug"]),
        (document(entry("12")), ["segments", 0, "slug"]),
        (document(entry(name=5)), ["segments", 0, "name"]),
        (document(entry(member_count=5)), ["segments", 0, "member_count"]),
        (document(entry(rules=[1])), ["segments", 0, "rules"]),
        (document(entry(parent="gone")), ["segments", 0, "parent"]),
        (document(entry(name=" ")), ["segments", 0, "name"]),
    ],
)
def test_what_is_wrong_is_named_with_its_path(admin, value, path):
    found = import_document(admin, value)
    assert [error["path"] for error in found.all_errors] == [path]
    assert not Segment.objects.exists()


def test_update_refuses_what_stays(admin):
    saved(larger_than(1), "Large", admin)
    found = import_document(admin, document(entry(kind="static", rules=None)), on_conflict="update")
    assert found.all_errors[0]["path"] == ["segments", 0, "kind"]
    Segment.objects.update(status="archived")
    found = import_document(admin, document(entry()), on_conflict="update")
    assert "archived" in found.all_errors[0]["message"]
    assert "on_conflict" in import_document(admin, document(entry()), on_conflict="x").all_errors[0]["path"]


def test_a_circle_is_refused(admin):
    found = import_document(
        admin, document(entry("one", rules=in_segment("two")), entry("two", rules=in_segment("one")))
    )
    assert not found.ok
    assert not Segment.objects.exists()


def test_only_those_who_build_import(db):
    for user in (three_people()[0], UserFactory(role=Role.ANALYST)):
        with pytest.raises(PermissionDenied):
            import_document(user, document(entry()))


# --- YAML ---
def test_yaml_means_what_json_would(admin):
    text = "day: 2026-03-31\nyes: on\nnorway: NO\noctal: 012\nnone: ~\nok: true\nn: -1.5\ntext: '5'\n"
    assert loaded(text, "yaml") == {
        "day": "2026-03-31", "yes": "on", "norway": "NO", "octal": "012", "none": None, "ok": True, "n": -1.5,
        "text": "5",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: &x [1]\nb: *x", "aliases"),
        ("!!python/object/apply:os.system ['true']", "could not determine a constructor"),
        ("a: 1\na: 2", "twice"),
        ("1: a", "must be a text"),
        ("a: [", "Line"),
        ("[" * 50 + "]" * 50, "deep"),
        ("a: 1\n---\nb: 2", "Line"),
        (b"\xff\xfe", "UTF-8"),
        ("x" * (1024 * 1024 + 1), "larger than"),
    ],
)
def test_yaml_that_could_do_harm_is_refused(text, words):
    with pytest.raises(BadDocument, match=words):
        loaded(text, "yaml")


def test_json_is_read_strictly():
    for text in ('{"a": 1, "a": 2}', '{"a": NaN}', "{"):
        with pytest.raises(BadDocument, match="not JSON"):
            loaded(text)


# --- API, commands, pages ---
def test_api_definitions(pair, admin):
    client = caller(admin)
    url = "/api/v1/segments/definitions/"
    body = client.get(url, {"segments": "apple"}).json()
    assert [one["slug"] for one in body["segments"]] == ["zebra", "apple"]
    answer = client.get(url, {"as": "yaml"})
    assert answer["Content-Type"].startswith("application/yaml")
    assert yaml.safe_load(answer.content)["version"] == 1
    assert client.get(url, {"segments": "gone"}).status_code == 400
    assert client.get(url, {"as": "xml"}).status_code == 400
    text = answer.content.decode().replace("zebra", "zebu").replace("apple", "plum")
    found = client.post(url, {"yaml": text, "dry_run": True}, format="json")
    assert found.json()["segments"][0] == {"slug": "zebu", "name": "Zebra", "action": "created"}
    assert not Segment.objects.filter(slug="zebu").exists()
    assert client.post(url, {"yaml": text}, format="json").status_code == 200
    assert Segment.objects.get(slug="plum").rules["rules"][0]["value"] == ["zebu"]
    refused = client.post(url, {"document": document(entry(name=" "))}, format="json")
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["path"] == ["segments", 0, "name"]
    assert client.post(url, {}, format="json").status_code == 400


def test_commands_write_and_read(pair, admin, tmp_path: Path):
    file = tmp_path / "segments.yaml"
    call_command("export_segments", "apple", output=str(file))
    Segment.objects.all().delete()
    out = io.StringIO()
    call_command("import_segments", str(file), user="boss", dry_run=True, stdout=out)
    assert "created: zebra" in out.getvalue()
    assert not Segment.objects.exists()
    call_command("import_segments", str(file), user="boss", stdout=out)
    assert Segment.objects.count() == 2
    file.write_text("format: x")
    with pytest.raises(CommandError, match="Nothing was changed"):
        call_command("import_segments", str(file), user="boss")
    with pytest.raises(CommandError, match="no active user"):
        call_command("import_segments", str(file), user="nobody")


def test_pages_show_first_and_take_then(client, admin):
    url = reverse("segments:definitions")
    assert "Show what would happen" in client.get(url).content.decode()
    upload = SimpleUploadedFile("a.json", json.dumps(document(entry())).encode())
    text = client.post(url, {"file": upload, "on_conflict": "skip"}).content.decode()
    assert "What would happen" in text
    assert "Take it in" in text
    assert not Segment.objects.exists()
    values = {"text": json.dumps(document(entry())), "on_conflict": "skip", "take": "1"}
    assert "Taken in: 1 of 1" in client.post(url, values, follow=True).content.decode()
    text = client.post(url, {"text": json.dumps(document(entry(name=" "))), "on_conflict": "new"}).content.decode()
    assert "segments › 1 › name" in text
    assert "either a file or its text" in client.post(url, {"on_conflict": "skip"}).content.decode()
    answer = client.get(reverse("segments:definitions_export"), {"segments": "large"})
    assert yaml.safe_load(answer.content)["segments"][0]["slug"] == "large"
    assert 'filename="large ' in answer["Content-Disposition"]


# --- members as a stream ---
def test_members_are_streamed_in_pages(admin, monkeypatch):
    monkeypatch.setattr(streaming, "PAGE", 2)
    for number in range(5):
        AccountFactory(name=f"=Kessler {number}", employee_count=100)
    segment = built(larger_than(50), "Large", user=admin)
    client = caller(admin)
    answer = client.get(f"/api/v1/segments/{segment.pk}/members/?format=csv")
    lines = b"".join(answer.streaming_content).decode().splitlines()
    assert answer["Content-Type"].startswith("text/csv")
    assert (lines[0], len(lines)) == ("id,name,entered_at,manual", 6)
    assert ",=Kessler" not in lines[1]
    with CaptureQueriesContext(connection) as queries:
        answer = client.get("/api/v1/segments/large/members/", {"format": "ndjson"})
        rows = [json.loads(line) for line in b"".join(answer.streaming_content).decode().splitlines()]
    assert len([one for one in queries if 'FROM "segments_segmentmembership"' in one["sql"]]) == 4
    shown = client.get("/api/v1/segments/large/members/").json()["results"]
    assert [row["id"] for row in rows] == [row["id"] for row in shown]
    assert set(rows[0]) == set(shown[0])
    assert client.get("/api/v1/segments/large/members/", {"format": "xml"}).status_code == 404
    assert client.get("/api/v1/segments/gone/members/", {"format": "csv"}).status_code == 404


def test_streams_hold_what_one_may_see(db):
    alice, bob, charlie = three_people()
    AccountFactory(owner=alice, employee_count=100)
    built(larger_than(50), "Large")
    for user, count in ((alice, 1), (bob, 1), (charlie, 0)):
        answer = caller(user).get("/api/v1/segments/large/members/?format=ndjson")
        assert len(list(answer.streaming_content)) == count
