"""Writing records: what is computed from a row and what follows for other rows, whoever saves."""

import datetime as dt
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accounts.models import Account, Activity, Contact, ContactAccount
from accounts.services.accounts import propose_industry, refresh_hierarchy
from accounts.services.activities import record_activities, record_activity
from accounts.services.bands import employee_band, revenue_band, size_class
from accounts.services.contacts import change_job
from accounts.services.custom_fields import (
    change_custom_field,
    create_custom_field,
    retire_custom_field,
    set_custom_values,
)
from accounts.services.deletion import delete_record, restore_record
from accounts.services.normalisation import normalise_domain, normalise_email, normalise_phone
from accounts.services.opportunities import move_stage
from segmentation_crm.common.effective_time import effective_time
from tests import factories

pytestmark = pytest.mark.django_db
MARCH = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("https://www.Acme.com/about?x=1", "acme.com"),
        ("ACME.com.", "acme.com"),
        ("info@acme.co.uk", "acme.co.uk"),
        ("http://acme.com:8080", "acme.com"),
        ("münchen.de", "xn--mnchen-3ya.de"),
        ("no domain", ""),
        ("localhost", ""),
        ("", ""),
        ("http://[broken", ""),
    ],
)
def test_a_domain_is_taken_from_what_people_write(text, domain):
    assert normalise_domain(text) == domain


def test_addresses_and_numbers_have_one_form():
    assert normalise_email("  Mailto:Ann@Acme.COM ") == "ann@acme.com"
    assert normalise_email("ann at acme") == ""
    assert normalise_phone("(030) 1234567", "DE") == "+49301234567"
    assert normalise_phone("+1 650-253-0000") == "+16502530000"
    assert normalise_phone("030 1234567") == "030 1234567"


@pytest.mark.parametrize(
    ("count", "band", "size"),
    [
        (None, "", ""), (1, "1-10", "micro"), (10, "1-10", "micro"), (11, "11-50", "small"),
        (1000, "501-1000", "mid_market"), (1001, "1001-5000", "enterprise"), (10001, "10001+", "enterprise"),
    ],
)  # fmt: skip
def test_bands_and_size_follow_the_count(count, band, size):
    limits = {"micro": 10, "small": 50, "mid_market": 1000}
    assert (employee_band(count), size_class(count, limits)) == (band, size)


@pytest.mark.parametrize(
    ("amount", "band"),
    [(None, ""), (0, "<1M"), (999_999, "<1M"), (1_000_000, "1-10M"), (999_999_999, "250M-1B"), (10**9, ">1B")],
)
def test_the_revenue_band_follows_the_revenue(amount, band):
    assert revenue_band(None if amount is None else Decimal(amount)) == band


def test_saving_an_account_normalises_and_computes():
    account = factories.AccountFactory(name="  Acme   Inc ", website="https://www.acme.com", employee_count=60)
    account.refresh_from_db()
    assert (account.name, account.name_folded, account.domain) == ("Acme Inc", "acme inc", "acme.com")
    assert (account.employee_band, account.size_class, account.is_hierarchy_root) == ("51-200", "mid_market", True)
    assert account.data_completeness_pct == Decimal("25.00")  # name, domain and employees of twelve
    twin = factories.AccountFactory(website="acme.com")
    assert twin.domain == ""


def test_a_band_stored_without_the_figure_stays():
    assert factories.AccountFactory(employee_band="11-50", revenue_band="<1M").employee_band == "11-50"


def test_every_change_counts_the_version_up():
    account = factories.AccountFactory()
    account.city = "Rome"
    account.save()
    assert (account.version, Account.objects.get().version) == (2, 2)


def test_a_hierarchy_has_one_top_and_group_figures():
    top = factories.AccountFactory(employee_count=100, annual_revenue=10)
    middle = factories.AccountFactory(parent_account=top, employee_count=20)
    leaf = factories.AccountFactory(parent_account=middle, annual_revenue=5)
    for account in (top, middle, leaf):
        account.refresh_from_db()
    assert (top.ultimate_parent, middle.ultimate_parent, leaf.ultimate_parent) == (None, top, top)
    assert {a.group_employee_count for a in (top, middle, leaf)} == {120}
    assert {a.group_revenue_reporting for a in (top, middle, leaf)} == {Decimal(15)}
    assert (top.is_hierarchy_root, leaf.is_hierarchy_root) == (True, False)
    middle.parent_account = None
    middle.save()
    for account in (top, middle, leaf):
        account.refresh_from_db()
    assert (top.group_employee_count, middle.group_employee_count, leaf.ultimate_parent) == (100, 20, middle)
    assert refresh_hierarchy() == 0


def test_a_circle_of_parents_is_refused():
    top = factories.AccountFactory()
    below = factories.AccountFactory(parent_account=top)
    top.parent_account = below
    with pytest.raises(ValidationError, match="circle"):
        top.save()


