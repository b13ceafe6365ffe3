"""Pages of segments: list, builder, detail, what one can do there, export, the panel of a record."""

import csv
import io

import pytest
from django.urls import reverse

from segmentation_crm.common import lists
from segmentation_crm.common.exports import safe_cell
from segmentation_crm.common.models import Export, Job, Role
from segments.models import Segment
from segments.panels import find_segments, segment_panel
from tests.factories import AccountFactory, ContactFactory, UserFactory

from .making import all_of, built, in_segment, larger_than, member_ids, saved, three_people

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client):
    """An admin, logged in."""
    user = UserFactory(username="boss", role=Role.ADMIN)
    client.force_login(user)
    return user


def page(client, name, *args, **query):
    """Return the text of a page that answers 200."""
    answer = client.get(reverse(f"segments:{name}", args=args), query)
    assert answer.status_code == 200
    return answer.content.decode()


def act(client, name, *args, **data):
    """Post to a page and return the text of where it leads."""
    answer = client.post(reverse(f"segments:{name}", args=args), data, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize("name", ["list", "new"])
def test_pages_ask_for_log_in(client, name):
    assert client.get(reverse(f"segments:{name}")).status_code == 302


# --- list ---
def test_segment_list_says_what_to_do_when_empty(client, admin):
    text = page(client, "list")
    assert "No segments yet" in text
    assert reverse("segments:new") in text


def test_segment_list_shows_sentence_members_and_owner(client, admin):
    AccountFactory(employee_count=100)
    built(larger_than(50), "Large ones", user=admin)
    text = page(client, "list")
    for words in ("Large ones", "at least 50 employees", "1 account", "Active"):
        assert words in text


def test_segment_list_is_filtered_and_hides_archived(client, admin):
    saved(larger_than(1), "Alpha", admin)
    Segment.objects.filter(pk=saved(larger_than(1), "Beta", admin).pk).update(status="archived")
    assert "Beta" not in page(client, "list")
    assert "Beta" in page(client, "list", status="archived")
    assert "Nothing fits" in page(client, "list", search="zzz")


def test_segment_list_counts_what_one_may_see(client):
    alice, _, charlie = three_people()
    AccountFactory(owner=alice, employee_count=100)
    built(larger_than(50))
    client.force_login(alice)
    assert "1 account" in page(client, "list")
    client.force_login(charlie)
    text = page(client, "list")
    assert "0 accounts" in text
    assert "records you may see" in text


# --- builder ---
def test_segment_new_is_for_those_who_write(client, admin):
    assert "data-builder" in page(client, "new")
    client.force_login(UserFactory(role=Role.VIEWER))
    assert client.get(reverse("segments:new")).status_code == 403


def test_segment_edit_carries_rule_and_version(client, admin):
    segment = saved(larger_than(50), "</script><b>", admin)
    text = page(client, "edit", segment.slug)
    assert '"account.employee_count"' in text
    assert 'data-version="1"' in text
    assert "</script><b>" not in text


def test_segment_edit_of_a_broken_rule_says_why(client, admin):
    segment = saved(larger_than(50), user=admin)
    Segment.objects.filter(pk=segment.pk).update(status="broken", last_error="There is no field gone.")
    assert "There is no field gone." in page(client, "edit", segment.slug)
    assert "There is no field gone." in page(client, "detail", segment.slug)


# --- detail ---
def test_segment_detail_shows_members_rule_and_state(client, admin):
    AccountFactory(name="Kessler Werke", employee_count=100)
    segment = built(larger_than(50), user=admin)
    text = page(client, "detail", segment.slug)
    for words in ("Kessler Werke", "at least 50 employees", "rule version 1", "100 % of 1 account", "by the rule"):
        assert words in text


def test_segment_detail_shows_progress_until_built(client, admin):
    segment = saved(larger_than(50), user=admin)
    text = page(client, "detail", segment.slug)
    assert "Members are on their way" in text
    assert f"job-{Job.objects.get().public_id}" in text


def test_segment_detail_of_contacts(client, admin):
    ContactFactory(first_name="Anna", last_name="Brandt", seniority="vp")
    segment = built(all_of({"field": "contact.seniority", "operator": "is_set"}), "VPs", member_type="contact")
    assert "Anna Brandt" in page(client, "detail", segment.slug)


def test_segment_detail_shows_each_what_they_may_see(client):
    alice, bob, charlie = three_people()
    AccountFactory(name="Of Alice", owner=alice, employee_count=100)
    AccountFactory(name="Of Charlie", owner=charlie, employee_count=100)
    segment = built(larger_than(50))
    for person, seen, hidden in (
        (alice, "Of Alice", "Of Charlie"),
        (bob, "Of Alice", "Of Charlie"),
        (charlie, "Of Charlie", "Of Alice"),
    ):
        client.force_login(person)
        text = page(client, "detail", segment.slug)
        assert seen in text
        assert hidden not in text
        assert "you may see" in text
        assert "+1" in text


def test_a_missing_segment_is_404(client, admin):
    assert client.get(reverse("segments:detail", args=["nothing"])).status_code == 404


# --- what one can do ---
def test_rebuild_archive_restore_duplicate(client, admin):
    segment = saved(larger_than(50), "Large", admin)
    Job.objects.all().delete()
    act(client, "rebuild", segment.slug)
    assert Job.objects.get().kind == "segment.rebuild"
    assert "is archived" in act(client, "archive", segment.slug)
    assert "in use again" in act(client, "restore", segment.slug)
    act(client, "duplicate", segment.slug)
    copy = Segment.objects.get(slug="large-copy")
    assert (copy.status, copy.rules) == ("draft", segment.rules)


def test_archive_says_who_uses_it(client, admin):
    base = saved(larger_than(50), "Base", admin)
    saved(in_segment("base"), "Reader", admin)
    answer = client.post(reverse("segments:archive", args=[base.slug]))
    assert answer.status_code == 409
    text = answer.content.decode()
    assert "“Base” cannot be archived" in text
    assert reverse("segments:detail", args=["reader"]) in text


def test_override_needs_a_reason_and_can_be_taken_back(client, admin):
    account = AccountFactory(name="Kessler Werke", employee_count=1)
    segment = built(larger_than(50), user=admin)
    assert "Say why" in act(client, "override_add", segment.slug, record=account.pk, mode="include", reason="")
    assert "Choose the record" in act(client, "override_add", segment.slug, record="", mode="include", reason="x")
    text = act(client, "override_add", segment.slug, record=account.pk, mode="include", reason="Invited")
    assert "Always in" in text
    assert "Invited" in text
    assert member_ids(segment) == {account.pk}
    act(client, "override_remove", segment.slug, segment.overrides.get().pk)
    assert not segment.overrides.exists()


@pytest.mark.parametrize("name", ["rebuild", "archive", "restore", "duplicate", "override_add"])
def test_actions_are_for_those_who_write(client, admin, name):
    segment = saved(larger_than(50), user=admin)
    client.force_login(UserFactory(role=Role.SALES_REP))
    assert client.post(reverse(f"segments:{name}", args=[segment.slug])).status_code == 403
    assert client.get(reverse(f"segments:{name}", args=[segment.slug])).status_code == 405


# --- export ---
def rows_of(answer):
    """Return the rows of a streamed CSV."""
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text)))


