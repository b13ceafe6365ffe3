"""Segments to start from: every rule works, says what data it needs; the methods a rule rests on, and the caution."""

import re

import pytest
from django.core.cache import cache
from django.urls import reverse

from segmentation_crm.common.models import Role
from segments.rules.describe import describe
from segments.rules.methods import WARNING, caution_about, methods_of
from segments.rules.validate import validate
from segments.services.templates import fills, gallery, needs_of
from segments.templates_data import METHODS, TEMPLATES
from tests.factories import (
    AccountFactory,
    AccountTechnologyFactory,
    ActivityFactory,
    ContactFactory,
    NeedFactory,
    UserFactory,
)
from tests.support.api import caller

from .making import all_of, built, larger_than, three_people

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(db, client):
    cache.clear()
    user = UserFactory(username="boss", role=Role.ADMIN)
    client.force_login(user)
    return user


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.key)
def test_every_template_can_be_saved_and_rests_on_its_method(template):
    rule = validate(template.rules, template.member_type)
    segment = built(template.rules, template.name, member_type=template.member_type)
    assert segment.sentence
    assert needs_of(rule)
    expected = {"expansion": {"behavioural", "firmographic"}, "churn_risk": {"value", "behavioural"}}
    methods = set(methods_of(rule))
    assert methods & expected.get(template.method, {template.method}), methods


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.key)
def test_where_activities_count_bots_are_left_out_visibly(template):
    rows = re.findall(r"'field': '\w+\.activities'", str(template.rules))
    assert str(template.rules).count("activity.bot_suspected") == len(rows)
    if rows:
        assert "suspected as bot" in describe(validate(template.rules, template.member_type)).lower()


def test_every_method_of_the_field_has_templates():
    assert {template.method for template in TEMPLATES} == set(METHODS)
    assert min(sum(t.method == method for t in TEMPLATES) for method in METHODS) >= 2
    assert len({template.key for template in TEMPLATES}) == len(TEMPLATES)
    assert not [one.problem for _, rows in gallery() for one in rows if one.problem]


def test_fill_says_what_is_here_for_whom(admin):
    alice, bob, charlie = three_people()
    account = AccountFactory(owner=alice, employee_count=300)
    AccountFactory(owner=charlie)
    AccountTechnologyFactory(account=account, contract_ends=None)
    ActivityFactory(account=account, contact=ContactFactory(account=account, owner=alice))

    def share(user, key, label):
        cache.clear()
        return next(fill for need, fill in fills(user)[key] if need.label == label)

    for user, count, total in ((admin, 1, 2), (bob, 1, 1), (charlie, 0, 1)):
        found = share(user, "growing_mid_market", "Employees")
        assert (found.count, found.total) == (count, total)
    assert share(admin, "rival_contract_ends", "Technologies (contract ends)").count == 0
    assert share(admin, "stack_in_motion", "Technologies (status)").share == 0.5
    assert share(admin, "several_people_active", "Activities (contact)").count == 1
    assert share(admin, "tier_one_quiet", "Last engaged").total == 2


def test_fills_are_kept_and_say_what_was_not_counted(admin, monkeypatch):
    AccountFactory(employee_count=5)
    assert fills(admin)["growing_mid_market"][0][1].count == 1
    AccountFactory(employee_count=5)
    assert fills(admin)["growing_mid_market"][0][1].count == 1  # kept for ten minutes
    cache.clear()
    monkeypatch.setattr("segments.services.templates.SECONDS", 0)
    assert fills(admin)["growing_mid_market"][0][1].count is None


# --- pages ---
def test_gallery_leads_into_the_builder(client, admin):
    AccountFactory(employee_count=5)
    text = client.get(reverse("segments:templates")).content.decode()
    for words in ("Start from a template", "Technographic", "counting …", "?template=on_cloud", "Data it needs"):
        assert words in text
    text = client.get(reverse("segments:templates"), {"part": "data"}, HTTP_HX_REQUEST="true").content.decode()
    assert "<html" not in text
    assert "no data yet" in text
    assert "100 % of 1 account" in text
    text = client.get(reverse("segments:new"), {"template": "on_cloud"}).content.decode()
    assert 'value="Companies in the cloud"' in text
    assert "technology.is_cloud_provider" in text
    text = client.get(reverse("segments:new"), {"template": "nothing"}).content.decode()
    assert 'value=""' in text
    assert reverse("segments:templates") in text


def test_gallery_is_for_those_who_build(client, admin):
    client.force_login(UserFactory(role=Role.VIEWER))
    assert client.get(reverse("segments:templates")).status_code == 403


# --- the methods of a rule ---
def condition(field, operator="is_set", **more):
    return {"field": field, "operator": operator, **more}


def related(relation, *rules):
    found = {"field": relation, "operator": "match", "match": {"mode": "some"}}
    return {**found, "value": all_of(*rules)} if rules else found


SIZE, COUNTRY = condition("account.employee_count"), condition("account.country")


@pytest.mark.parametrize(
    ("rules", "methods", "warned"),
    [
        (all_of(SIZE), ["firmographic"], True),
        (all_of(COUNTRY, SIZE), ["demographic", "firmographic"], True),
        (all_of(SIZE, condition("account.name")), ["firmographic"], True),
        (all_of(condition("account.name")), [], False),
        (all_of(SIZE, condition("account.tier")), ["firmographic", "tier"], False),
        (all_of(SIZE, condition("account.engaged_90d", "is_true")), ["firmographic", "behavioural"], False),
        (all_of(SIZE, related("account.technologies")), ["firmographic", "technographic"], False),
        (all_of(related("account.needs", condition("need.kind"))), ["needs"], False),
        (all_of(related("account.contacts", condition("contact.buying_roles"))), ["buying_role"], False),
        (all_of(related("account.contacts", condition("contact.country"))), ["demographic"], True),
        (all_of(condition("account.sophistication"), condition("account.buying_criteria")),
         ["sophistication", "purchase"], False),
    ],
)  # fmt: skip
def test_n10_methods_of_rules(rules, methods, warned):
    rule = validate(rules, "account")
    assert methods_of(rule) == methods
    assert (caution_about(rule) == WARNING) is warned


def test_a_rule_over_segments_is_not_judged():
    built(larger_than(5), "Large")
    rules = all_of(SIZE, {"field": "segment", "operator": "in", "value": ["large"]})
    assert caution_about(validate(rules, "account")) == ""


def test_preview_names_methods_and_what_to_add(admin):
    client = caller(admin)
    body = {"member_type": "account", "rules": all_of(SIZE)}
    found = client.post("/api/v1/segments/preview/", body, format="json").json()
    assert (found["methods"], found["caution"]) == (["firmographic"], WARNING)
    NeedFactory()
    found = client.post("/api/v1/segments/preview/", body, format="json").json()
    assert found["caution"] == f"{WARNING} Recorded here: needs."
