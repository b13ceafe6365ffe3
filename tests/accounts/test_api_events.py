"""Many events in one call: stored once, judged one by one, joined to the people they belong to (R51, R92)."""

import datetime as dt
import json
import threading
from typing import Any

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Activity, ChangeRow, ContactAccount, ExternalId
from accounts.services.events import take_events
from segmentation_crm.common.models import Role
from tests import factories as make
from tests.support.api import caller

pytestmark = pytest.mark.django_db
URL = "/api/v1/activities/bulk/"
NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)


def event(number: Any = None, **more: Any) -> dict[str, Any]:
    """Return a right event, with a number where one is given."""
    found = {"type": "page_view", "occurred_at": "2026-03-02T12:00:00Z", **more}
    return found if number is None else {"external_id": str(number), **found}


def post(events: Any, user: Any = None, **more: Any) -> Any:
    return caller(user or make.UserFactory()).post(URL, {"events": events, **more}, format="json")


def told(answer: Any) -> list[tuple[int, str, str]]:
    """Return index, field and code of each error of a 200."""
    assert answer.status_code == 200, answer.content
    assert all(error["message"] for error in answer.json()["errors"])
    return [(error["index"], error["field"], error["code"]) for error in answer.json()["errors"]]


def counted(answer: Any) -> tuple[int, int]:
    assert answer.status_code == 200, answer.content
    return answer.json()["created"], answer.json()["duplicate"]


def test_r92_the_same_call_twice_and_the_same_number_twice_in_one_call():
    events = [event(n, url_path=f"/{n}") for n in (1, 2, 1)]
    user = make.UserFactory()
    assert counted(post(events, user)) == (2, 1)
    assert counted(post(events, user)) == (0, 3)
    assert counted(post([event(1, source="web"), event(1, source="shop")], user)) == (2, 0)
    assert Activity.objects.count() == 4
    assert list(Activity.objects.filter(source="api").order_by("pk").values_list("url_path", flat=True)) == ["/1", "/2"]
    first = ExternalId.objects.get(source="api", external_id="1")
    assert (first.record_type, first.record_id) == ("activity", Activity.objects.get(url_path="/1").pk)


def test_an_event_that_was_deleted_does_not_come_back_and_one_without_number_is_stored_each_time():
    user = make.UserFactory()
    post([event(1), event()], user)
    Activity.objects.filter(pk=ExternalId.objects.get(external_id="1").record_id).delete()
    assert counted(post([event(1), event()], user)) == (1, 1)


def test_the_second_of_a_number_counts_where_the_first_was_wrong():
    answer = post([event(7, type="dance"), event(7)])
    assert counted(answer) == (1, 0)
    assert told(answer) == [(0, "type", "invalid_choice")]


def test_a_contact_by_id_by_number_and_by_address():
    contact = make.ContactFactory(account=make.AccountFactory(), email="ann@acme.example")
    make.ExternalIdFactory(record_type="contact", record_id=contact.pk, source="shop", external_id="C-1")
    events = [
        event(contact=contact.pk),
        event(contact=str(contact.pk)),
        event(contact_external_id="C-1", source="shop"),
        event(contact_external_id="C-1", contact_source="shop"),
        event(email=" Ann@ACME.example "),
        event(email="ann@acme.example", contact=contact.pk),
    ]
    answer = post(events)
    assert told(answer) == []
    rows = Activity.objects.order_by().values_list("contact", "account", "direction", "occurred_at").distinct()
    assert list(rows) == [(contact.pk, contact.account_id, "inbound", NOON)]
    assert Activity.objects.filter(source="shop").count() == 1


