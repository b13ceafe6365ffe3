"""The sentence: what it says for every operator, and that every valid rule has one."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segments.rules.describe import describe, describe_parts, label, method_families
from segments.rules.operators import operators_of
from segments.rules.validate import validate
from tests import factories
from tests.rule_strategies import MEMBER_TYPES, reference_world, rules
from tests.segments.raw_rules import condition, figure, group, related

pytestmark = pytest.mark.django_db
DAYS = {"n": 30, "unit": "day"}


def sentence(*rules, member_type="account", **more):
    return describe(validate(group(*rules, **more), member_type))


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (condition("account.name", "eq", "Acme"), 'whose name is "Acme".'),
        (condition("account.name", "neq", "Acme"), 'whose name is not "Acme", or unknown.'),
        (condition("account.name", "in", ["A", "B", "C"]), 'whose name is "A", "B" or "C".'),
        (condition("account.name", "not_in", ["A", "B"]), 'whose name is none of "A" and "B", or unknown.'),
        (condition("account.name", "not_in", ["A"]), 'whose name is not "A", or unknown.'),
        (condition("account.name", "contains", "x"), 'whose name contains "x".'),
        (condition("account.name", "not_contains", "x"), 'whose name does not contain "x", or unknown.'),
        (condition("account.name", "starts_with", "x"), 'whose name starts with "x".'),
        (condition("account.name", "not_ends_with", "x"), 'whose name does not end with "x", or unknown.'),
        (condition("account.name", "matches_word", "x"), 'whose name contains the word "x".'),
        (condition("account.name", "is_empty"), "whose name is unknown."),
        (condition("account.name", "is_set"), "whose name is known."),
        (condition("account.ownership", "eq", "private_equity"), "whose ownership is Private equity."),
        (condition("account.country", "in", ["DE", "FR"]), "whose country is Germany or France."),
        (condition("account.employee_count", "between", [200, 2000]), "with 200 to 2,000 employees."),
        (condition("account.employee_count", "gte", 200), "with at least 200 employees."),
        (condition("account.employee_count", "lt", 200), "with fewer than 200 employees."),
        (condition("account.employee_count", "neq", 5), "whose number of employees is not 5, or unknown."),
        (
            condition("account.employee_count", "not_between", [1, 5]),
            "whose number of employees is not between 1 and 5, or unknown.",
        ),
        (condition("account.annual_revenue", "gt", 1500000), "whose annual revenue is more than 1,500,000."),
        (condition("account.annual_revenue", "top_percent", 10), "whose annual revenue is in the top 10 %."),
        (condition("account.revenue_growth_12m", "gte", 12.5), "whose revenue growth, 12 months is at least 12.5 %."),
        (condition("account.founded_year", "lt", 1990), "whose founding year is less than 1990."),
        (condition("account.do_not_contact", "is_true"), "that must not be contacted."),
        (condition("account.engaged_90d", "is_false"), "that have not engaged in the last 90 days."),
        (condition("account.languages", "any_of", ["de", "fr"]), 'whose languages include "de" or "fr".'),
        (condition("account.languages", "all_of", ["de", "fr"]), 'whose languages include all of "de" and "fr".'),
        (condition("account.languages", "none_of", ["de"]), 'whose languages do not include "de", or unknown.'),
        (condition("account.languages", "only_of", ["de", "fr"]), 'whose languages are nothing but "de" or "fr".'),
        (
            condition("account.languages", "count", {"operator": "gte", "value": 2}),
            "whose number of languages is at least 2.",
        ),
        (condition("account.customer_since", "on", "2026-03-31"), "whose first day as customer is on 31 March 2026."),
        (condition("account.created_at", "before", "today"), "whose creation date is before today."),
        (condition("account.created_at", "after", {"ago": DAYS}), "whose creation date is after 30 days ago."),
        (condition("account.created_at", "in_last", DAYS), "whose creation date is in the last 30 days."),
        (
            condition("account.created_at", "not_in_last", {"n": 1, "unit": "week"}),
            "whose creation date is not in the last 1 week, or unknown.",
        ),
        (condition("account.created_at", "more_than_ago", DAYS), "whose creation date is more than 30 days ago."),
        (condition("account.created_at", "in_period", "this_quarter"), "whose creation date is in this quarter."),
        (condition("account.created_at", "not_in_period", "today"), "whose creation date is not today, or unknown."),
        (
            condition("account.customer_since", "anniversary_in_next", DAYS),
            "whose first day as customer has its anniversary in the next 30 days.",
        ),
        (
            condition("account.lifecycle_stage", "has_ever_been", ["customer", "former"]),
            "whose lifecycle stage has ever been Customer or Former customer.",
        ),
        (
            condition("account.lifecycle_stage", "has_never_been", ["customer"]),
            "whose lifecycle stage has never been Customer, or unknown.",
        ),
        (
            condition("account.lifecycle_stage", "has_been", {"value": "mqa", "for": DAYS}),
            "whose lifecycle stage has been MQA for at least 30 days.",
        ),
        (
            condition("account.lifecycle_stage", "changed_in_last", DAYS),
            "whose lifecycle stage changed in the last 30 days.",
        ),
        (condition("account.parent.name", "eq", "A"), 'whose parent account\'s name is "A".'),
        (related("account.contacts", "some"), "that have at least one contact."),
        (related("account.contacts", "none"), "that have no contacts."),
        (related("account.contacts", "at_least", threshold=2), "that have at least 2 contacts."),
        (related("account.children", "exactly", threshold=1), "that have exactly 1 subsidiary."),
        (
            related("account.contacts", "all", group(condition("contact.department", "eq", "it"))),
            "that have one or more contacts, all of them ones whose department is IT.",
        ),
        (
            related("account.contacts", "some", group(condition("contact.engaged_90d", "is_true"))),
            "that have at least one contact who has engaged in the last 90 days.",
        ),
        (
            related(
                "account.contacts", "at_most", group(condition("contact.tags", "is_set"), **{"not": True}), threshold=2
            ),
            "that have at most 2 contacts other than those whose tags are known.",
        ),
        (figure("account.activities", "count", "gte", 3), "with at least 3 activities."),
        (figure("account.activities", "count", "neq", 3), "whose number of activities is not 3."),
        (
            figure(
                "account.opportunities",
                "sum",
                "gte",
                150000,
                of="opportunity.amount",
                where=group(condition("opportunity.is_won", "is_true")),
            ),
            "whose total amount over opportunities (that are won) is at least 150,000.",
        ),
        (
            figure("account.opportunities", "max", "before", "2017-12-20", of="opportunity.closed_at"),
            "whose latest closing date over opportunities is before 20 December 2017.",
        ),
        (
            figure("account.opportunities", "last", "eq", "renewal", of="opportunity.type"),
            "whose last type over opportunities is Renewal.",
        ),
        (
            figure("account.activities", "days_since_last", "gt", 30),
            "whose number of days since the last activity is more than 30.",
        ),
        (
            figure(
                "account.opportunities",
                "ratio",
                "gte",
                0.65,
                of=group(condition("opportunity.is_open", "is_false")),
                where=group(condition("opportunity.is_won", "is_true")),
            ),
            "whose share of opportunities (that are won) among those (that are not open) is at least 65 %.",
        ),
    ],
)
def test_describe_one_condition(rule, words):
    assert sentence(rule) == f"Accounts {words}"


def test_describe_joins_conditions_unmistakably():
    city = condition("account.city", "eq", "x")
    size = condition("account.size_class", "eq", "small")
    stage = condition("account.lifecycle_stage", "eq", "customer")
    assert sentence(city, size, stage) == (
        'Accounts whose city is "x", whose size class is Small, and whose lifecycle stage is Customer.'
    )
    assert sentence(city, size, combinator="or") == 'Accounts either whose city is "x", or whose size class is Small.'
    assert sentence(city, group(size, stage, combinator="or")) == (
        'Accounts whose city is "x", and either whose size class is Small or whose lifecycle stage is Customer.'
    )
    assert sentence(city, group(size, group(stage, city), combinator="or")) == (
        'Accounts whose city is "x", and (either whose size class is Small or '
        '(whose lifecycle stage is Customer and whose city is "x")).'
    )
    assert sentence(city, group(stage, **{"not": True})) == (
        'Accounts whose city is "x", but not those whose lifecycle stage is Customer.'
    )
    assert sentence(city, size, **{"not": True}) == (
        'Accounts except those whose city is "x" and whose size class is Small.'
    )
    assert sentence(city, group(stage, **{"not": True}), combinator="or") == (
        'Accounts either whose city is "x", or that are not among those whose lifecycle stage is Customer.'
    )


def test_describe_speaks_of_the_accounts_of_contacts():
    factories.TermFactory(vocabulary="industry", slug="manufacturing", name="Manufacturing")
    inner = group(
        condition("contact.buying_roles", "any_of", ["technical_decision_maker"]),
        condition("contact.last_engaged_at", "in_last", {"n": 90, "unit": "day"}),
    )
    assert sentence(
        condition("account.industry", "under", "manufacturing"),
        condition("account.employee_count", "between", [200, 2000]),
        related("account.contacts", "at_least", inner, threshold=2),
        member_type="contact",
    ) == (
        "Contacts whose account's industry is under Manufacturing, whose account has 200 to 2,000 employees, and whose "
        "account has at least 2 contacts whose buying roles include Technical decision maker and whose last engagement "
        "is in the last 90 days."
    )


def test_describe_names_segments():
    from segments.models import Segment

    for name in ("Best", "Next"):
        Segment.objects.create(name=name, slug=name.lower(), member_type="account")
    assert sentence(condition("segment", "in", ["best"])) == "Accounts that are in the segment Best."
    assert sentence(condition("segment", "not_in", ["best", "next"])) == (
        "Accounts that are not in any of the segments Best or Next."
    )
    assert sentence(condition("account.segment", "not_in", ["best"]), member_type="contact") == (
        "Contacts whose account is not in the segment Best (or unknown)."
    )


def test_describe_shortens_long_lists():
    rule = condition("account.name", "in", list("abcdefghij"))
    assert sentence(rule) == 'Accounts whose name is "a", "b", "c", "d", "e" or 5 more.'


def test_describe_parts_mark_values_and_fields():
    rule = validate(group(condition("account.tier", "eq", "1")), "account")
    assert describe_parts(rule) == [
        {"text": "Accounts", "kind": "field"},
        {"text": " whose ", "kind": "text"},
        {"text": "tier", "kind": "field"},
        {"text": " is ", "kind": "text"},
        {"text": "Tier 1", "kind": "value"},
        {"text": ".", "kind": "text"},
    ]


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (condition("account.employee_count", "between", [200, 2000]), "200 to 2,000 employees"),
        (condition("account.city", "eq", "x"), 'City is "x"'),
        (condition("account.do_not_contact", "is_false"), "May be contacted"),
        (related("account.contacts", "at_least", threshold=2), "At least 2 contacts"),
        (group(condition("account.city", "eq", "x"), **{"not": True}), 'Not among those whose city is "x"'),
    ],
)
def test_label_is_short(rule, words):
    assert label(validate(group(rule), "account").root.rules[0]) == words


def test_method_families_name_what_a_rule_rests_on():
    rule = validate(
        group(
            condition("account.employee_count", "gte", 5),
            condition("account.name", "is_set"),
            related("account.contacts", "some", group(condition("contact.buying_roles", "is_set"))),
            related("account.technologies", "some"),
            figure("account.activities", "count", "gte", 1),
        ),
        "account",
    )
    assert method_families(rule) == ["firmographic", "technographic", "behavioural", "buying_role"]


@pytest.mark.parametrize("member_type", MEMBER_TYPES)
def test_every_rule_has_a_sentence(member_type):
    world = reference_world()

    @settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def run(data):
        rule = validate(data.draw(rules(member_type, world)), member_type)
        parts = describe_parts(rule)
        words = describe(rule)
        assert words == "".join(part["text"] for part in parts)
        assert words.endswith(".")
        assert words.count("(") == words.count(")")
        assert "{" not in words
        assert "  " not in words
        assert {part["kind"] for part in parts} <= {"text", "value", "field"}
        assert all(label(node, member_type) for node in rule.root.rules)
        assert describe(validate(rule.canonical, member_type)).count("whose") == words.count("whose")

    run()


@pytest.mark.parametrize("type_name", ["text", "enum", "integer", "date", "multi", "boolean"])
def test_negative_conditions_say_or_unknown(type_name):
    field = {
        "text": "account.name",
        "enum": "account.tier",
        "integer": "account.founded_year",
        "date": "account.churned_on",
        "multi": "account.buying_criteria",
        "boolean": "account.do_not_contact",
    }[type_name]
    values = {
        "one": {"text": "a", "enum": "1", "integer": 5, "date": "today"},
        "list": {"text": ["a"], "enum": ["1"], "multi": ["price"]},
        "range": {"integer": [1, 2], "date": ["2025-01-01", "2025-01-02"]},
        "duration": {"date": DAYS},
        "period": {"date": "this_year"},
        "number_test": {"multi": {"operator": "gte", "value": 1}},
        "share": {"integer": 5},
    }
    for operator in operators_of(type_name).values():
        value = [] if operator.operand == "none" else [values[operator.operand][type_name]]
        words = sentence(condition(field, operator.name, *value))
        assert ("or unknown" in words) is operator.negative, words
