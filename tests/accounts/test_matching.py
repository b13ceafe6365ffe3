"""Lead-to-account matching: one rule for forms, API, imports and the job."""

import datetime as dt

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from accounts.models import Account, AccountValue, Contact
from accounts.services.contacts import change_job
from accounts.services.matching import (
    accept_proposed_account,
    assign_domain,
    match_accounts,
    queue_matching,
    refuse_proposed_account,
    without_legal_form,
)
from segmentation_crm.common import jobs
from segmentation_crm.common.models import JobState, Organisation
from tests import factories

pytestmark = pytest.mark.django_db


def person(email="", company="", **kwargs):
    """Return a contact without account, saved."""
    return factories.ContactFactory(account=None, email=email, company_name_given=company, **kwargs)


def bulk_person(email="", company=""):
    """Return a contact written past every signal, as a bulk writer does."""
    contact = factories.ContactFactory.build(account=None, owner=None, email=email, company_name_given=company)
    contact.email_domain = email.partition("@")[2]
    Contact.objects.bulk_create([contact])
    return Contact.objects.get(email=email)


@pytest.fixture
def acme():
    """An account with a domain and a legal form."""
    return factories.AccountFactory(name="Acme GmbH & Co. KG", domain="acme.example")


def test_a_saved_contact_gets_the_account_of_its_domain(acme):
    contact = person("a@acme.example")
    assert contact.account == acme
    assert [link.account for link in contact.account_links.all()] == [acme]


@pytest.mark.parametrize("company", ["Acme GmbH & Co. KG", "ACME", " acme gmbh ", "Acme Inc."])
def test_a_company_name_only_proposes(acme, company):
    contact = person("a@gmail.com", company)
    assert (contact.account, contact.proposed_account) == (None, acme)
    accept_proposed_account(contact)
    contact.refresh_from_db()
    assert (contact.account, contact.proposed_account) == (acme, None)


def test_two_accounts_of_one_name_or_domain_propose_nothing(acme):
    factories.AccountFactory(name="Acme AG", domain="acme.test")
    assert person("x@gmail.com", "Acme").proposed_account is None
    factories.AccountValueFactory(
        account=factories.AccountFactory(domain="third.example"), field="email_domains", token="acme.example"
    )
    assert person("x@acme.example").account is None


def test_a_refused_proposal_never_comes_back(acme):
    contact = person("a@gmail.com", "Acme")
    refuse_proposed_account(contact)
    assert match_accounts() == {"matched": 0, "proposed": 0}
    contact.refresh_from_db()
    contact.company_name_given = "ACME GmbH"
    contact.save()
    assert (contact.account, contact.proposed_account) == (None, None)


def test_free_mail_says_nothing_and_its_list_is_the_organisations(acme):
    factories.AccountFactory(name="Gmail", domain="gmail.com")
    assert person("a@gmail.com").account is None
    organisation = Organisation.current()
    organisation.free_mail_domains = ["acme.example"]
    organisation.save()
    assert person("b@acme.example").account is None
    assert person("c@gmail.com").account.name == "Gmail"


def test_a_new_account_takes_the_people_who_waited():
    waiting, named = person("a@late.example"), person("b@gmail.com", "Late Ltd")
    account = factories.AccountFactory(name="Late", domain="late.example")
    waiting.refresh_from_db()
    named.refresh_from_db()
    assert (waiting.account, named.account, named.proposed_account) == (account, None, account)


def test_who_is_taken_off_an_account_stays_off(acme):
    contact = person("a@acme.example")
    change_job(contact, None, on=dt.date(2026, 3, 1))
    contact.first_name = "Other"
    contact.save()
    assert contact.account is None


def test_bulk_matching_follows_the_same_rule_and_is_idempotent(acme):
    made = [
        bulk_person("1@acme.example"),
        bulk_person("2@gmail.com", "Acme"),
        bulk_person("3@nowhere.example", "Nobody"),
    ]
    assert match_accounts() == {"matched": 1, "proposed": 1}
    assert match_accounts() == {"matched": 0, "proposed": 0}
    for contact in made:
        contact.refresh_from_db()
    assert [contact.account for contact in made] == [acme, None, None]
    assert [contact.proposed_account for contact in made] == [None, acme, None]
    for contact in made:
        single = person(contact.email.replace("@", "s@"), contact.company_name_given)
        assert (single.account, single.proposed_account) == (contact.account, contact.proposed_account)


def test_a_domain_assigned_to_an_account_matches_now_and_later(acme):
    waiting = person("a@acme-labs.example")
    assert assign_domain("acme-labs.example", acme) == {"matched": 1, "proposed": 0}
    waiting.refresh_from_db()
    assert waiting.account == acme
    assert person("b@acme-labs.example").account == acme
    assert AccountValue.objects.filter(account=acme, field="email_domains", token="acme-labs.example").count() == 1


@pytest.mark.parametrize(
    ("domain", "words"), [("gmail.com", "free-mail"), ("no domain", "no domain"), ("taken.example", "has the domain")]
)
def test_a_domain_that_cannot_be_assigned_is_refused_with_words(acme, domain, words):
    factories.AccountFactory(name="Taken", domain="taken.example")
    with pytest.raises(ValidationError) as error:
        assign_domain(domain, acme)
    assert words in error.value.message_dict["domain"][0]


