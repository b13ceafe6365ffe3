"""Notes, tasks and the log dialog: what is written, who is told, what is taken back, what one may not do."""

import datetime as dt
import uuid

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from accounts.models import Activity, Evidence, Need, Note, Task, Term
from accounts.queries.engagement import ENGAGED
from accounts.services import quick_log, work
from segmentation_crm.common.models import Job, Notification, Role, SubmittedForm
from tests import factories as make
from tests.support.api import caller

pytestmark = pytest.mark.django_db


@pytest.fixture
def rep():
    return make.UserFactory(username="mira", role=Role.SALES_REP, team=make.TeamFactory())


@pytest.fixture
def account(rep):
    return make.AccountFactory(name="Kessler Motors", owner=rep)


@pytest.fixture
def browser(rep):
    client = Client()
    client.force_login(rep)
    return client


def sent(account, **values):
    """Return what the dialog sends for a call at the account."""
    return {
        "token": str(uuid.uuid4()),
        "record": f"account:{account.pk}",
        "kind": "call",
        "outcome": "connected",
        "meeting_outcome": "held",
        "text": "They like the planner.",
        **values,
    }


# --- new words ---


def test_a_manager_logs_a_new_word_and_a_rep_is_told_to_ask(rep, account, browser):
    manager = make.UserFactory(role=Role.SALES_MANAGER, team=rep.team)
    values = sent(account, objection=["new:No  interface"], need=["new:Shift planning"])
    refused = browser.post("/log/", values, headers={"HX-Request": "true"}).content.decode()
    assert "“No interface” is no objection in the vocabulary" in refused
    assert 'value="new:No interface" checked' in refused
    assert "new:" not in browser.get("/log/terms/objection/", {"find_objection": "No inter"}).content.decode()
    assert not Evidence.objects.exists()
    client = Client()
    client.force_login(manager)
    offered = client.get("/log/terms/objection/", {"find_objection": " No  interface"}).content.decode()
    assert 'value="new:No interface" data-exact' in offered
    assert client.post("/log/", values, headers={"HX-Request": "true"}).status_code == 204
    assert {row.term.name for row in Evidence.objects.all()} == {"No interface", "Shift planning"}
    assert Need.objects.get(account=account).need.name == "Shift planning"
    known = client.get("/log/terms/objection/", {"find_objection": "no INTERFACE"}).content.decode()
    assert "new:" not in known
    assert "data-exact" in known
    client.post("/log/", sent(account, objection=["new:no interface"]), headers={"HX-Request": "true"})
    assert Term.objects.filter(vocabulary="objection").count() == 1


# --- mentions ---


def test_a_mention_tells_who_may_see_the_record_and_names_who_may_not(rep, account):
    manager = make.UserFactory(username="tom", role=Role.SALES_MANAGER, team=rep.team)
    stranger = make.UserFactory(username="jo.nas", role=Role.SALES_REP)
    note = work.write_note(account, "Ask @tom, and @jo.nas. Not mail@tom.example or @nobody", rep)
    assert list(note.mentions.all()) == [manager]
    assert note.not_told == [stranger]
    told = Notification.objects.get()
    assert (told.user, told.kind, told.email_state) == (manager, "mention", "wanted")
    assert told.url == f"/accounts/{account.pk}/"
    assert Job.objects.filter(kind="notifications.email").count() == 1


def test_nobody_is_told_of_a_mention_of_oneself_and_a_note_needs_text(rep, account):
    work.write_note(account, "I, @mira, call again", rep)
    assert not Notification.objects.exists()
    with pytest.raises(ValidationError, match="Write something"):
        work.write_note(account, "  ", rep)
    with pytest.raises(ValidationError, match="20,000"):
        work.write_note(account, "x" * 20_001, rep)


def test_the_api_tells_who_is_mentioned_once(rep, account):
    tom = make.UserFactory(username="tom", role=Role.SALES_MANAGER, team=rep.team)
    client = caller(rep)
    made = client.post("/api/v1/notes/", {"text": "Look, @tom", "account": account.pk}, format="json")
    assert made.status_code == 201, made.json()
    assert made.json()["mentions"] == [tom.pk]
    again = client.patch(f"/api/v1/notes/{made.json()['id']}/", {"text": "Look again, @tom"}, format="json")
    assert again.status_code == 200
    assert tom.notifications.count() == 1