def test_a_circle_from_a_bulk_write_ends_nothing():
    one = factories.AccountFactory(employee_count=1)
    two = factories.AccountFactory(parent_account=one, employee_count=2)
    Account.objects.filter(pk=one.pk).update(parent_account=two)
    refresh_hierarchy()
    assert set(Account.objects.values_list("ultimate_parent", "group_employee_count")) == {(None, 3)}


def test_an_industry_is_proposed_from_the_code():
    mapping = factories.IndustryMappingFactory(code_from="3570", code_to="3579")
    factories.IndustryMappingFactory(code_from="6000", code_to="6999")
    from accounts.queries import resolve_code

    account = factories.AccountFactory(sic_code=resolve_code("sic", "3571"))
    assert propose_industry(account) == mapping.term
    account.industry = mapping.term
    assert propose_industry(account) is None


def test_a_won_opportunity_makes_a_prospect_a_customer():
    account, partner = factories.AccountFactory(), factories.AccountFactory(account_type="partner")
    won = factories.StageFactory(is_won=True)
    opportunity = factories.OpportunityFactory(account=account)
    account.refresh_from_db()
    assert account.account_type == "prospect"
    move_stage(opportunity, won, at=MARCH)
    factories.OpportunityFactory(account=partner, stage=won)
    account.refresh_from_db()
    partner.refresh_from_db()
    assert (account.account_type, partner.account_type) == ("customer", "partner")
    assert (opportunity.closed_at, opportunity.stage_entered_at, opportunity.pipeline) == (MARCH, MARCH, won.pipeline)
    move_stage(opportunity, factories.StageFactory())
    assert opportunity.closed_at is None


def test_people_of_an_opportunity_follow_it_and_never_go_back():
    opportunity = factories.OpportunityFactory(opened_on=dt.date(2026, 1, 5))
    role = factories.OpportunityContactFactory(opportunity=opportunity)
    evangelist = factories.ContactFactory(lifecycle_stage="evangelist")
    factories.OpportunityContactFactory(opportunity=opportunity, contact=evangelist)
    contact = Contact.objects.get(pk=role.contact_id)
    assert contact.lifecycle_stage == "opportunity"
    assert contact.became_opportunity_at == dt.datetime(2026, 1, 5, tzinfo=dt.UTC)
    move_stage(opportunity, factories.StageFactory(is_won=True), at=MARCH)
    contact.refresh_from_db()
    evangelist.refresh_from_db()
    assert (contact.lifecycle_stage, contact.became_customer_at) == ("customer", MARCH)
    assert evangelist.lifecycle_stage == "evangelist"


def test_reaching_a_lifecycle_stage_is_dated():
    contact = factories.ContactFactory(lifecycle_stage="lead")
    assert contact.became_lead_at is None
    contact.lifecycle_stage = "mql"
    with effective_time(MARCH):
        contact.save()
    assert contact.became_mql_at == MARCH


def test_a_job_change_keeps_the_history_of_employment():
    contact = factories.ContactFactory(seniority="vp")
    old, new = contact.account, factories.AccountFactory()
    activity = factories.ActivityFactory(contact=contact)
    change_job(contact, new, on=dt.date(2026, 3, 1), job_title="CTO")
    links = {link.account_id: link for link in ContactAccount.objects.filter(contact=contact)}
    assert links[old.pk].ended_on == dt.date(2026, 3, 1)
    assert (links[new.pk].started_on, links[new.pk].ended_on) == (dt.date(2026, 3, 1), None)
    assert (contact.account, contact.job_title, contact.seniority) == (new, "CTO", "")
    activity.refresh_from_db()
    assert activity.account == old


def test_an_activity_is_resolved_and_checked():
    contact = factories.ContactFactory()
    activity = record_activity("email_sent", contact=contact, channel="email")
    assert (activity.account, activity.direction) == (contact.account, "outbound")
    opportunity = factories.OpportunityFactory()
    assert record_activity("meeting", opportunity=opportunity).account == opportunity.account
    with pytest.raises(ValidationError) as error:
        record_activity("dance", channel="smoke", nps=11)
    assert set(error.value.message_dict) >= {"type", "channel"}


def test_many_activities_are_resolved_in_one_query():
    contact = factories.ContactFactory()
    made = [Activity(type="page_view", occurred_at=MARCH, contact=contact) for _ in range(3)]
    record_activities(made)
    assert set(Activity.objects.values_list("account", "direction")) == {(contact.account_id, "inbound")}