@pytest.mark.parametrize(
    ("name", "core"),
    [("acme co. kg", "acme"), ("acme, inc.", "acme"), ("ag", "ag"), ("sas institute inc", "sas institute")],
)
def test_legal_forms_go_from_the_end_of_a_name_only(name, core):
    assert without_legal_form(name) == core


def test_a_batch_costs_a_fixed_number_of_queries(acme, django_assert_max_num_queries):
    people = [factories.ContactFactory.build(account=None, owner=None, email=f"p{i}@acme.example") for i in range(200)]
    for one in people:
        one.email_domain = "acme.example"
    Contact.objects.bulk_create(people)
    with django_assert_max_num_queries(20):
        assert match_accounts()["matched"] == 200
    assert Account.objects.get(pk=acme.pk).contacts.count() == 200


# --- the page: a writer who sees, one of the team who sees, one who does not ---
@pytest.fixture
def team():
    """A rep with an unmatched contact, the manager of the rep's team, and a rep of another team."""
    here, there = factories.TeamFactory(), factories.TeamFactory()
    rep = factories.UserFactory(role="sales_rep", team=here)
    manager = factories.UserFactory(role="sales_manager", team=here)
    stranger = factories.UserFactory(role="sales_rep", team=there)
    account = factories.AccountFactory(name="Kessler AG", domain="kessler.example", owner=rep)
    contact = person("anna@gmail.com", "Kessler", owner=rep)
    assert contact.proposed_account == account
    return rep, manager, stranger, account, contact


def page(client, user, show):
    client.force_login(user)
    return client.get(reverse("accounts:unmatched"), {"show": show})


def test_proposals_show_to_those_who_see_contact_and_account(client, team):
    rep, manager, stranger, account, contact = team
    for user, sees in ((rep, True), (manager, True), (stranger, False)):
        assert (contact.name in page(client, user, "proposals").content.decode()) is sees
    account.owner = stranger
    account.save()
    assert b"Kessler AG" not in page(client, rep, "proposals").content


@pytest.mark.parametrize("act", ["accept", "refuse"])
def test_proposals_are_decided_by_those_who_see_them(client, team, act):
    rep, _, stranger, account, contact = team
    url = reverse("accounts:decide_proposals")
    client.force_login(stranger)
    client.post(url, {"act": act, "pk": [contact.pk]})
    contact.refresh_from_db()
    assert contact.proposed_account == account
    client.force_login(rep)
    client.post(url, {"act": act, "pk": [contact.pk, "x", "99999999999999999999999"]})
    contact.refresh_from_db()
    assert (contact.account, contact.refused_account) == ((account, None) if act == "accept" else (None, account))


def test_a_viewer_reads_but_does_not_decide(client, team):
    viewer = factories.UserFactory(role="viewer")
    assert b"Accept ticked" not in page(client, viewer, "proposals").content
    assert client.post(reverse("accounts:decide_proposals"), {"act": "accept", "pk": [team[4].pk]}).status_code == 403


def test_domains_are_counted_and_given(client, team):
    rep, _, stranger, account, _ = team
    for name in ("bo", "cy"):
        person(f"{name}@kessler-labs.example", owner=rep)
    answer = page(client, rep, "domains")
    assert [(g.domain, g.count) for g in answer.context["groups"]] == [("kessler-labs.example", 2)]
    assert page(client, stranger, "domains").context["groups"] == []
    url, data = reverse("accounts:give_domain"), {"domain": "kessler-labs.example", "account": account.pk}
    client.force_login(stranger)
    client.post(url, data)
    assert account.contacts.count() == 0
    client.force_login(rep)
    client.post(url, data)
    assert account.contacts.count() == 2


@pytest.mark.parametrize("show", ["proposals", "domains", "all"])
def test_the_page_costs_the_same_at_any_length(client, team, show, django_assert_max_num_queries):
    rep = team[0]
    for number in range(60):
        person(
            f"p{number}@gmail.com" if number % 2 else f"p@d{number}.example", "Kessler" if number % 2 else "", owner=rep
        )
    client.force_login(rep)
    with django_assert_max_num_queries(14):
        assert client.get(reverse("accounts:unmatched"), {"show": show}).status_code == 200


def test_a_form_without_account_finds_it(client, team):
    rep, _, _, account, _ = team
    client.force_login(rep)
    data = {"last_name": "Neu", "email": "neu@kessler.example", "owner": rep.pk}
    client.post(reverse("accounts:contact_new"), data)
    assert Contact.objects.get(email="neu@kessler.example").account == account


def test_the_api_follows_the_same_rule(client, team):
    rep, _, _, account, _ = team
    client.force_login(rep)
    answer = client.post(
        "/api/v1/contacts/",
        {"last_name": "Neu", "email": "neu@kessler.example", "owner": rep.pk},
        content_type="application/json",
    )
    assert answer.status_code == 201, answer.content
    assert answer.json()["account"] == account.pk


@pytest.mark.django_db(transaction=True)
def test_the_job_matches_what_bulk_writers_left(acme):
    bulk_person("1@acme.example")
    job = queue_matching()
    jobs.run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.result) == (JobState.DONE, {"matched": 1, "proposed": 0})