# --- tasks ---


def test_a_task_given_to_somebody_else_tells_them(rep, account):
    other = make.UserFactory()
    task = work.make_task("Call back", other, record=account, created_by=rep)
    assert [n.title for n in other.notifications.all()] == ["First0 Last0 gave you a task: Call back"] or (
        other.notifications.get().title.endswith("gave you a task: Call back")
    )
    work.save_task(task, rep)
    assert other.notifications.count() == 1
    work.make_task("My own", rep, created_by=rep)
    assert not rep.notifications.exists()


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"title": " "}, "title"),
        ({"title": "x" * 256}, "title"),
        ({"title": "x", "type": "nap"}, "type"),
        ({"title": "x", "due_at": dt.datetime(2026, 1, 1)}, "due_at"),
    ],
)
def test_a_task_that_is_wrong_names_the_field(rep, values, field):
    title = values.pop("title")
    with pytest.raises(ValidationError) as error:
        work.make_task(title, rep, **values)
    assert field in error.value.message_dict
    assert not Task.objects.exists()


def test_a_task_is_done_once_and_can_be_opened_again(rep, account):
    task = work.make_task("Call", rep, record=account)
    assert work.complete_task(task, rep, "Reached her") is True
    assert work.complete_task(task, rep, "Later") is False
    task.refresh_from_db()
    assert (task.outcome, task.done_at is not None) == ("Reached her", True)
    assert work.reopen_task(task) is True
    assert work.reopen_task(task) is False
    assert task.done_at is None


def test_postponing_moves_the_reminder_too_and_it_rings_again(rep):
    due = timezone.now()
    task = work.make_task("Call", rep, due_at=due, remind_at=due - dt.timedelta(hours=2))
    Task.objects.filter(pk=task.pk).update(reminded_at=timezone.now())
    task.refresh_from_db()
    work.postpone_task(task, due + dt.timedelta(days=3))
    task.refresh_from_db()
    assert task.remind_at == due + dt.timedelta(days=3, hours=-2)
    assert task.reminded_at is None


def test_a_deleted_task_comes_back_under_its_number(rep, account, browser):
    task = work.make_task("Call", rep, record=account, due_at=timezone.now(), created_by=rep)
    browser.post(f"/tasks/{task.pk}/delete/")
    assert not Task.objects.exists()
    form = SubmittedForm.objects.get()
    browser.post(f"/log/{form.token}/undo/")
    back = Task.objects.get()
    assert (back.pk, back.title, back.account, back.due_at, back.owner) == (
        task.pk, "Call", account, task.due_at, rep,
    )  # fmt: skip


def test_another_cannot_take_back_what_one_deleted(rep, browser):
    browser.post(f"/tasks/{work.make_task('Call', rep).pk}/delete/")
    stranger = Client()
    stranger.force_login(make.UserFactory())
    assert stranger.post(f"/log/{SubmittedForm.objects.get().token}/undo/").status_code == 404
    assert not Task.objects.exists()


@pytest.mark.parametrize(("who", "status"), [("owner", 302), ("manager", 302), ("stranger", 404), ("viewer", 403)])
def test_three_people_and_a_task(rep, account, who, status):
    task = work.make_task("Call", rep, record=account)
    user = {
        "owner": lambda: rep,
        "manager": lambda: make.UserFactory(role=Role.SALES_MANAGER, team=rep.team),
        "stranger": lambda: make.UserFactory(role=Role.SALES_REP),
        "viewer": lambda: make.UserFactory(role=Role.VIEWER),
    }[who]()
    client = Client()
    client.force_login(user)
    assert client.post(f"/tasks/{task.pk}/complete/").status_code == status
    task.refresh_from_db()
    assert (task.done_at is not None) is (status == 302)


def test_postponing_by_a_wrong_number_says_so(rep, browser):
    task = work.make_task("Call", rep, due_at=timezone.now())
    for days in ("0", "-1", "x", "99999999999999999999"):
        page = browser.post(f"/tasks/{task.pk}/postpone/", {"days": days}, follow=True)
        assert b"Postpone by 1 to 365 days" in page.content
    before = task.due_at
    task.refresh_from_db()
    assert task.due_at == before