def test_all_columns_and_references_are_stored():
    account = make.AccountFactory()
    deal = make.OpportunityFactory(account=account)
    campaign, content = make.CampaignRefFactory(name="Spring"), make.ContentItemFactory()
    topic = make.TermFactory(vocabulary="topic", name="Planning")
    user = make.UserFactory(username="alice")
    answer = post(
        [
            event(
                opportunity=deal.pk, campaign="spring", content=content.pk, topic="planning", user="alice",
                type="call", direction="inbound", channel="phone", subject=" Hello ", text="Line\nline", value="12.5",
                intent_score=33.125, baseline=1, nps=9, duration_s=60, bot_suspected=True, party="first",
                utm_source="x", provider="P", entry_page="/", referrer="r",
            ),
            event(
                opportunity=deal.pk, campaign=campaign.pk, topic=topic.slug, type="call", subject=" Hello ",
                text="Line\nline", value=12.5, bot_suspected=True, nps=None,
            ),
        ]
    )  # fmt: skip
    assert told(answer) == []
    last = Activity.objects.order_by("-pk")[0]
    assert (last.account_id, last.opportunity_id, last.campaign_id, last.topic_id) == (
        account.pk,
        deal.pk,
        campaign.pk,
        topic.pk,
    )
    assert (last.direction, last.subject, last.subject_folded, last.text) == (
        "outbound",
        "Hello",
        "hello",
        "Line\nline",
    )
    first = Activity.objects.order_by("pk")[0]
    assert (first.user_id, first.content_id, first.direction, float(first.value)) == (
        user.pk,
        content.pk,
        "inbound",
        12.5,
    )


@pytest.mark.parametrize(
    ("wrong", "field", "code"),
    [
        ("text", "", "not_an_object"),
        (None, "", "not_an_object"),
        ({"occurred_at": "2026-03-02T12:00:00Z"}, "type", "required"),
        ({"type": "call"}, "occurred_at", "required"),
        (event(occurred_at=None), "occurred_at", "required"),
        (event(type="dance"), "type", "invalid_choice"),
        (event(type=[]), "type", "invalid_choice"),
        (event(channel="pigeon"), "channel", "invalid_choice"),
        (event(occurred_at="yesterday"), "occurred_at", "invalid_moment"),
        (event(occurred_at="2026-03-02T12:00:00"), "occurred_at", "invalid_moment"),
        (event(occurred_at="0001-01-01T00:00:00+23:00"), "occurred_at", "invalid_moment"),
        (event(occurred_at=1772452800), "occurred_at", "invalid_moment"),
        (event(occurred_at="1970-01-01T00:00:00Z"), "occurred_at", "too_early"),
        (event(subject="x" * 256), "subject", "max_length"),
        (event(external_id="x" * 201), "external_id", "max_length"),
        (event(source="x" * 61), "source", "max_length"),
        (event(subject=5), "subject", "invalid_type"),
        (event(subject="a\x00b"), "subject", "bad_text"),
        (event(visitor_id="\ud800"), "visitor_id", "bad_text"),
        (event(nps=11), "nps", "out_of_range"),
        (event(nps=True), "nps", "invalid_type"),
        (event(nps="9"), "nps", "invalid_type"),
        (event(duration_s=-1), "duration_s", "out_of_range"),
        (event(duration_s=10**30), "duration_s", "out_of_range"),
        (event(value="a lot"), "value", "invalid_type"),
        (event(value="NaN"), "value", "out_of_range"),
        (event(value=float("nan")), "value", "out_of_range"),
        (event(value=1e300), "value", "out_of_range"),
        (event(value="1.23456"), "value", "too_many_places"),
        (event(intent_score=100.5), "intent_score", "out_of_range"),
        (event(bot_suspected=1), "bot_suspected", "invalid_type"),
        (event(colour="red"), "colour", "unknown_field"),
        (event(**{"\ud800": 1}), "\\ud800", "unknown_field"),
        (event(created_at="2026-03-02T12:00:00Z"), "created_at", "unknown_field"),
        (event(contact=987654321), "contact", "unknown_contact"),
        (event(contact="nobody"), "contact", "unknown_contact"),
        (event(contact=0), "contact", "does_not_exist"),
        (event(contact=10**30), "contact", "does_not_exist"),
        (event(contact={}), "contact", "invalid_type"),
        (event(contact_external_id="C-9"), "contact_external_id", "unknown_contact"),
        (event(email="nobody@acme.example"), "email", "unknown_contact"),
        (event(type="form_submit", visitor_id="v", email="new@acme.example"), "email", "unknown_contact"),
        (event(account=987654321), "account", "does_not_exist"),
        (event(account="Acme"), "account", "invalid_type"),
        (event(opportunity=987654321), "opportunity", "does_not_exist"),
        (event(campaign="nothing"), "campaign", "does_not_exist"),
        (event(content=987654321), "content", "does_not_exist"),
        (event(topic="nothing"), "topic", "does_not_exist"),
        (event(user="nobody"), "user", "does_not_exist"),
    ],
)
def test_each_fault_is_named_and_blocks_only_its_own_event(wrong, field, code):
    body = json.dumps({"events": [event(1), wrong, event(2)]})
    answer = caller(make.UserFactory()).post(URL, body, content_type="application/json")
    assert (1, field, code) in told(answer)
    assert {index for index, _, _ in told(answer)} == {1}
    assert counted(answer) == (2, 0)


