"""The timeline of a record: everything once, by time, narrowed by kind and person, only what one may see."""

import datetime as dt
import re
import time
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Activity, Attachment
from accounts.queries.timeline import timeline_page
from segmentation_crm.common.models import Role
from segmentation_crm.common.timeline import Cursor
from segments.services.rebuilding import rebuild_segment
from tests.factories import (
    AccountFactory,
    ActivityFactory,
    ContactFactory,
    ContractFactory,
    NoteFactory,
    OpportunityContactFactory,
    OpportunityFactory,
    PurchaseFactory,
    StageFactory,
    SupportCaseFactory,
    TaskFactory,
    TeamFactory,
    UserFactory,
)
from tests.segments.making import built, larger_than

pytestmark = pytest.mark.django_db
NOW = timezone.now


@pytest.fixture
def alice():
    return UserFactory(username="alice", role=Role.SALES_REP, team=TeamFactory())


@pytest.fixture
def admin():
    return UserFactory()


def all_pages(record, user, limit=7, **chosen):
    """Return every event, page by page; fails where paging does not end."""
    found, before = [], None
    for _ in range(200):
        events, before = timeline_page(record, user, before=before, limit=limit, **chosen)
        assert len(events) <= limit
        found += events
        if before is None:
            return found
    raise AssertionError("paging does not end")


def get(client, user, name, *args, status=200, **query):
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    response = client.get(reverse(f"accounts:{name}", args=args), query)
    assert response.status_code == status
    return response


def rich_account(owner):
    """Return an account with one of everything that a timeline shows."""
    account = AccountFactory(owner=owner, employee_count=100, lifecycle_stage="engaged")
    contact = ContactFactory(account=account, first_name="Anna", last_name="Brandt")
    deal = OpportunityFactory(account=account, name="Rollout", stage=StageFactory(name="Proposal"))
    now = NOW()
    ActivityFactory(contact=contact, type="call", subject="Fair follow-up", occurred_at=now - dt.timedelta(hours=5))
    NoteFactory(account=account, text="They move in May")
    NoteFactory(account=None, contact=contact, text="Prefers mornings")
    NoteFactory(account=None, opportunity=deal, text="Wants a pilot")
    TaskFactory(account=account, title="Send offer", done_at=now - dt.timedelta(hours=2))
    TaskFactory(account=account, title="Not done yet")
    PurchaseFactory(account=account, order_number="A-17")
    ContractFactory(account=account, number="C-1", ends_on=dt.date(2025, 12, 31), status="expired")
    SupportCaseFactory(account=account, subject="Login broken", closed_at=now - dt.timedelta(hours=1))
    Attachment.objects.create(account=account, name="plan.pdf", path="abc", size=3)
    built(larger_than(50))
    return account


def test_everything_that_happened_is_there_once_newest_first(admin):
    account = rich_account(admin)
    events = all_pages(account, admin)
    words = [f"{event.title} {event.about} {event.text}" for event in events]
    for expected in (
        "Call Fair follow-up", "They move in May", "Prefers mornings", "Wants a pilot", "Task done Send offer",
        "Proposal Rollout", "Purchase", "Contract started C-1", "Contract ended C-1",
        "Support case opened Login broken", "Support case closed Login broken", "File added plan.pdf",
        "Lifecycle Engaged", "Entered segment Large accounts",
    ):  # fmt: skip
        assert len([text for text in words if expected in text]) == 1, expected
    assert not any("Not done yet" in text for text in words)
    assert [event.at for event in events] == sorted((event.at for event in events), reverse=True)


def test_leaving_a_segment_is_told(admin):
    account = AccountFactory(employee_count=100)
    segment = built(larger_than(50))
    type(account).objects.filter(pk=account.pk).update(employee_count=5)
    rebuild_segment(segment.pk)
    titles = [event.title for event in all_pages(account, admin)]
    assert [title for title in titles if "segment" in title] == ["Left segment", "Entered segment"]


