"""The committee of an account: roles of people and of open deals, coverage of the template, giving roles."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.queries.committee import committee_of
from segmentation_crm.common.models import Role
from tests.factories import (
    AccountFactory,
    ActivityFactory,
    ContactFactory,
    ContactValueFactory,
    OpportunityContactFactory,
    OpportunityFactory,
    PipelineFactory,
    RoleTemplateFactory,
    RoleTemplateRoleFactory,
    StageFactory,
    TeamFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin():
    return UserFactory()


def person(account, role="", **values):
    contact = ContactFactory(account=account, **values)
    if role:
        ContactValueFactory(contact=contact, field="buying_roles", token=role)
    return contact


def people_in(committee, group):
    return [member.contact for value, _, members in committee.groups if value == group for member in members]


def log_in(client, user):
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_coverage_counts_groups_of_the_template_and_who_engaged(admin):
    account = AccountFactory()
    buyer, user = person(account, "economic_buyer"), person(account, "end_user")
    person(account, "gatekeeper")
    person(account)
    ActivityFactory(contact=buyer, type="email_reply")
    ActivityFactory(contact=user, type="email_reply", occurred_at=timezone.now() - dt.timedelta(days=120))
    ActivityFactory(contact=user, type="email_open")
    ActivityFactory(contact=user, type="form_submit", bot_suspected=True)
    found = committee_of(account, admin)
    assert (found.covered, found.covered_engaged, len(found.wants)) == (2, 1, 4)
    assert [want.label for want in found.missing] == ["Executive", "Technical"]
    assert found.missing[1].suggested_role == "technical_decision_maker"
    assert people_in(found, "financial") == [buyer]
    assert len(found.unassigned) == 1


def test_roles_of_open_deals_count_with_stance_and_influence_closed_ones_do_not(admin):
    account = AccountFactory()
    deal = OpportunityFactory(account=account, name="Rollout", stage=StageFactory())
    lost = OpportunityFactory(account=account, stage=StageFactory(is_lost=True))
    outside = ContactFactory(account=AccountFactory())
    champion = person(account)
    OpportunityContactFactory(opportunity=deal, contact=champion, role="champion", stance="supporter", influence=5)
    OpportunityContactFactory(opportunity=deal, contact=outside, role="technical_decision_maker", stance="opposed")
    OpportunityContactFactory(opportunity=lost, contact=champion, role="decision_maker")
    found = committee_of(account, admin)
    [member] = [m for _, _, members in found.groups for m in members if m.contact == champion]
    part = member.parts["champion"]
    assert (part.stance, part.influence, part.deals) == ("Supporter", 5, ["Rollout"])
    assert people_in(found, "technical") == [outside]
    assert people_in(found, "executive") == []


def test_the_template_of_the_deals_pipeline_is_asked_first(admin):
    account = AccountFactory()
    pipeline = PipelineFactory()
    template = RoleTemplateFactory(name="Enterprise", pipeline=pipeline)
    RoleTemplateRoleFactory(template=template, role_group="", role="champion", minimum=2)
    OpportunityFactory(
        account=account, pipeline=pipeline, stage=StageFactory(pipeline=pipeline), opened_on=dt.date(2026, 1, 1)
    )
    person(account, "champion")
    found = committee_of(account, admin)
    assert found.template == "Enterprise"
    assert [(want.label, want.have, want.is_covered) for want in found.wants] == [("Champion", 1, False)]


def test_the_map_takes_the_same_queries_however_many_people(client, admin, django_assert_max_num_queries):
    account = AccountFactory()
    for number in range(12):
        person(account, ("champion", "economic_buyer", "end_user")[number % 3])
    url = reverse("accounts:account_detail", args=[account.pk])
    log_in(client, admin).get(url, {"tab": "committee"})
    with django_assert_max_num_queries(22):
        text = client.get(url, {"tab": "committee"}).content.decode()
    assert "2 of 4" in text
    assert f"account={account.pk}&amp;role=technical_decision_maker" in text


def test_a_role_is_given_and_taken_by_one_post(client, admin):
    contact = person(AccountFactory(), "champion")
    add = reverse("accounts:contact_role_add", args=[contact.pk])
    remove = reverse("accounts:contact_role_remove", args=[contact.pk])
    log_in(client, admin)
    back = client.post(add, {"role": "blocker", "next": "https://evil.example/"})
    assert back.url == reverse("accounts:account_detail", args=[contact.account_id]) + "?tab=committee"
    assert set(contact.values_multi.values_list("token", flat=True)) == {"champion", "blocker"}
    client.post(add, {"role": "boss"})
    client.post(remove, {"role": "champion"})
    assert set(contact.values_multi.values_list("token", flat=True)) == {"blocker"}


def test_three_people_and_roles(client):
    alice = UserFactory(role=Role.SALES_REP, team=TeamFactory())
    contact = person(AccountFactory(owner=alice))
    url = reverse("accounts:contact_role_add", args=[contact.pk])
    for user, status in (
        (alice, 302),
        (UserFactory(role=Role.SALES_MANAGER, team=alice.team), 302),
        (UserFactory(role=Role.SALES_REP, team=TeamFactory()), 404),
        (UserFactory(role=Role.VIEWER), 403),
    ):
        assert log_in(client, user).post(url, {"role": "champion"}).status_code == status


def test_a_person_one_may_not_see_is_not_on_the_map(client):
    alice = UserFactory(role=Role.SALES_REP, team=TeamFactory())
    account = AccountFactory(owner=alice)
    deal = OpportunityFactory(account=account, stage=StageFactory())
    hidden = ContactFactory(account=AccountFactory(), last_name="Verborgen")
    OpportunityContactFactory(opportunity=deal, contact=hidden, role="champion")
    assert people_in(committee_of(account, alice), "user") == []
    page = log_in(client, alice).get(reverse("accounts:account_detail", args=[account.pk]), {"tab": "committee"})
    assert "Verborgen" not in page.content.decode()


def test_add_a_contact_for_a_missing_role_is_filled_in(client, admin):
    account = AccountFactory()
    page = log_in(client, admin).get(reverse("accounts:contact_new"), {"account": account.pk, "role": "champion"})
    assert page.context["form"].initial["buying_roles"] == ["champion"]