def test_r92_a_clock_ahead_is_taken_up_to_five_minutes():
    now = timezone.now()
    moments = [(now + dt.timedelta(minutes=ahead)).isoformat() for ahead in (4, 6, 24 * 60)]
    answer = post([event(occurred_at=moment) for moment in moments])
    assert told(answer) == [(1, "occurred_at", "in_future"), (2, "occurred_at", "in_future")]
    assert counted(answer) == (1, 0)


def test_two_people_named_by_one_event_and_at_most_five_faults_of_one():
    one, other = make.ContactFactory(), make.ContactFactory(email="other@acme.example")
    answer = post([event(contact=one.pk, email="other@acme.example"), {f"x{n}": 1 for n in range(20)}])
    assert told(answer)[0] == (0, "contact", "contradiction")
    assert len(told(answer)) == 1 + 5
    assert not Activity.objects.filter(contact=other).exists()


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ("{", 400, "not valid JSON"),
        ("[]", 400, "errors"),
        ("5", 400, "errors"),
        ("{}", 400, "events"),
        ('{"events": {}}', 400, "array of events"),
        ('{"events": null}', 400, "events"),
        ('{"events": [], "more": 1}', 400, "more"),
        ('{"events": [{"type": "call", "type": "call"}]}', 400, "twice"),
        ('{"events": [' + ",".join(["0"] * 10_001) + "]}", 400, "10,000"),
        ('{"events": ["' + "x" * (5 * 1024 * 1024) + '"]}', 413, "5120 KiB"),
    ],
)
def test_r51_what_is_no_list_of_events_is_refused_whole(body, status, words):
    answer = caller(make.UserFactory()).post(URL, body, content_type="application/json")
    assert answer.status_code == status
    assert words in answer.content.decode()
    assert not Activity.objects.exists()


def test_other_routes_keep_their_limits():
    long = json.dumps({**event(), "text": "x" * (1024 * 1024)})
    assert caller(make.UserFactory()).post(URL[:-5], long, content_type="application/json").status_code == 413
    bad = json.dumps(event(subject="a\x00b"))
    assert caller(make.UserFactory()).post(URL[:-5], bad, content_type="application/json").status_code == 400


def test_no_events_are_no_fault_and_ten_thousand_fit_in_one_call():
    assert counted(post([])) == (0, 0)
    contact = make.ContactFactory()
    bad = event("bad", nps=11)
    answer = post([event(n, contact=contact.pk, url_path="/pricing") for n in range(9_999)] + [bad])
    assert counted(answer) == (9_999, 0)
    assert told(answer) == [(9_999, "nps", "out_of_range")]


def test_scope_role_and_the_wrong_method_are_refused():
    body = {"events": [event()]}
    assert caller(make.UserFactory(), scopes=("read",)).post(URL, body, format="json").status_code == 403
    assert caller(make.UserFactory(role=Role.VIEWER)).post(URL, body, format="json").status_code == 403
    assert caller(make.UserFactory(role=Role.INTEGRATION)).post(URL, body, format="json").status_code == 200
    assert caller().post(URL, body, format="json").status_code == 401
    assert caller(make.UserFactory()).put(URL, body, format="json").status_code == 405