def test_a_deal_has_the_timeline_of_the_deal_alone(client, admin):
    account = AccountFactory()
    deal, other = OpportunityFactory(account=account, stage=StageFactory(name="Proposal")), OpportunityFactory()
    contact = ContactFactory(account=account, last_name="Brandt")
    OpportunityContactFactory(opportunity=deal, contact=contact)
    ActivityFactory(contact=contact, account=account, opportunity=deal, type="call", subject="Price talk")
    ActivityFactory(contact=contact, account=account, type="call", subject="Elsewhere")
    NoteFactory(account=None, opportunity=deal, text="Wants a pilot")
    NoteFactory(account=None, opportunity=other, text="Not of this deal")
    NoteFactory(account=account, text="Of the account")
    TaskFactory(account=None, opportunity=deal, title="Send offer", done_at=NOW())
    PurchaseFactory(account=account, opportunity=deal)
    PurchaseFactory(account=account)
    SupportCaseFactory(account=account)
    Attachment.objects.create(opportunity=deal, name="offer.pdf", path="def", size=3)
    titles = sorted(event.title for event in all_pages(deal, admin, limit=2))
    assert titles == ["Call", "File added", "Note", "Purchase", "Stage: Proposal", "Task done"]
    text = get(client, admin, "opportunity_detail", deal.pk, kind="conversation").content.decode()
    shown = text.split('id="timeline"')[1].split("</section>")[0]
    assert "Price talk" in shown
    assert "Brandt" in shown
    assert "Wants a pilot" not in shown
    assert "kind=segment" not in shown
    part = get(client, admin, "opportunity_timeline", deal.pk, kind="note")
    assert "Wants a pilot" in part.content.decode()
    assert part["HX-Push-Url"].endswith(f"/opportunities/{deal.pk}/?kind=note")


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_events_of_one_moment_are_neither_lost_nor_doubled_between_pages(admin, limit):
    account = AccountFactory()
    contact = ContactFactory(account=account)
    moment = NOW().replace(microsecond=123000) - dt.timedelta(days=3)
    for number in range(6):
        ActivityFactory(contact=contact, type="call", subject=f"Call {number}", occurred_at=moment)
        NoteFactory(account=account, text=f"Note {number}", created_at=moment)
        PurchaseFactory(account=account, ordered_at=moment)
    keys = [(event.kind, event.pk) for event in all_pages(account, admin, limit)]
    assert len(keys) == len(set(keys)) == 18


def test_a_stage_change_is_shown_once_however_small_the_page(admin):
    account = AccountFactory()
    first, second = StageFactory(name="Proposal"), StageFactory(name="Won", is_won=True)
    deal = OpportunityFactory(account=account, stage=first, opened_on=dt.date(2026, 1, 5))
    deal.stage = second
    deal.save()
    events = [event for event in all_pages(account, admin, 1) if event.kind == "deal"]
    assert [(event.title, event.tone) for event in events] == [("Stage: Won", "ok"), ("Stage: Proposal", "info")]


def test_noise_comes_as_one_line_a_day_below_what_mattered(admin):
    account = AccountFactory()
    contact = ContactFactory(account=account)
    noon = timezone.localtime().replace(hour=12, minute=0) - dt.timedelta(days=2)
    for minute in range(5):
        ActivityFactory(contact=contact, type="page_view", occurred_at=noon + dt.timedelta(minutes=minute))
    ActivityFactory(contact=contact, type="email_open", occurred_at=noon)
    ActivityFactory(contact=contact, type="call", occurred_at=noon - dt.timedelta(hours=6))
    ActivityFactory(contact=contact, type="page_view", occurred_at=noon - dt.timedelta(days=1))
    events = all_pages(account, admin, 1)
    assert [event.title or list(event.parts) for event in events] == [
        "Call",
        [("page view", 5), ("e-mail open", 1)],
        [("page view", 1)],
    ]


def test_many_noisy_days_all_come(admin, monkeypatch):
    monkeypatch.setattr("accounts.queries.timeline.NOISE_ROWS", 10)
    account = AccountFactory()
    contact = ContactFactory(account=account)
    noon = timezone.localtime().replace(hour=12)
    Activity.objects.bulk_create(
        Activity(type="page_view", direction="inbound", contact=contact, account=account,
                 occurred_at=noon - dt.timedelta(days=day, minutes=minute))
        for day in range(20) for minute in range(7)
    )  # fmt: skip
    assert [sum(count for _, count in event.parts) for event in all_pages(account, admin, 3)] == [7] * 20


def test_the_single_events_of_a_noisy_day_can_be_opened(client, admin):
    contact = ContactFactory(first_name="Anna", account=AccountFactory())
    noon = timezone.localtime().replace(hour=12) - dt.timedelta(days=2)
    ActivityFactory(contact=contact, type="page_view", url_path="/pricing", occurred_at=noon)
    day = noon.date().isoformat()
    assert day in get(client, admin, "account_detail", contact.account_id).content.decode()
    assert "/pricing" in get(client, admin, "account_timeline_day", contact.account_id, day).content.decode()
    get(client, admin, "account_timeline_day", contact.account_id, "2026-99-99", status=404)
    get(client, admin, "account_timeline_day", contact.account_id, "9999-12-31", status=404)


def test_kinds_and_person_narrow_and_stand_in_the_address(client, admin):
    account = rich_account(admin)
    other = ContactFactory(account=account, last_name="Ortega")
    ActivityFactory(contact=other, type="meeting", subject="Site visit")
    only = all_pages(account, admin, kinds=frozenset({"conversation"}))
    assert {event.title for event in only} == {"Call", "Meeting"}
    both = all_pages(account, admin, kinds=frozenset({"conversation", "note"}), contact_id=other.pk)
    assert [event.about for event in both] == ["Site visit"]
    response = get(client, admin, "account_timeline", account.pk, kind=["note"], contact=other.pk)
    assert response["HX-Push-Url"].endswith(f"/accounts/{account.pk}/?kind=note&contact={other.pk}")
    page = get(client, admin, "account_detail", account.pk, kind="conversation").content.decode()
    assert "Site visit" in page
    assert "They move in May" not in page.split('id="timeline"')[1].split("record-facts")[0]
    get(client, admin, "account_detail", account.pk, kind="nonsense", contact="x", before="1.2")
    get(client, admin, "account_detail", account.pk, contact=10**12, status=404)