def test_the_form_of_a_task_keeps_what_was_typed(browser, account):
    wrong = browser.post("/tasks/new/", {"title": "", "type": "call", "due_at": "not a day", "remind": "due"})
    assert wrong.status_code == 200
    assert b"not a day" in wrong.content
    values = {"title": "Send offer", "type": "proposal", "due_at": "2030-03-01T10:00", "remind": "morning"}
    browser.post("/tasks/new/", {**values, "record": f"account:{account.pk}"})
    task = Task.objects.get()
    assert (task.account, task.remind_at) == (account, dt.datetime(2030, 3, 1, 8, tzinfo=dt.UTC))
    hidden = make.AccountFactory()
    refused = browser.post("/tasks/new/", {**values, "record": f"account:{hidden.pk}"})
    assert refused.status_code == 200
    assert b"not visible to you" in refused.content
    assert Task.objects.count() == 1


def test_next_leads_only_into_this_site(browser, rep):
    task = work.make_task("Call", rep)
    answer = browser.post(f"/tasks/{task.pk}/complete/", {"next": "//evil.example/"})
    assert answer.url == "/my-day/"


# --- the log dialog ---


def test_a_call_with_what_was_heard_and_a_follow_up_in_one_act(browser, rep, account):
    deal = make.OpportunityFactory(account=account, owner=rep)
    anna = make.ContactFactory(account=account, first_name="Anna")
    price = make.TermFactory(vocabulary="objection", name="Price")
    stock = make.TermFactory(vocabulary="need", name="Reduce stock")
    answer = browser.post(
        "/log/",
        sent(
            account, minutes="12", people=[anna.pk], objection=[price.pk], need=[stock.pk], follow_up="3",
            deal=deal.pk, next_step="Send the offer", next_step_due="2030-05-01",
        ),
        headers={"HX-Request": "true"},
    )  # fmt: skip
    assert answer.status_code == 204, answer.content
    assert "Call logged" in answer["HX-Trigger"]
    call = Activity.objects.get()
    assert (call.type, call.direction, call.duration_s, call.contact, call.account, call.user) == (
        "call", "inbound", 720, anna, account, rep,
    )  # fmt: skip
    assert {(e.kind, e.term.name, e.activity) for e in Evidence.objects.all()} == {
        ("objection", "Price", call),
        ("need", "Reduce stock", call),
    }
    assert Need.objects.get(account=account).need == stock
    assert deal.values_multi.get(field="objections").term == price
    deal.refresh_from_db()
    assert (deal.next_step, deal.next_step_due) == ("Send the offer", dt.date(2030, 5, 1))
    task = Task.objects.get()
    assert (task.account, task.owner, task.due_at.date()) == (
        account, rep, timezone.localdate() + dt.timedelta(days=3),
    )  # fmt: skip


def test_undo_takes_all_of_it_back(browser, rep, account):
    deal = make.OpportunityFactory(account=account, owner=rep, next_step="Old step")
    price = make.TermFactory(vocabulary="objection", name="Price")
    need = make.TermFactory(vocabulary="need")
    data = sent(
        account, objection=[price.pk], need=[need.pk], follow_up="1", deal=deal.pk, next_step="New step"
    )  # fmt: skip
    browser.post("/log/", data)
    browser.post(f"/log/{data['token']}/undo/")
    deal.refresh_from_db()
    assert deal.next_step == "Old step"
    assert not any(model.objects.exists() for model in (Activity, Evidence, Need, Task, Note))
    assert not deal.values_multi.filter(field="objections").exists()
    assert b"taken back before" in browser.post(f"/log/{data['token']}/undo/", follow=True).content


def test_undo_leaves_what_was_there_before(browser, rep, account):
    need = make.NeedFactory(account=account, need=make.TermFactory(vocabulary="need"))
    data = sent(account, need=[need.need_id])
    browser.post("/log/", data)
    browser.post(f"/log/{data['token']}/undo/")
    assert list(Need.objects.all()) == [need]


def test_sent_twice_it_is_written_once(browser, account):
    data = sent(account, follow_up="1")
    first, second = (browser.post("/log/", data, headers={"HX-Request": "true"}) for _ in range(2))
    assert (first.status_code, second.status_code) == (204, 204)
    assert (Activity.objects.count(), Task.objects.count()) == (1, 1)