def test_many_activities_keep_the_rules_of_one(django_assert_max_num_queries):
    contact, deal = factories.ContactFactory(), factories.OpportunityFactory()
    made = [Activity(type="meeting", occurred_at=MARCH, contact=contact) for _ in range(30)]
    made += [Activity(type="call", occurred_at=MARCH, opportunity=deal) for _ in range(30)]
    with django_assert_max_num_queries(6):
        record_activities(made)
    assert set(Activity.objects.values_list("type", "account", "direction")) == {
        ("meeting", contact.account_id, "outbound"),
        ("call", deal.account_id, "outbound"),
    }
    wrong = [Activity(type="call", occurred_at=MARCH), Activity(type="dance", occurred_at=MARCH, channel="smoke")]
    with pytest.raises(ValidationError) as error:
        record_activities(wrong)
    assert set(error.value.message_dict) == {"type", "channel"}
    assert all(words[0].startswith("Row 2:") for words in error.value.message_dict.values())
    with pytest.raises(ValidationError, match="time zone"):
        record_activities([Activity(type="call", occurred_at=MARCH.replace(tzinfo=None))])
    assert Activity.objects.count() == 60


def test_custom_values_are_typed_and_errors_name_their_keys():
    create_custom_field("account", "score_points", "Points", "integer")
    create_custom_field("account", "plan", "Plan", "enum", choices=["basic", {"value": "pro", "label": "Pro"}])
    create_custom_field("account", "regions", "Regions", "multi", choices=["n", "s"])
    create_custom_field("account", "since", "Since", "date")
    create_custom_field("account", "ok", "OK", "boolean")
    account = factories.AccountFactory()
    values = {"score_points": 5, "plan": "pro", "regions": ["n", "s"], "since": "2026-03-01", "ok": "yes"}
    assert set_custom_values(account, values) is True
    assert set_custom_values(account, values) is False
    stored = {(v.definition.key, v.filled()[0] or v.number or v.boolean or v.date) for v in account.custom_values.all()}
    assert stored == {
        ("score_points", 5), ("plan", "pro"), ("regions", "n"), ("regions", "s"), ("since", dt.date(2026, 3, 1)),
        ("ok", True),
    }  # fmt: skip
    set_custom_values(account, {"regions": ["s"], "plan": None})
    assert sorted(v.text for v in account.custom_values.all() if v.text) == ["s"]
    wrong = {"score_points": "5.5", "plan": "x", "regions": ["q"], "since": "today", "ok": "maybe", "none": 1}
    with pytest.raises(ValidationError) as error:
        set_custom_values(account, wrong)
    assert set(error.value.message_dict) == {f"custom.{key}" for key in wrong}


def test_a_choice_that_records_hold_stays():
    field = create_custom_field("account", "plan", "Plan", "enum", choices=["basic", "pro"])
    set_custom_values(factories.AccountFactory(), {"plan": "pro"})
    with pytest.raises(ValidationError, match="still hold pro"):
        change_custom_field(field, choices=["basic"])
    change_custom_field(field, label="Tariff", choices=["pro", "max"])
    assert retire_custom_field(field).is_active is False
    with pytest.raises(ValidationError):
        create_custom_field("account", "Bad key", "x", "text")
    with pytest.raises(ValidationError):
        create_custom_field("account", "empty", "x", "enum")


def test_a_deleted_record_frees_its_domain_and_comes_back():
    account = factories.AccountFactory(domain="acme.com")
    delete_record(account, factories.UserFactory())
    assert not Account.objects.live().exists()
    twin = factories.AccountFactory(domain="acme.com")
    with pytest.raises(ValidationError, match="domain"):
        restore_record(account)
    twin.domain = ""
    twin.save()
    restore_record(account)
    assert Account.objects.live().count() == 2


@pytest.mark.parametrize(
    "values",
    [
        {"tier": "9"}, {"founded_year": 0}, {"data_completeness_pct": 101}, {"domain": "taken.example"},
        {"employee_band": "5-6"},
    ],
)  # fmt: skip
def test_the_database_refuses_what_is_wrong(values):
    factories.AccountFactory(domain="taken.example")
    account = factories.AccountFactory()
    with pytest.raises(IntegrityError), transaction.atomic():
        Account.objects.filter(pk=account.pk).update(**values)


@pytest.mark.parametrize(
    ("factory", "values"),
    [
        (factories.NeedFactory, {"account": None}),
        (factories.NeedFactory, {"priority": 6}),
        (factories.ActivityFactory, {"nps": 11}),
        (factories.ActivityFactory, {"type": ""}),
        (factories.ActivityFactory, {"intent_score": 101}),
        (factories.OpportunityFactory, {"probability": Decimal("1.1")}),
        (factories.OpportunityContactFactory, {"influence": 0}),
        (factories.PurchaseFactory, {"discount": Decimal("-0.1")}),
        (factories.AccountTechnologyFactory, {"confidence": 2}),
        (factories.StageFactory, {"is_won": True, "is_lost": True}),
        (factories.ExchangeRateFactory, {"rate": 0}),
        (factories.RoleTemplateRoleFactory, {"role": "champion"}),
        (factories.NoteFactory, {"account": None}),
        (factories.SurveyAnswerFactory, {"account": None}),
        (factories.AccountValueFactory, {"token": "x"}),
    ],
)
def test_constraints_stand_in_the_database(factory, values):
    row = factory()
    with pytest.raises(IntegrityError), transaction.atomic():
        type(row)._base_manager.filter(pk=row.pk).update(**values)