def test_export_holds_the_members_one_may_see_and_no_formula(client):
    alice, _, charlie = three_people()
    AccountFactory(name="=HYPERLINK(1)", owner=alice, employee_count=100)
    AccountFactory(name="Of Charlie", owner=charlie, employee_count=100)
    segment = built(larger_than(50))
    client.force_login(alice)
    rows = rows_of(client.post(reverse("segments:export", args=[segment.slug])))
    assert rows[0] == ["id", "name", "domain", "entered_at", "manual"]
    assert [row[1] for row in rows[1:]] == ["'=HYPERLINK(1)"]


def test_export_leaves_out_e_mails_for_analysts_and_is_closed_to_viewers(client):
    ContactFactory(email="anna@kessler.example", seniority="vp")
    segment = built(all_of({"field": "contact.seniority", "operator": "is_set"}), "VPs", member_type="contact")
    url = reverse("segments:export", args=[segment.slug])
    client.force_login(UserFactory(role=Role.MARKETING_MANAGER))
    assert "anna@kessler.example" in str(rows_of(client.post(url)))
    client.force_login(UserFactory(role=Role.ANALYST))
    assert "anna@kessler.example" not in str(rows_of(client.post(url)))
    client.force_login(UserFactory(role=Role.VIEWER))
    assert client.post(url).status_code == 403


@pytest.mark.parametrize(("role", "personal"), [(Role.MARKETING_MANAGER, True), (Role.ANALYST, False)])
def test_members_are_exported_as_a_job_with_the_columns_of_the_list(client, role, personal):
    ContactFactory(last_name="Inside", email="anna@kessler.example", seniority="vp")
    ContactFactory(last_name="Outside", seniority="")
    segment = built(all_of({"field": "contact.seniority", "operator": "is_set"}), "VPs", member_type="contact")
    client.force_login(UserFactory(role=role))
    page = client.get(segment.get_absolute_url())
    query = page.context["list_query"]
    assert client.get(f"{page.context['list_url']}?{query}").context["table"].rows[0].record.last_name == "Inside"
    sent = {"record": "contact", "query": query, "format": "xlsx", "back": segment.get_absolute_url()}
    assert client.post(reverse("exports:new"), sent)["Location"] == reverse("exports:list")
    export = Export.objects.get()
    assert export.format == "xlsx"
    assert ("email" in export.columns) is personal
    resolved = lists.resolve(lists.get("contact"), export.user, {"rules": export.query["params"]["rules"][0]})
    assert [row.last_name for row in resolved.queryset] == ["Inside"]
    client.force_login(UserFactory(role=Role.VIEWER))
    assert "exports/" not in client.get(segment.get_absolute_url()).content.decode().split("<main")[1]
    assert client.post(reverse("exports:new"), sent).status_code == 403


def test_exports_are_limited_to_ten_an_hour(client, admin):
    url = reverse("segments:export", args=[saved(larger_than(1), user=admin).slug])
    assert [client.post(url).status_code for _ in range(11)] == [200] * 10 + [302]


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\t=1", " =1", "\u00a0=1", "＝1", "\x00=1", "\ufeff=1"])
def test_cells_are_no_formulas(text):
    assert safe_cell(text).startswith("'")
    assert safe_cell("Kessler") == "Kessler"


# --- what segments add to other pages ---
def test_a_record_page_shows_its_segments(client, admin):
    account = AccountFactory(employee_count=100)
    built(larger_than(50), "Large ones", user=admin)
    assert "Large ones" in client.get(reverse("accounts:account_around", args=[account.pk])).content.decode()
    assert segment_panel("opportunity", account, admin) is None


def test_search_finds_segments(admin):
    saved(larger_than(50), "Large ones", admin)
    assert [hit["label"] for hit in find_segments(admin, "large", 5)] == ["Large ones"]