@pytest.mark.parametrize(
    ("outcome", "direction", "is_engaged"),
    [("connected", "inbound", True), ("called_us", "inbound", True), ("no_answer", "outbound", False),
     ("left_message", "outbound", False)],
)  # fmt: skip
def test_an_unanswered_call_is_no_engagement(browser, account, outcome, direction, is_engaged):
    browser.post("/log/", sent(account, outcome=outcome, minutes="3"))
    call = Activity.objects.get()
    assert call.direction == direction
    assert Activity.objects.filter(ENGAGED).exists() is is_engaged
    assert (call.duration_s is None) is not is_engaged


def test_each_person_of_a_meeting_took_part(browser, account):
    people = [make.ContactFactory(account=account) for _ in range(3)]
    browser.post("/log/", sent(account, kind="meeting", people=[p.pk for p in people]))
    assert {a.contact for a in Activity.objects.all()} == set(people)
    assert sorted(a.text for a in Activity.objects.all()) == ["", "", "They like the planner."]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"record": ""}, "Choose the account"),
        ({"record": "account:999999999"}, "Choose the account"),
        ({"record": "user:1"}, "Choose the account"),
        ({"kind": "nap"}, "valid choice"),
        ({"outcome": "asleep"}, "Say how it went"),
        ({"at": "2099-01-01T10:00"}, "future"),
        ({"outcome": "planned"}, "lies ahead"),
        ({"kind": "note", "text": ""}, "Write something"),
        ({"kind": "task"}, "Say what is to be done"),
        ({"kind": "next_step"}, "Say what comes next"),
        ({"next_step": "Offer"}, "choose which one"),
        ({"objection": ["999999"]}, "is gone"),
        ({"minutes": "-5"}, "greater than or equal to 0"),
        ({"people": ["1"]}, "does not belong"),
        ({"token": "x"}, "Nothing is logged yet"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_lost(browser, account, changes, words):
    page = browser.post("/log/", sent(account, **changes), headers={"HX-Request": "true"})
    assert page.status_code == 200
    assert words in page.content.decode()
    if "text" not in changes:
        assert "They like the planner." in page.content.decode()
    assert not Activity.objects.exists()
    assert not Note.objects.exists()
    assert not SubmittedForm.objects.exists()


def test_a_word_of_another_vocabulary_is_no_objection(browser, account):
    tag = make.TermFactory(vocabulary="tag")
    page = browser.post("/log/", sent(account, objection=[tag.pk]), headers={"HX-Request": "true"})
    assert "is gone" in page.content.decode()
    assert not Evidence.objects.exists()


def test_the_dialog_is_prefilled_and_finds_only_what_one_sees(browser, rep, account):
    hidden = make.AccountFactory(name="Kessler Hidden")
    page = browser.get(f"/log/?record=account:{account.pk}", headers={"HX-Request": "true"}).content.decode()
    assert "Kessler Motors" in page
    assert "<html" not in page
    assert "About which account" in browser.get(f"/log/?record=account:{hidden.pk}").content.decode()
    found = browser.get("/log/records/?find=kess").content.decode()
    assert f"account:{account.pk}" in found
    assert str(hidden.name) not in found


def test_the_most_heard_words_are_one_click_away(browser, account, django_assert_max_num_queries):
    words = [make.TermFactory(vocabulary="objection", name=f"Objection {n}") for n in range(9)]
    make.EvidenceFactory.create_batch(3, term=words[7], account=account)
    with django_assert_max_num_queries(24):
        page = browser.get(f"/log/?record=account:{account.pk}", headers={"HX-Request": "true"}).content.decode()
    assert "Objection 7" in page
    assert "Objection 8" not in page
    assert "Objection 8" in browser.get("/log/terms/objection/?find_objection=ion 8").content.decode()
    assert browser.get("/log/terms/tag/?find_tag=a").status_code == 404


def test_a_failed_log_leaves_nothing_half_written(rep, account, monkeypatch):
    def broken(*args, **kwargs):
        raise RuntimeError("disk full")

    monkeypatch.setattr(quick_log.work, "make_task", broken)
    entry = quick_log.Entry("call", account, outcome="connected", task_title="Follow up")
    with pytest.raises(RuntimeError):
        quick_log.log(entry, rep, uuid.uuid4())
    assert not Activity.objects.exists()
    assert not SubmittedForm.objects.exists()