def test_a_rep_names_what_the_rep_may_see_and_nothing_else():
    rep = make.UserFactory(role=Role.SALES_REP)
    mine = make.ContactFactory(account=make.AccountFactory(owner=rep), email="mine@acme.example")
    foreign = make.ContactFactory(account=make.AccountFactory(owner=make.UserFactory()), email="foreign@acme.example")
    make.ExternalIdFactory(record_type="contact", record_id=foreign.pk, source="api", external_id="F")
    events = [
        event(contact=mine.pk),
        event(email="mine@acme.example"),
        event(contact=foreign.pk),
        event(email="foreign@acme.example"),
        event(contact_external_id="F"),
        event(account=foreign.account_id),
        event(visitor_id="v1"),
        event(user=rep.username),
    ]
    answer = post(events, rep)
    assert told(answer) == [
        (2, "contact", "unknown_contact"),
        (3, "email", "unknown_contact"),
        (4, "contact_external_id", "unknown_contact"),
        (5, "account", "does_not_exist"),
        (6, "contact", "not_visible"),
    ]
    assert counted(answer) == (3, 0)
    unknown = post([event(contact=987654321)], rep).json()["errors"][0]["message"]
    hidden = answer.json()["errors"][0]["message"]
    assert hidden.replace(str(foreign.pk), "N") == unknown.replace("987654321", "N")
    assert counted(post(events, make.UserFactory(role=Role.INTEGRATION))) == (8, 0)


def test_a_deleted_contact_is_unknown():
    contact = make.ContactFactory(deleted_at=timezone.now(), email="gone@acme.example")
    answer = post([event(contact=contact.pk), event(email="gone@acme.example")])
    assert [code for _, _, code in told(answer)] == ["unknown_contact"] * 2


def test_a_visitor_who_says_who_he_is_takes_along_what_he_did_before_and_does_after():
    contact = make.ContactFactory(account=make.AccountFactory(), email="ann@acme.example")
    elsewhere = make.AccountFactory()
    user = make.UserFactory()
    before = [
        event(1, visitor_id="v1", occurred_at="2026-02-01T00:00:00Z"),
        event(2, visitor_id="v1", occurred_at="2026-02-02T00:00:00Z", account=elsewhere.pk),
        event(3, visitor_id="v2"),
        event(4),
    ]
    assert counted(post(before, user)) == (4, 0)
    assert not Activity.objects.filter(contact__isnull=False).exists()
    now = [event(5, type="form_submit", visitor_id="v1", email="ann@acme.example"), event(6, visitor_id="v1")]
    assert counted(post(now, user)) == (2, 0)
    assert counted(post([event(7, visitor_id="v1", occurred_at="2026-03-09T00:00:00Z")], user)) == (1, 0)
    whose = {
        row.external_id: Activity.objects.values_list("contact", "account").get(pk=row.record_id)
        for row in ExternalId.objects.filter(record_type="activity")
    }
    hers = (contact.pk, contact.account_id)
    assert whose == {
        "1": hers, "2": (contact.pk, elsewhere.pk), "3": (None, None), "4": (None, None),
        "5": hers, "6": hers, "7": hers,
    }  # fmt: skip


def test_two_people_at_one_browser_keep_their_own():
    ann, bob = make.ContactFactory(), make.ContactFactory()
    user = make.UserFactory()
    days = {n: f"2026-03-0{n}T00:00:00Z" for n in range(1, 8)}
    post([event(1, visitor_id="v", occurred_at=days[1]), event(3, visitor_id="v", occurred_at=days[3])], user)
    both = [
        event(5, visitor_id="v", occurred_at=days[5], contact=bob.pk),
        event(2, visitor_id="v", occurred_at=days[2], contact=ann.pk),
        event(6, visitor_id="v", occurred_at=days[6]),
    ]
    post(both, user)
    post([event(4, visitor_id="v", occurred_at=days[4]), event(7, visitor_id="v", occurred_at=days[7])], user)
    whose = dict(Activity.objects.order_by("occurred_at").values_list("occurred_at__day", "contact"))
    assert whose == {1: ann.pk, 2: ann.pk, 3: ann.pk, 4: ann.pk, 5: bob.pk, 6: bob.pk, 7: bob.pk}


