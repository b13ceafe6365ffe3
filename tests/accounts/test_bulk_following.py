"""What a bulk act lets follow: the log that names its undo, job changes, stages; and the job's way to the act."""

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import Contact, ContactAccount, FieldHistory, RecordChange
from segmentation_crm.common import bulk
from segmentation_crm.common.models import Job, Role
from tests.accounts.test_bulk_editing import do, figures
from tests.factories import (
    AccountFactory,
    ContactFactory,
    OpportunityContactFactory,
    OpportunityFactory,
    StageFactory,
    TermFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss():
    return UserFactory(role=Role.MARKETING_MANAGER)


def logged(act, *, undone):
    rows = RecordChange.objects.filter(batch=act.public_id)
    return rows.filter(undone_by__isnull=not undone)


@pytest.mark.parametrize(
    ("action", "record", "params"),
    [
        ("edit", "contact", {"field": "job_title", "value": "Buyer"}),
        ("edit", "contact", {"field": "buying_roles", "value": ["champion"]}),
        ("assign", "contact", {}),
        ("add_tags", "contact", {}),
        ("delete", "contact", {}),
    ],
)
def test_the_log_of_an_act_names_the_undo_that_took_it_back(boss, action, record, params):
    rows = [ContactFactory(job_title="Chief") for _ in range(3)]
    params = dict(params)
    if action == "assign":
        params["owner"] = UserFactory().pk
    if action == "add_tags":
        params["tags"] = [TermFactory(vocabulary="tag").pk]
    act = do(boss, action, record, rows, **params)
    assert figures(act)[0] == 3
    originals = set(RecordChange.objects.filter(batch=act.public_id).values_list("pk", flat=True))
    assert not logged(act, undone=True).exists()
    bulk.start_undo(act)
    undone = {row.pk: row.undone_by for row in logged(act, undone=True).select_related("undone_by")}
    assert set(undone) == originals
    for row in RecordChange.objects.filter(pk__in=originals):
        assert undone[row.pk].record_id == row.record_id
        assert undone[row.pk].pk not in originals


def test_what_the_undo_left_alone_is_not_marked(boss):
    rows = [ContactFactory(job_title="Chief") for _ in range(2)]
    act = do(boss, "edit", "contact", rows, field="job_title", value="Buyer")
    touched = Contact.objects.get(pk=rows[1].pk)
    touched.job_title = "Head"
    touched.save()
    bulk.start_undo(act)
    assert list(logged(act, undone=True).values_list("record_id", flat=True)) == [rows[0].pk]


def test_a_new_account_for_many_is_a_change_of_job_each_and_is_undone(boss):
    old, new = AccountFactory(), AccountFactory()
    champion, other = ContactFactory(account=old), ContactFactory(account=old)
    deal = OpportunityFactory(account=old, stage=StageFactory(is_open=True))
    OpportunityContactFactory(opportunity=deal, contact=champion, role="champion")
    act = do(boss, "edit", "contact", [champion, other], field="account", value=new.pk)
    assert figures(act) == (2, 0, 0)
    deal.refresh_from_db()
    assert deal.champion_left == champion
    ended = ContactAccount.objects.filter(account=old, ended_on__isnull=False)
    assert set(ended.values_list("contact_id", flat=True)) == {champion.pk, other.pk}
    bulk.start_undo(act)
    assert set(Contact.objects.filter(account=old)) == {champion, other}
    assert logged(act, undone=True).count() == 2


def test_a_stage_for_many_moves_each_deal_as_the_board_does(boss):
    won = StageFactory(is_won=True)
    deal = OpportunityFactory(stage=StageFactory(is_open=True))
    assert figures(do(boss, "edit", "opportunity", [deal], field="stage", value=won.pk)) == (1, 0, 0)
    deal.refresh_from_db()
    assert deal.closed_at is not None
    assert FieldHistory.objects.filter(record_id=deal.pk, field="stage", value=won.slug).exists()


def test_the_page_of_its_job_leads_to_the_act(boss, client):
    rows = [ContactFactory() for _ in range(2)]
    act = bulk.draft(
        boss, bulk.action_named("edit", "contact"), "contact", bulk.keys_of("contact", boss, ids=[r.pk for r in rows])
    )
    act.job = Job.objects.create(kind="bulk.run", title="Set Title", created_by=boss, due_at=timezone.now())
    act.save(update_fields=["job"])
    page = reverse("jobs:detail", args=[act.job.public_id])
    client.force_login(boss)
    assert reverse("bulk:act", args=[act.public_id]) in client.get(page).content.decode()
    client.force_login(UserFactory())  # an admin sees every job, not what others did with it
    shown = client.get(page)
    assert shown.status_code == 200
    assert reverse("bulk:act", args=[act.public_id]) not in shown.content.decode()
