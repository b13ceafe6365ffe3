"""A changed primary account is a job change, whoever writes it: history stays, deals lose their champion."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from accounts.choices import BuyingRole
from accounts.imports.options import ImportOptions
from accounts.imports.service import import_file
from accounts.models import Activity, ContactAccount, Opportunity
from accounts.services.contacts import change_job
from accounts.services.saving import after_bulk_write
from segmentation_crm.common.models import Notification
from tests import factories
from tests.segments.making import three_people

pytestmark = pytest.mark.django_db


@pytest.fixture
def people():
    return three_people()


@pytest.fixture
def old(people):
    return factories.AccountFactory(name="Old Corp", owner=people[0])


@pytest.fixture
def new(people):
    return factories.AccountFactory(name="New Corp", owner=people[0])


@pytest.fixture
def champion(old, people):
    return factories.ContactFactory(
        account=old, owner=people[0], first_name="Cleo", last_name="Champion", job_title="CTO"
    )


@pytest.fixture
def deal(old, champion, people):
    deal = factories.OpportunityFactory(account=old, owner=people[0], name="Big deal")
    factories.OpportunityContactFactory(opportunity=deal, contact=champion, role=BuyingRole.CHAMPION)
    return deal


def by_form(client, champion, new):
    form = client.get(reverse("accounts:contact_edit", args=[champion.pk])).context["form"]
    data = {name: form[name].value() for name in form.fields}
    data = {name: value for name, value in data.items() if value not in (None, False)}
    response = client.post(reverse("accounts:contact_edit", args=[champion.pk]), {**data, "account": new.pk})
    assert response.status_code == 302, response.context["form"].errors


def by_page(client, champion, new):
    champion.refresh_from_db()
    url = reverse("accounts:contact_job_edit", args=[champion.pk])
    response = client.post(url, {"account": new.pk, "job_title": "CEO", "version": champion.version})
    assert response.status_code == 302


def by_api(client, champion, new):
    url = f"/api/v1/contacts/{champion.pk}/"
    response = client.patch(url, {"account": new.pk}, content_type="application/json")
    assert response.status_code == 200, response.content


def by_import(client, champion, new, tmp_path):
    path = tmp_path / "contacts.csv"
    path.write_text(f"email,account\n{champion.email},{new.name}\n")
    result = import_file(path, ImportOptions("contacts"))
    assert result.record.rows_updated == 1


WAYS = {"form": by_form, "page": by_page, "api": by_api, "import": by_import}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_keeps_history_and_flags_the_deal(client, people, champion, deal, old, new, way, tmp_path):
    alice, _, _ = people
    client.force_login(alice)
    activity = factories.ActivityFactory(contact=champion)
    assert activity.account == old
    more = (tmp_path,) if way == "import" else ()
    WAYS[way](client, champion, new, *more)
    champion.refresh_from_db()
    assert champion.account == new
    activity.refresh_from_db()
    assert activity.account == old
    jobs = {job.account: job for job in ContactAccount.objects.filter(contact=champion)}
    assert jobs[old].ended_on is not None
    assert (jobs[new].ended_on, jobs[new].started_on) == (None, jobs[old].ended_on)
    deal.refresh_from_db()
    assert (deal.champion_left, deal.champion_left_on) == (champion, jobs[old].ended_on)
    told = Notification.objects.get(user=alice, kind="champion_left")
    assert "Big deal" in told.title
    assert told.url == reverse("accounts:opportunity_detail", args=[deal.pk])


def test_only_open_deals_of_the_old_account_where_the_person_was_champion(champion, old, new, people):
    def in_deal(role=BuyingRole.CHAMPION, **values):
        found = factories.OpportunityFactory(**{"account": old, "owner": people[0], **values})
        factories.OpportunityContactFactory(opportunity=found, contact=champion, role=role)
        return found

    champion_of = in_deal()
    user_in = in_deal(role=BuyingRole.END_USER)
    in_deal(stage=factories.StageFactory(is_won=True))
    in_deal(account=factories.AccountFactory())
    change_job(champion, new)
    flagged = set(Opportunity.objects.filter(champion_left=champion))
    assert flagged == {champion_of}
    assert user_in not in flagged


def test_a_champion_in_general_counts_in_every_deal_they_are_in(champion, old, new, people):
    factories.ContactValueFactory(contact=champion, token=BuyingRole.CHAMPION)
    deal = factories.OpportunityFactory(account=old)
    factories.OpportunityContactFactory(opportunity=deal, contact=champion, role=BuyingRole.END_USER)
    not_in = factories.OpportunityFactory(account=old)
    change_job(champion, new)
    assert set(Opportunity.objects.filter(champion_left=champion)) == {deal}
    assert not_in.champion_left_id is None
    assert not champion.values_multi.filter(field="buying_roles").exists()


def test_a_new_champion_clears_the_flag_the_old_one_does_not(champion, deal, old, new):
    change_job(champion, new, on=dt.date(2026, 3, 1))
    row = deal.contact_roles.get()
    row.influence = 5
    row.save()
    deal.refresh_from_db()
    assert deal.champion_left == champion
    successor = factories.ContactFactory(account=old)
    factories.OpportunityContactFactory(opportunity=deal, contact=successor, role=BuyingRole.INFLUENCER)
    deal.refresh_from_db()
    assert deal.champion_left == champion
    version = deal.version
    factories.OpportunityContactFactory(opportunity=deal, contact=successor, role=BuyingRole.CHAMPION)
    deal.refresh_from_db()
    assert (deal.champion_left, deal.champion_left_on, deal.version) == (None, None, version + 1)


def test_bulk_written_champions_clear_the_flag_too(champion, deal, old, new):
    change_job(champion, new)
    factories.models.OpportunityContact.objects.bulk_create(
        [factories.models.OpportunityContact(opportunity=deal, contact=factories.ContactFactory(), role="champion")]
    )
    after_bulk_write("contact_role", [deal.pk])
    deal.refresh_from_db()
    assert deal.champion_left_on is None


def test_leaving_for_nowhere_and_coming_back(champion, deal, old):
    change_job(champion, None, on=dt.date(2026, 1, 5))
    assert ContactAccount.objects.get(contact=champion).ended_on == dt.date(2026, 1, 5)
    change_job(champion, old, on=dt.date(2026, 2, 1), job_title="Back")
    jobs = list(ContactAccount.objects.filter(contact=champion, account=old).order_by("pk"))
    assert [(job.started_on, job.ended_on) for job in jobs] == [
        (None, dt.date(2026, 1, 5)),
        (dt.date(2026, 2, 1), None),
    ]


def test_a_saved_name_is_no_job_change(champion, deal):
    champion.last_name = "Other"
    champion.save()
    champion.account = factories.AccountFactory()
    champion.save(update_fields=["first_name"])
    deal.refresh_from_db()
    assert deal.champion_left_id is None
    assert ContactAccount.objects.get(contact=champion).ended_on is None


def test_email_and_roles_on_the_page(client, people, champion, new):
    alice, bob, charlie = people
    factories.ContactValueFactory(contact=champion, token=BuyingRole.CHAMPION)
    champion.refresh_from_db()
    url = reverse("accounts:contact_job_edit", args=[champion.pk])
    for viewer, status in ((charlie, 404), (factories.UserFactory(role="viewer"), 403), (bob, 200), (alice, 200)):
        client.force_login(viewer)
        assert client.get(url).status_code == status
    data = {"account": new.pk, "version": champion.version, "job_title": "CEO"}
    taken = factories.ContactFactory(email="taken@new.example")
    tomorrow = (timezone.localdate() + dt.timedelta(days=2)).isoformat()
    for wrong in (
        {"account": champion.account_id},
        {"account": factories.AccountFactory(name="Hidden", owner=charlie).pk},
        {"email": "no address"},
        {"email": taken.email},
        {"on": tomorrow},
        {"version": champion.version - 1},
    ):
        response = client.post(url, {**data, **wrong})
        assert response.status_code == 422, wrong
        assert "Hidden" not in response.content.decode()
    client.post(url, {**data, "email": "Cleo@New.example", "keep_roles": "on", "on": "2026-05-04"})
    champion.refresh_from_db()
    assert (champion.email, champion.account, champion.job_title) == ("cleo@new.example", new, "CEO")
    assert champion.values_multi.filter(field="buying_roles").count() == 1
    assert ContactAccount.objects.get(contact=champion, account=new).started_on == dt.date(2026, 5, 4)


def test_an_address_that_ended_is_taken_off(champion, new):
    champion.deliverability = "valid"
    change_job(champion, new, old_email_ends=True)
    champion.refresh_from_db()
    assert (champion.email, champion.deliverability) == ("", "unknown")


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=st.lists(st.integers(min_value=0, max_value=3), min_size=1, max_size=6))
@example(moves=[0, 1, 0])
def test_activities_never_move(moves):
    """Whatever jobs a person takes, each activity stays where it happened and at most one job runs."""
    accounts = [None, *(factories.AccountFactory() for _ in range(3))]
    contact = factories.ContactFactory(account=accounts[1])
    happened = {}
    for move in moves:
        activity = factories.ActivityFactory(contact=contact)
        happened[activity.pk] = activity.account_id
        change_job(contact, accounts[move])
        jobs = ContactAccount.objects.filter(contact=contact, ended_on__isnull=True)
        assert [job.account_id for job in jobs] == ([contact.account_id] if contact.account_id else [])
    assert dict(Activity.objects.filter(contact=contact).values_list("pk", "account_id")) == happened