def test_the_account_is_the_one_of_the_day():
    old, new = make.AccountFactory(), make.AccountFactory()
    contact = make.ContactFactory(account=new)
    ContactAccount.objects.filter(contact=contact).delete()
    day = dt.date(2026, 2, 1)
    make.ContactAccountFactory(contact=contact, account=old, relation="employee", ended_on=day)
    make.ContactAccountFactory(contact=contact, account=new, relation="employee", started_on=day)
    user = make.UserFactory()
    post([event(visitor_id="v", occurred_at="2026-01-31T23:00:00Z")], user)
    moments = ["2026-01-05T00:00:00Z", "2026-02-01T00:00:00Z", "2026-03-02T00:00:00Z"]
    post([event(visitor_id="v", contact=contact.pk, occurred_at=moment) for moment in moments], user)
    rows = Activity.objects.order_by("occurred_at").values_list("account", flat=True)
    assert list(rows) == [old.pk, old.pk, new.pk, new.pk]


def test_a_duplicate_identifies_nobody():
    contact = make.ContactFactory()
    user = make.UserFactory()
    post([event(1), event(2, visitor_id="v")], user)
    assert counted(post([event(1, visitor_id="v", contact=contact.pk)], user)) == (0, 1)
    assert not Activity.objects.filter(contact__isnull=False).exists()


def queries_of(count: int, start: int, user: Any, contacts: list[Any], account: Any) -> int:
    events = []
    for n in range(start, start + count):
        person = contacts[n % len(contacts)]
        way = [{"contact": person.pk}, {"email": person.email}, {}, {"account": account.pk}][n % 4]
        events.append(event(n, visitor_id=f"v{n // 4}", **way))
        events.append({"external_id": f"bad{n}"})
    with CaptureQueriesContext(
        connection,
    ) as seen:
        taken = take_events(events, user)
    assert (taken.created, len(taken.errors)) == (count, 2 * count)
    return len([one for one in seen if not one["sql"].startswith(("SAVEPOINT", "RELEASE"))])


def test_statements_and_changes_do_not_grow_with_the_events():
    account = make.AccountFactory()
    contacts = [make.ContactFactory(account=account, email=f"p{n}@acme.example") for n in range(20)]
    user = make.UserFactory()
    # Of each call the first third was there before, without a name.
    few = queries_of(20, 0, user, contacts, account)
    ChangeRow.objects.all().delete()
    many = queries_of(400, 1000, user, contacts, account)
    assert many <= few + 1 <= 25
    if connection.vendor == "postgresql":
        assert ChangeRow.objects.count() <= 3


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
def test_r92_equal_calls_at_once_store_each_event_once():
    user = make.UserFactory()
    contact = make.ContactFactory()
    events = [event(n, visitor_id=f"v{n % 50}") for n in range(500)]
    naming = [event(f"n{n}", visitor_id=f"v{n}", contact=contact.pk) for n in range(50)]
    calls = [events, events[::-1], naming, events, naming, events]
    ready = threading.Barrier(len(calls))
    answers: list[Any] = [None] * len(calls)

    def call(place: int) -> None:
        try:
            client = caller(user)
            ready.wait(10)
            answers[place] = client.post(URL, {"events": calls[place]}, format="json")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=call, args=(place,)) for place in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [told(answer) for answer in answers] == [[]] * len(calls)
    assert sum(counted(answer)[0] for answer in answers) == 550
    assert sum(counted(answer)[1] for answer in answers) == 3 * 500 + 50
    assert Activity.objects.count() == 550
    assert ExternalId.objects.filter(record_type="activity").count() == 550
    assert not Activity.objects.filter(contact__isnull=True).exists(), "whoever came first, all visitors are known"
