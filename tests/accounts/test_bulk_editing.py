"""Bulk acts on records: what single edits do, to many; refusals, undo, roles, the log of changes."""

import datetime as dt
import uuid
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from pyroaring import BitMap

from accounts.models import AccountValue, Contact, ContactCustomValue, FieldHistory, RecordChange
from accounts.services.custom_fields import create_custom_field
from segmentation_crm.common import bulk, jobs
from segmentation_crm.common.models import BulkAct, BulkRow, Job, Role, User
from tests.factories import (
    AccountFactory,
    ContactFactory,
    OpportunityFactory,
    StageFactory,
    TaskFactory,
    TeamFactory,
    TermFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


def do(user: User, action: str, record: str, rows: list[Any], **params: Any) -> BulkAct:
    """Run an act on rows through its form, as the page does."""
    found = bulk.action_named(action, record)
    act = bulk.draft(user, found, record, bulk.keys_of(record, user, ids=[row.pk for row in rows]))
    if found.form_class is None:
        return bulk.start(act)
    form = found.form_class(params, user=user, record=record)
    assert form.is_valid(), form.errors
    return bulk.start(act, form.params(), form.words())


def figures(act: BulkAct) -> tuple[int, int, int]:
    return act.changed, act.unchanged, act.refused


@pytest.fixture
def boss():
    return UserFactory(role=Role.MARKETING_MANAGER)


def test_an_edit_does_what_a_form_does(boss):
    rows = [ContactFactory(lifecycle_stage="", seniority="manager") for _ in range(3)]
    same = ContactFactory(lifecycle_stage="lead")
    act = do(boss, "edit", "contact", [*rows, same], field="lifecycle_stage", value="lead")
    assert figures(act) == (3, 1, 0)
    assert act.title.startswith("Set Lifecycle stage to “Lead”")
    for row in rows:
        version = row.version
        row.refresh_from_db()
        assert row.lifecycle_stage == "lead"
        assert row.became_lead_at is not None
        assert row.version == version + 1
        assert FieldHistory.objects.filter(record_id=row.pk, field="lifecycle_stage", value="lead").exists()
    logged = RecordChange.objects.filter(batch=act.public_id)
    assert set(logged.values_list("record_id", flat=True)) == {row.pk for row in rows}
    assert {(change.via, change.actor_id) for change in logged} == {("bulk", boss.pk)}


def test_figures_recompute_bands_and_hierarchies(boss):
    parent = AccountFactory(employee_count=10)
    child = AccountFactory(employee_count=5, parent_account=parent)
    act = do(boss, "edit", "account", [child], field="employee_count", value="700")
    child.refresh_from_db()
    parent.refresh_from_db()
    assert figures(act) == (1, 0, 0)
    assert child.employee_band == "501-1000"
    assert parent.group_employee_count == 710


def test_undo_restores_only_what_nobody_touched_since(boss):
    rows = [ContactFactory(job_title=f"Title {n}") for n in range(3)]
    act = do(boss, "edit", "contact", rows, field="job_title", value="Buyer")
    touched = Contact.objects.get(pk=rows[1].pk)
    touched.job_title = "Head of buying"
    touched.save()
    act = bulk.start_undo(act)
    assert (act.state, act.restored, act.kept) == ("undone", 2, 1)
    titles = [Contact.objects.get(pk=row.pk).job_title for row in rows]
    assert titles == ["Title 0", "Head of buying", "Title 2"]
    kept = act.rows.get(outcome=BulkRow.Outcome.KEPT)
    assert kept.record_id == rows[1].pk
    assert "changed since" in kept.reason
    assert RecordChange.objects.filter(batch=act.public_id, action="undone").count() == 2
    assert not bulk.may_undo(act)


def test_undo_takes_back_what_followed(boss):
    row = ContactFactory(lifecycle_stage="")
    act = do(boss, "edit", "contact", [row], field="lifecycle_stage", value="mql")
    bulk.start_undo(act)
    row.refresh_from_db()
    assert (row.lifecycle_stage, row.became_mql_at) == ("", None)


def test_clearing_needs_to_be_said(boss):
    row = ContactFactory(seniority="manager")
    form_class = bulk.action_named("edit", "contact").form_class
    assert form_class is not None
    empty = form_class({"field": "seniority", "value": ""}, user=boss, record="contact")
    assert not empty.is_valid()
    assert "value" in empty.errors
    both = form_class({"field": "seniority", "value": "manager", "clear": "on"}, user=boss, record="contact")
    assert not both.is_valid()
    act = do(boss, "edit", "contact", [row], field="seniority", value="", clear="on")
    row.refresh_from_db()
    assert (figures(act), row.seniority) == ((1, 0, 0), "")
    never = form_class({"field": "account_type", "value": "", "clear": "on"}, user=boss, record="account")
    assert not never.is_valid()


@pytest.mark.parametrize("field", ["name", "domain", "owner", "deleted_at", "version", "email", "custom.none"])
def test_only_listed_fields_can_be_edited(boss, field):
    form_class = bulk.action_named("edit", "account").form_class
    assert form_class is not None
    assert not form_class({"field": field, "value": "x"}, user=boss, record="account").is_valid()


@pytest.mark.parametrize(
    ("type_", "value", "stored"),
    [
        ("text", "gold", "gold"),
        ("integer", "7", "7"),
        ("decimal", "7.25", "7.25"),
        ("boolean", "false", False),
        ("date", "2026-03-01", "2026-03-01"),
        ("enum", "a", "a"),
    ],
)
def test_custom_fields_are_edited_and_undone(boss, type_, value, stored):
    choices = ["a", "b"] if type_ == "enum" else None
    create_custom_field("contact", "rank", "Rank", type_, choices=choices)
    rows = [ContactFactory() for _ in range(2)]
    act = do(boss, "edit", "contact", rows, field="custom.rank", value=value)
    assert figures(act) == (2, 0, 0)
    assert ContactCustomValue.objects.count() == 2
    logged = RecordChange.objects.filter(batch=act.public_id).first()
    assert logged.changes == [{"field": "custom.rank", "old": None, "new": stored}]
    again = do(boss, "edit", "contact", rows, field="custom.rank", value=value)
    assert figures(again) == (0, 2, 0)
    act = bulk.start_undo(act)
    assert (act.restored, ContactCustomValue.objects.count()) == (2, 0)


def test_tags_are_added_and_removed_and_undone(boss):
    old, new = TermFactory(vocabulary="tag"), TermFactory(vocabulary="tag")
    rows = [AccountFactory() for _ in range(2)]
    AccountValue.objects.create(account=rows[0], field="tags", term=old)
    AccountValue.objects.create(account=rows[1], field="tags", term=new)
    act = do(boss, "add_tags", "account", rows, tags=[new.pk], new_tag="Fair 2026")
    assert figures(act) == (2, 0, 0)
    names = set(AccountValue.objects.filter(account=rows[0]).values_list("term__name", flat=True))
    assert names == {old.name, new.name, "Fair 2026"}
    bulk.start_undo(act)
    held = AccountValue.objects.order_by("account_id").values_list("account_id", "term_id")
    assert list(held) == [(rows[0].pk, old.pk), (rows[1].pk, new.pk)]
    act = do(boss, "remove_tags", "account", rows, tags=[new.pk])
    assert figures(act) == (1, 1, 0)


def test_multi_fields_are_set(boss):
    row = ContactFactory()
    act = do(boss, "edit", "contact", [row], field="buying_roles", value=["champion", "influencer"])
    assert figures(act) == (1, 0, 0)
    assert set(row.values_multi.values_list("token", flat=True)) == {"champion", "influencer"}
    bulk.start_undo(act)
    assert not row.values_multi.exists()


def test_owners_are_assigned_by_who_may(boss):
    rep, rows = UserFactory(role=Role.SALES_REP), [OpportunityFactory(owner=None) for _ in range(2)]
    act = do(boss, "assign", "opportunity", rows, owner=rep.pk)
    assert figures(act) == (2, 0, 0)
    rows[0].refresh_from_db()
    assert rows[0].owner_id == rep.pk
    bulk.start_undo(act)
    rows[0].refresh_from_db()
    assert rows[0].owner_id is None


def test_deleted_records_come_back_unless_their_address_is_taken(boss):
    rows = [ContactFactory(email=f"p{n}@kessler.example") for n in range(2)]
    act = do(boss, "delete", "contact", rows)
    assert figures(act) == (2, 0, 0)
    assert not Contact.objects.live().exists()
    ContactFactory(email="p1@kessler.example")
    act = bulk.start_undo(act)
    assert (act.restored, act.kept) == (1, 1)
    assert "has this e-mail address now" in act.rows.get(outcome=BulkRow.Outcome.KEPT).reason
    assert set(RecordChange.objects.filter(record_id=rows[0].pk).values_list("action", flat=True)) >= {
        "deleted",
        "restored",
    }


def test_a_lost_stage_without_reason_is_refused_with_words(boss):
    lost = StageFactory(is_lost=True)
    rows = [OpportunityFactory(lost_reason=None), OpportunityFactory(lost_reason=TermFactory(vocabulary="lost_reason"))]
    act = do(boss, "edit", "opportunity", rows, field="stage", value=lost.pk)
    assert figures(act) == (1, 0, 1)
    refused = act.rows.get(outcome=BulkRow.Outcome.REFUSED)
    assert refused.record_id == rows[0].pk
    assert refused.reason
    rows[1].refresh_from_db()
    assert rows[1].closed_at is not None


def test_a_circle_of_parents_is_refused(boss):
    top = AccountFactory()
    child = AccountFactory(parent_account=top)
    act = do(boss, "edit", "account", [top, child], field="parent_account", value=child.pk)
    assert (act.changed, act.refused) == (0, 2)


def test_a_rep_acts_on_own_records_only_and_neither_assigns_nor_deletes():
    rep = UserFactory(role=Role.SALES_REP, team=TeamFactory())
    mate = UserFactory(role=Role.SALES_MANAGER, team=rep.team)
    mine, foreign = ContactFactory(owner=rep), ContactFactory(owner=UserFactory())
    keys = bulk.keys_of("contact", rep, ids=[mine.pk, foreign.pk])
    assert list(keys) == [mine.pk]
    # A key that slipped into the frozen choice is refused at the run.
    act = bulk.draft(rep, bulk.action_named("edit", "contact"), "contact", BitMap([mine.pk, foreign.pk]))
    act = bulk.start(act, {"field": "job_title", "value": "Buyer"})
    assert figures(act) == (1, 0, 1)
    foreign.refresh_from_db()
    assert foreign.job_title != "Buyer"
    assert "no longer visible" in act.rows.get(outcome="refused").reason
    assert figures(do(mate, "edit", "contact", [mine], field="job_title", value="Chief")) == (1, 0, 0)
    assert {action.key for action in bulk.actions_for("contact", rep)} == {"edit", "add_tags", "remove_tags"}
    for action in ("assign", "delete"):
        draft = bulk.draft(rep, bulk.action_named(action, "contact"), "contact", BitMap([mine.pk]))
        with pytest.raises(PermissionDenied):
            bulk.start(draft, {"owner": None})
        assert BulkAct.objects.get(pk=draft.pk).state == "draft"
    assert bulk.actions_for("contact", UserFactory(role=Role.VIEWER)) == []


def test_a_rep_moves_no_record_out_of_sight():
    rep = UserFactory(role=Role.SALES_REP)
    account = AccountFactory(owner=rep)
    contact = ContactFactory(owner=None, account=account)
    kept = ContactFactory(owner=rep, account=account)
    act = do(rep, "edit", "contact", [contact, kept], field="account", value="", clear="on")
    assert figures(act) == (1, 0, 1)
    contact.refresh_from_db()
    kept.refresh_from_db()
    assert (contact.account_id, kept.account_id) == (account.pk, None)
    assert RecordChange.objects.filter(batch=act.public_id).count() == 1


def turns(act):
    """Run the act's job to its end as workers do: on a slow machine it takes more than one turn."""
    while (state := jobs.run(act.job_id)) == "queued":
        pass
    return state


def test_many_records_become_a_job_that_follows_the_frozen_choice(boss):
    rows = Contact.objects.bulk_create(Contact(last_name=f"P{n}", email=f"p{n}@x.example") for n in range(1200))
    keys = bulk.keys_of("contact", boss, everything=True, params={"without_account": "true"})
    assert len(keys) == 1200
    account = AccountFactory()
    act = bulk.draft(boss, bulk.action_named("edit", "contact"), "contact", keys)
    # The act changes the very field that the list was filtered by.
    act = bulk.start(act, {"field": "account", "value": account.pk}, "Set Account")
    assert act.state == "running"
    assert turns(act) == "done"
    act.refresh_from_db()
    assert (act.state, figures(act)) == ("done", (1200, 0, 0))
    assert Contact.objects.filter(account=account).count() == len(rows)
    act = bulk.start_undo(act)
    assert act.state == "undoing"
    assert turns(act) == "done"
    act.refresh_from_db()
    assert (act.state, act.restored) == ("undone", 1200)
    assert Contact.objects.filter(account=account).count() == 0


@pytest.mark.parametrize("change", [{"is_active": False}, {"role": Role.VIEWER}])
def test_a_user_who_may_no_more_stops_the_job_with_words(boss, change):
    Contact.objects.bulk_create(Contact(last_name=f"P{n}") for n in range(501))
    act = bulk.draft(
        boss, bulk.action_named("edit", "contact"), "contact", bulk.keys_of("contact", boss, everything=True)
    )
    act = bulk.start(act, {"field": "job_title", "value": "Buyer"})
    User.objects.filter(pk=boss.pk).update(**change)
    assert jobs.run(act.job_id) == "failed"
    job = Job.objects.get(pk=act.job_id)
    assert "It stopped" in job.error
    assert not Contact.objects.filter(job_title="Buyer").exists()


def test_tasks_are_completed_postponed_and_handed_over(boss):
    due = dt.datetime(2026, 1, 5, 9, tzinfo=dt.UTC)
    rows = [TaskFactory(due_at=due, owner=boss, done_at=None) for _ in range(2)]
    done = TaskFactory(due_at=due, owner=boss, done_at=due)
    later = (dt.date.today() + dt.timedelta(days=9)).isoformat()
    act = do(boss, "postpone", "task", [*rows, done], due_on=later)
    assert figures(act) == (2, 0, 1)
    bulk.start_undo(act)
    rows[0].refresh_from_db()
    assert rows[0].due_at == due
    act = do(boss, "complete", "task", [*rows, done])
    assert figures(act) == (2, 1, 0)
    bulk.start_undo(act)
    rows[1].refresh_from_db()
    assert rows[1].done_at is None
    other = UserFactory(role=Role.SALES_REP)
    assert figures(do(boss, "assign", "task", rows, owner=other.pk)) == (2, 0, 0)


def test_an_act_costs_few_queries_whatever_its_size(boss, django_assert_max_num_queries):
    rows = [ContactFactory() for _ in range(40)]
    action = bulk.action_named("edit", "contact")
    act = bulk.draft(boss, action, "contact", BitMap([row.pk for row in rows]))
    with django_assert_max_num_queries(40):
        bulk.start(act, {"field": "job_title", "value": "Buyer"})


# --- pages ---
def choose(client, action: str, rows: list[Any], record: str = "contact", **data: Any):
    fields = {"record": record, "action": action, "pks": ",".join(str(row.pk) for row in rows), **data}
    return client.post(reverse("bulk:choose"), fields, follow=True)


def test_the_page_says_how_many_and_runs_the_act(boss, client):
    client.force_login(boss)
    rows = [ContactFactory(last_name=f"Person {n}") for n in range(7)]
    page = choose(client, "delete", rows, back="/contacts/?search=x")
    text = page.content.decode()
    assert "Delete: 7 contacts" in text
    assert "and 2 more" in text
    done = client.post(page.request["PATH_INFO"], follow=True)
    assert Contact.objects.live().count() == 0
    assert "/contacts/?search=x" in done.content.decode()
    act = BulkAct.objects.get()
    undone = client.post(reverse("bulk:undo", args=[act.public_id]), follow=True)
    assert undone.status_code == 200
    assert Contact.objects.live().count() == 7


def test_htmx_gets_the_dialog_and_is_led_to_the_result(boss, client):
    client.force_login(boss)
    row = ContactFactory()
    data = {"record": "contact", "action": "edit", "pks": str(row.pk)}
    dialog = client.post(reverse("bulk:choose"), data, headers={"HX-Request": "true"})
    assert b"<html" not in dialog.content
    assert b"has-error" not in dialog.content
    act = BulkAct.objects.get()
    url = reverse("bulk:act", args=[act.public_id])
    assert b'name="value"' in client.get(f"{url}?field=seniority", headers={"HX-Request": "true"}).content
    wrong = client.post(url, {"field": "seniority", "value": "king"}, headers={"HX-Request": "true"})
    assert b"has-error" in wrong.content
    right = client.post(url, {"field": "seniority", "value": "vp"}, headers={"HX-Request": "true"})
    assert right.headers["HX-Redirect"] == url
    row.refresh_from_db()
    assert row.seniority == "vp"


def test_all_matching_is_more_than_the_page(boss, client):
    client.force_login(boss)
    Contact.objects.bulk_create(Contact(last_name=f"P{n}", country="DE") for n in range(70))
    ContactFactory(country="FR")
    page = choose(client, "delete", [], all="1", query="country=DE")
    assert "Delete: 70 contacts" in page.content.decode()


def test_acts_belong_to_their_maker(boss, client):
    act = bulk.draft(boss, bulk.action_named("delete", "contact"), "contact", BitMap([ContactFactory().pk]))
    for role in Role.values:
        client.force_login(UserFactory(role=role))
        for name, method in (("act", "get"), ("act", "post"), ("undo", "post"), ("refused", "get")):
            assert getattr(client, method)(reverse(f"bulk:{name}", args=[act.public_id])).status_code == 404
    assert client.get(reverse("bulk:act", args=[uuid.uuid4()])).status_code == 404
    assert Contact.objects.live().count() == 1


def test_refused_records_can_be_downloaded_without_formulas(boss, client):
    client.force_login(boss)
    lost = StageFactory(is_lost=True)
    deal = OpportunityFactory(name="=HYPERLINK(1)", lost_reason=None)
    act = do(boss, "edit", "opportunity", [deal], field="stage", value=lost.pk)
    text = client.get(reverse("bulk:refused", args=[act.public_id])).content.decode()
    assert f"{deal.pk},'=HYPERLINK(1),Refused," in text
    shown = client.get(reverse("bulk:act", args=[act.public_id])).content.decode()
    assert "=HYPERLINK(1)" in shown


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"record": "contact"},
        {"record": "nothing", "action": "edit"},
        {"record": "activity", "action": "edit", "pks": "1"},
        {"record": "contact", "action": "edit", "pks": "99999999999999999999"},
        {"record": "contact", "action": "edit", "pks": "1 OR 1=1"},
        {"record": "contact", "action": "edit", "all": "1", "query": "nonsense=1"},
        {"record": "contact", "action": "edit", "all": "1", "query": "rules=%7B"},
    ],
)
def test_nonsense_never_breaks_the_server(boss, client, data):
    client.force_login(boss)
    assert client.post(reverse("bulk:choose"), data).status_code in (302, 404)
    assert not BulkAct.objects.exists()
