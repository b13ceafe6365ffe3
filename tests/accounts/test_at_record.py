"""What hangs on a record is the same, whether asked with the whole condition or knowing that the record is seen."""

import datetime as dt

import pytest
from django.utils import timezone

from accounts import queries
from accounts.models import (
    Account,
    AccountTechnology,
    Activity,
    Attachment,
    Consent,
    Contact,
    ContactAccount,
    Contract,
    Evidence,
    Need,
    Note,
    Opportunity,
    OpportunityContact,
    OpportunityLine,
    Purchase,
    SupportCase,
    SurveyAnswer,
    Task,
)
from accounts.queries.at_record import _FURTHER, activities_of_seen_contacts, rows_at
from accounts.queries.attachments import attachments_visible_to
from accounts.queries.evidence import evidence_visible_to
from tests import factories
from tests.factories import TerritoryFactory, UserFactory

pytestmark = pytest.mark.django_db

VISIBLE = {
    Contact: queries.contacts_visible_to,
    Opportunity: queries.opportunities_visible_to,
    Activity: queries.activities_visible_to,
    Purchase: queries.purchases_visible_to,
    Contract: queries.contracts_visible_to,
    SupportCase: queries.support_cases_visible_to,
    AccountTechnology: queries.technologies_visible_to,
    Need: queries.needs_visible_to,
    SurveyAnswer: queries.survey_answers_visible_to,
    Evidence: evidence_visible_to,
    Task: queries.tasks_visible_to,
    Note: queries.notes_visible_to,
    Attachment: attachments_visible_to,
    Consent: queries.consents_visible_to,
    ContactAccount: queries.contact_accounts_visible_to,
    OpportunityContact: queries.opportunity_contacts_visible_to,
    OpportunityLine: queries.opportunity_lines_visible_to,
}
RECORDS = {
    Account: queries.accounts_visible_to,
    Contact: queries.contacts_visible_to,
    Opportunity: queries.opportunities_visible_to,
}


@pytest.fixture
def people():
    rep, other = UserFactory(role="sales_rep"), UserFactory(role="sales_rep")
    territory = TerritoryFactory(countries=["DE"], region_slugs=[])
    territory.users.add(rep)
    manager = UserFactory(role="sales_manager", team=rep.team)
    return [UserFactory(role="admin"), manager, rep, other, UserFactory(role="viewer")]


@pytest.fixture
def world(people):
    """Every kind of row at every mix of accounts, people and deals: of one's own, of others, of nobody, gone."""
    owners = [people[2], people[3], None]
    accounts = [factories.AccountFactory(owner=owner) for owner in owners]
    accounts.append(factories.AccountFactory(owner=people[3], country="DE"))
    accounts.append(factories.AccountFactory(owner=people[2], deleted_at=timezone.now()))
    contacts = [
        factories.ContactFactory(account=account, owner=owner) for account in (*accounts, None) for owner in owners
    ]
    contacts[1].deleted_at = timezone.now()
    contacts[1].save()
    deals = [
        factories.OpportunityFactory(account=account, owner=owner) for account in (*accounts, None) for owner in owners
    ]
    for number, contact in enumerate(contacts):
        for account in (accounts[number % len(accounts)], None):
            deal = deals[(number * 7) % len(deals)]
            user = people[2] if number % 5 == 0 else None
            Activity.objects.create(
                type="call", occurred_at=timezone.now(), contact=contact, account=account, opportunity=deal, user=user
            )
            Activity.objects.create(type="call", occurred_at=timezone.now(), account=account, opportunity=deal)
            Purchase.objects.create(contact=contact, account=account, opportunity=deal, ordered_at=timezone.now())
            SupportCase.objects.create(contact=contact, account=account, opened_at=timezone.now())
            factories.NeedFactory(contact=None if account else contact, account=account)
            gone = timezone.now() if number % 3 == 0 else None
            on = {"account": account} if account else {"contact": contact}
            for where in (on, {"opportunity": deal}):
                Note.objects.create(text="n", deleted_at=gone, **where)
                Task.objects.create(title="t", owner=people[3], **where)
                factories.AttachmentFactory(deleted_at=gone, **{"account": None, **where})
        factories.OpportunityContactFactory(opportunity=deals[number % len(deals)], contact=contact)
        factories.OpportunityContactFactory(opportunity=deals[(number + 4) % len(deals)], contact=contact)
        ContactAccount.objects.get_or_create(
            contact=contact, account=accounts[(number + 2) % len(accounts)], relation="consultant"
        )
        Consent.objects.create(contact=contact, channel="email", status="granted", at=timezone.now())
    for account in accounts:
        factories.AccountTechnologyFactory(account=account)
        Contract.objects.create(account=account, starts_on=dt.date(2026, 1, 1))
    for deal in deals:
        factories.OpportunityLineFactory(opportunity=deal)


def test_the_rows_at_a_record_are_those_of_the_whole_condition(people, world):
    compared = 0
    for user in people:
        for kind, by_model in _FURTHER.items():
            for record in RECORDS[kind](user).order_by("pk"):
                for model in by_model:
                    column = str(kind._meta.model_name)
                    whole = set(VISIBLE[model](user).filter(**{column: record.pk}).values_list("pk", flat=True))
                    short = list(rows_at(user, record, model).values_list("pk", flat=True))
                    assert sorted(short) == sorted(whole), (user.role, kind, record.pk, model)
                    compared += len(whole)
    assert compared > 500


def test_the_activities_of_seen_people_are_those_of_the_whole_condition(people, world):
    for user in people:
        seen = list(queries.contacts_visible_to(user).values_list("pk", flat=True))
        whole = queries.activities_visible_to(user).filter(contact__in=seen)
        short = activities_of_seen_contacts(user).filter(contact__in=seen)
        assert sorted(short.values_list("pk", flat=True)) == sorted(whole.values_list("pk", flat=True)), user.role


def test_what_does_not_hang_on_a_record_is_refused(people):
    with pytest.raises(KeyError):
        rows_at(people[0], factories.ContactFactory(), Contract)