def test_earlier_events_come_by_key_and_the_day_is_headed_once(client, admin):
    account = AccountFactory()
    contact = ContactFactory(account=account)
    start = timezone.localtime().replace(hour=12) - dt.timedelta(days=3)
    for number in range(60):
        ActivityFactory(
            contact=contact, type="call", subject=f"Call {number:02d}", occurred_at=start + dt.timedelta(seconds=number)
        )
    text = get(client, admin, "account_detail", account.pk, whole="1").content.decode()
    seen = re.findall(r"Call \d\d", text.split('id="timeline"')[1])
    while more := re.search(r'hx-get="([^"]+before=[^"]+)"', text):
        text = client.get(more.group(1).replace("&amp;", "&")).content.decode()
        seen += re.findall(r"Call \d\d", text)
        assert "<h3>" not in text
    assert seen == [f"Call {number:02d}" for number in range(59, -1, -1)]


def test_a_hidden_person_and_deal_stay_unnamed(client, alice):
    account = AccountFactory(owner=alice)
    hidden = ContactFactory(account=AccountFactory(name="Secret Holdings"), last_name="Verborgen")
    ActivityFactory(contact=hidden, account=account, type="call", subject="Joint call")
    strange = OpportunityFactory(account=AccountFactory(), name="Secret deal")
    OpportunityContactFactory(opportunity=strange, contact=hidden)
    text = get(client, alice, "account_detail", account.pk, whole="1").content.decode()
    assert "Joint call" in text
    assert "not visible to you" in text
    assert "Verborgen" not in text
    get(client, alice, "account_timeline", account.pk, contact=hidden.pk, status=404)
    get(client, alice, "contact_timeline", hidden.pk, status=404)
    mine = ContactFactory(owner=alice, account=None, email="a@b.example")
    OpportunityContactFactory(opportunity=strange, contact=mine)
    assert "Secret deal" not in get(client, alice, "contact_detail", mine.pk).content.decode()


@pytest.mark.parametrize(
    ("role", "same_team", "status"), [("sales_rep", True, 404), ("sales_manager", True, 200), ("sales_rep", False, 404)]
)
def test_three_people_and_a_timeline(client, alice, role, same_team, status):
    account = AccountFactory(owner=alice)
    user = UserFactory(role=role, team=alice.team if same_team else TeamFactory())
    deal = OpportunityFactory(account=account, owner=alice)
    get(client, user, "account_timeline", account.pk, status=status)
    get(client, user, "opportunity_timeline", deal.pk, status=status)


def test_a_persons_page_names_the_earlier_employer(client, admin):
    old, new = AccountFactory(name="Old Works"), AccountFactory(name="New Works")
    contact = ContactFactory(account=new)
    ActivityFactory(contact=contact, account=old, type="call", subject="Before")
    ActivityFactory(contact=contact, account=new, type="call", subject="After")
    text = get(client, admin, "contact_timeline", contact.pk).content.decode()
    assert text.count("Old Works") == 1
    assert "New Works" not in text


def test_a_mentioned_person_is_named_and_text_stays_text(client, admin):
    UserFactory(username="mira", first_name="Mira", last_name="König")
    account = AccountFactory()
    NoteFactory(account=account, text="Ask @mira. <script>alert(1)</script> @nobody a@mira.example")
    text = get(client, admin, "account_timeline", account.pk).content.decode()
    assert '<span class="mention" title="@mira">Mira König</span>.' in text
    assert "<script>alert" not in text
    assert "@nobody" in text
    assert "a@mira.example" in text


def test_five_thousand_activities_cost_no_more_queries_and_little_time(client, admin):
    account = AccountFactory(annual_revenue=Decimal(1))
    people = [ContactFactory(account=account) for _ in range(5)]
    url = reverse("accounts:account_detail", args=[account.pk])
    client.force_login(admin, backend="django.contrib.auth.backends.ModelBackend")

    def load(count):
        now = NOW()
        Activity.objects.bulk_create(
            Activity(type=("page_view", "email_open", "call", "content_view")[n % 4], direction="inbound",
                     contact=people[n % 5], account=account, occurred_at=now - dt.timedelta(hours=n))
            for n in range(count)
        )  # fmt: skip
        client.get(url)
        start = time.process_time()
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert client.get(url).status_code == 200
        return len(queries), time.process_time() - start

    few, _ = load(40)
    many, seconds = load(5000)
    assert many == few
    assert seconds < 2.5


def test_a_cursor_that_cannot_be_read_starts_at_the_top(admin):
    account = AccountFactory()
    NoteFactory(account=account)
    events, following = timeline_page(account, admin, before=Cursor(NOW() + dt.timedelta(days=1), 0, 1))
    assert len(events) == 1
    assert following is None
