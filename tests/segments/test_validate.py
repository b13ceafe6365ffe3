"""Validation: every error at once with its path, every spelling to one canonical form, nothing widened."""

import copy
import random
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segmentation_crm.common.fields import registry
from segmentation_crm.common.models import Role
from segments.rules.nodes import Aggregate, Condition, DateOperand, Duration, InvalidRule, Related, SegmentTest
from segments.rules.operators import BY_TYPE, HISTORY, operators_of
from segments.rules.validate import MAX_ATOMS, validate
from tests import factories
from tests.rule_strategies import MEMBER_TYPES, reference_world, rules
from tests.segments.raw_rules import condition, figure, group, related

pytestmark = pytest.mark.django_db

COUNT = {"field": "account.employee_count", "operator": "gte", "value": 10}


def errors_of(raw, member_type="account", **options):
    with pytest.raises(InvalidRule) as caught:
        validate(raw, member_type, **options)
    return [(list(error.path), error.code) for error in caught.value.errors]


def first(raw, member_type="account", **options):
    return validate(group(raw), member_type, **options).root.rules[0]


# --- shape ---
@pytest.mark.parametrize(
    ("raw", "path", "code"),
    [
        (None, [], "wrong_type"),
        ([], [], "wrong_type"),
        ({}, ["combinator"], "missing"),
        (group(), ["rules"], "empty_group"),
        (group(COUNT, combinator="xor"), ["combinator"], "unknown_choice"),
        (group(COUNT, combinator="AND "), ["combinator"], "unknown_choice"),
        (group(COUNT, combinator=["and"]), ["combinator"], "unknown_choice"),
        (group(COUNT, **{"not": "false"}), ["not"], "wrong_type"),
        (group(COUNT, version=2), ["version"], "unknown_version"),
        (group(COUNT, version=True), ["version"], "unknown_version"),
        (group(COUNT, group(COUNT, version=1)), ["rules", 1, "version"], "extra_key"),
        (group(COUNT, group()), ["rules", 1, "rules"], "empty_group"),
        (group(COUNT, "or", COUNT), ["rules", 1], "combinator_between"),
        (group({"rules": [COUNT]}), ["rules", 0, "combinator"], "missing"),
        (group({"operator": "eq"}), ["rules", 0, "field"], "missing"),
        (group({**COUNT, "field": 5}), ["rules", 0, "field"], "wrong_type"),
        (group({**COUNT, "lookup": "regex"}), ["rules", 0, "lookup"], "extra_key"),
        (group({**COUNT, "_connector": "OR"}), ["rules", 0, "_connector"], "extra_key"),
        (group({**COUNT, "valueSource": "field"}), ["rules", 0, "valueSource"], "value_source"),
        (group({**COUNT, "disabled": True}), ["rules", 0, "disabled"], "disabled"),
        (group({"field": "account.employee_count", "value": 1}), ["rules", 0, "operator"], "missing"),
        (group(condition("account.employee_count", "gte")), ["rules", 0, "value"], "missing"),
        (group(condition("account.employee_count", "is_set", 1)), ["rules", 0, "value"], "extra_value"),
    ],
)
def test_validate_refuses_wrong_shapes(raw, path, code):
    assert (path, code) in errors_of(raw)


@pytest.mark.parametrize("member_type", ["lead", "technology", None, 5, ["account"]])
def test_validate_refuses_unknown_member_types(member_type):
    assert errors_of(group(COUNT), member_type) == [([], "unknown_choice")]


def test_validate_returns_every_error_at_once():
    raw = group(
        condition("account.employee_count", "gte", "10"),
        group(condition("account.nonsense", "eq", 1), related("account.contacts", "sum")),
        combinator="nor",
    )
    assert errors_of(raw) == [
        (["combinator"], "unknown_choice"),
        (["rules", 0, "value"], "wrong_type"),
        (["rules", 1, "rules", 0, "field"], "unknown_field"),
        (["rules", 1, "rules", 1, "match", "mode"], "unknown_choice"),
    ]


@pytest.mark.parametrize(
    "key",
    [
        "account.owner.password",
        "account__owner__password__startswith",
        "pk",
        "account.pk",
        "account.id",
        "account.name__regex",
        "account.Name",
        "account.custom.'; drop",
        "account.custom." + "a" * 10_000,
        "account.custom.%s",
        "account.custom.a.b",
        "account.touches",
        "account.score",
        "account.parent",
        "account.parent.parent.name",
        "contact.email",
        "opportunity.contact_role",
        "technology.account",
        "",
        ".",
        "account.\x00",
    ],
)
def test_validate_refuses_unknown_fields_without_a_query(key, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert errors_of(group(condition(key, "eq", "x")))[0][1] == "unknown_field"


def test_validate_runs_no_query_for_plain_rules(django_assert_num_queries):
    with django_assert_num_queries(0):
        validate(group(COUNT, related("account.contacts", "some")), "account")


# --- limits ---
def nested(levels):
    raw = group(COUNT)
    for _ in range(levels - 1):
        raw = group(raw, **{"not": True})
    return raw


def test_validate_takes_8_groups_and_refuses_9():
    assert validate(nested(8), "account")
    assert errors_of(nested(9)) == [(["rules", 0] * 8, "too_deep")]


def chained(levels):
    keys = ["account.contacts", "contact.accounts"]
    raw = related(keys[(levels - 1) % 2], "some")
    for level in reversed(range(levels - 1)):
        raw = related(keys[level % 2], "some", group(raw))
    return group(raw)


def test_validate_takes_3_related_levels_and_refuses_4():
    assert validate(chained(3), "account")
    assert errors_of(chained(4)) == [(["rules", 0, *["value", "rules", 0] * 3], "too_deep")]


def test_validate_takes_200_atoms_and_refuses_201():
    assert validate(group(*[COUNT] * MAX_ATOMS), "account")
    assert errors_of(group(*[COUNT] * 201)) == [([], "too_many_atoms")]


def test_validate_limits_lists_and_texts():
    names = [f"n{i}" for i in range(1001)]
    assert validate(group(condition("account.name", "in", names[:1000])), "account")
    assert errors_of(group(condition("account.name", "in", names))) == [(["rules", 0, "value"], "too_many")]
    many = group(*[condition("account.name", "in", names[:1000])] * 11)
    assert errors_of(many) == [([], "too_many_values")]
    assert errors_of(group(condition("account.name", "eq", "a" * 1001))) == [(["rules", 0, "value"], "too_long")]
    assert validate(group(condition("account.name", "eq", "a" * 1000)), "account")


# --- values ---
@pytest.mark.parametrize(
    "value", ["10", 1.5, True, None, [], {}, [1], 10**30, 2**63, 1e300, float("nan"), float("inf"), -0.0]
)
def test_validate_refuses_what_is_no_integer(value):
    found = errors_of(group(condition("account.employee_count", "eq", value)))
    assert [path for path, _ in found] == [["rules", 0, "value"]]


@pytest.mark.parametrize("value", [[1], [9, 1], [1, 2, 3], "1", [1, "2"], None, [[1], 2]])
def test_validate_refuses_what_is_no_range(value):
    assert errors_of(group(condition("account.employee_count", "between", value)))


@pytest.mark.parametrize(
    "value",
    ["2025-02-30", "0000-01-01", "99999-01-01", "yesterday", "2025-1-1", 20250101, "", {"ago": 5}, {"soon": 1}],
)
def test_validate_refuses_what_is_no_date(value):
    assert errors_of(group(condition("account.created_at", "before", value)))


@pytest.mark.parametrize(
    "value",
    [
        {"n": -5, "unit": "day"},
        {"n": 0, "unit": "day"},
        {"n": 10**9, "unit": "day"},
        {"n": 36_501, "unit": "day"},
        {"n": 101, "unit": "year"},
        {"n": 1.5, "unit": "day"},
        {"n": True, "unit": "day"},
        {"n": "5", "unit": "day"},
        {"n": 5, "unit": "days"},
        {"n": 5, "unit": ["day"]},
        {"n": 5},
        {"n": 5, "unit": "day", "more": 1},
        5,
    ],
)
def test_validate_refuses_what_is_no_duration(value):
    assert errors_of(group(condition("account.created_at", "in_last", value)))


@pytest.mark.parametrize("value", ["a\x00b", "\ud800", " ", "", 5, None, ["a"]])
def test_validate_refuses_what_is_no_text(value):
    assert errors_of(group(condition("account.name", "contains", value)))


@pytest.mark.parametrize("value", [0, 101, -1, "10", True, 100.01])
def test_validate_refuses_what_is_no_share(value):
    assert errors_of(group(condition("account.annual_revenue", "top_percent", value)))


@pytest.mark.parametrize("value", [1, "5", "1 ", True, ["1"]])
def test_validate_refuses_what_is_no_choice(value):
    assert errors_of(group(condition("account.tier", "eq", value)))


def test_validate_keeps_percent_underscore_and_backslash():
    assert first(condition("account.name", "contains", "100%_\\")).value == "100%_\\"


def test_validate_cleans_values():
    assert first(condition("account.employee_count", "eq", 1200.0)).value == 1200
    assert first(condition("account.name", "in", ["A", "a", "b"])).value == ("A", "b")
    assert first(condition("account.created_at", "after", {"ago": {"n": 30, "unit": "day"}})).value == DateOperand(
        ago=Duration(30, "day")
    )
    moment = first(condition("account.created_at", "after", "2026-03-31T10:00:00+02:00")).value.datetime
    assert moment.isoformat() == "2026-03-31T08:00:00+00:00"


@pytest.mark.parametrize("ends", [["2025-01-02", "2025-01-01"], ["today", {"ago": {"n": 1, "unit": "day"}}]])
def test_validate_refuses_reversed_dates(ends):
    assert errors_of(group(condition("account.created_at", "between", ends))) == [
        (["rules", 0, "value"], "wrong_order")
    ]


# --- operators ---
@pytest.mark.parametrize("type_name", BY_TYPE)
def test_validate_refuses_operators_of_other_types(type_name):
    field = next(f for f in registry.fields(custom=False) if f.type == type_name and not f.history)
    foreign = {name for table in BY_TYPE.values() for name in table} | set(HISTORY)
    # react-querybuilder's spelling of any_of.
    foreign -= {"in"} if type_name == "multi" else set()
    for name in sorted(foreign - set(operators_of(type_name))):
        found = errors_of(
            group(condition(field.key, name, 1)), field.record if field.record in MEMBER_TYPES else "account"
        )
        assert found[0][1] in ("unknown_operator", "unknown_field"), name


def test_validate_offers_history_operators_only_where_history_is_kept():
    held = {"value": "customer", "for": {"n": 3, "unit": "month"}}
    assert first(condition("account.lifecycle_stage", "has_been", held)).value.value == "customer"
    assert first(condition("account.tier", "has_ever_been", ["1"])).value == ("1",)
    assert errors_of(group(condition("account.urgency", "has_ever_been", ["low"])))[0][1] == "unknown_operator"
    assert errors_of(group(condition("account.tier", "has_been", {"value": "9", "for": held["for"]}))) == [
        (["rules", 0, "value", "value"], "unknown_choice")
    ]


@pytest.mark.parametrize(
    ("written", "field", "value", "name"),
    [
        ("=", "account.employee_count", 5, "eq"),
        ("!=", "account.employee_count", 5, "neq"),
        ("<", "account.employee_count", 5, "lt"),
        (">=", "account.employee_count", 5, "gte"),
        ("notBetween", "account.employee_count", [1, 5], "not_between"),
        ("doesNotContain", "account.name", "x", "not_contains"),
        ("beginsWith", "account.name", "x", "starts_with"),
        ("doesNotEndWith", "account.name", "x", "not_ends_with"),
        ("notIn", "account.tier", ["1"], "not_in"),
        ("null", "account.tier", None, "is_empty"),
        ("notNull", "account.tier", "", "is_set"),
        ("=", "account.created_at", "2025-01-01", "on"),
        ("<", "account.created_at", "2025-01-01", "before"),
        ("in", "account.languages", ["de"], "any_of"),
        ("=", "account.do_not_contact", True, "is_true"),
        ("=", "account.do_not_contact", False, "is_false"),
    ],
)
def test_validate_takes_react_querybuilder_operators(written, field, value, name):
    node = first({"id": "abc", "field": field, "operator": written, "valueSource": "value", "value": value})
    assert isinstance(node, Condition)
    assert node.operator == name


def test_validate_takes_react_querybuilder_modes_and_refuses_fractions():
    raw = {"id": "x", "path": [0], "disabled": False, "field": "account.contacts", "operator": "="}
    node = first({**raw, "match": {"mode": "atLeast", "threshold": 2}})
    assert isinstance(node, Related)
    assert (node.mode, node.threshold) == ("at_least", 2)
    assert errors_of(group({**raw, "match": {"mode": "atLeast", "threshold": 0.5}})) == [
        (["rules", 0, "match", "threshold"], "wrong_type")
    ]
    assert errors_of(group({**raw, "match": {"mode": "atMost"}})) == [(["rules", 0, "match", "threshold"], "missing")]


# --- related rows and figures ---
def test_validate_speaks_of_the_related_row_inside():
    inner = group(condition("opportunity.amount", "gte", 5), condition("account.name", "eq", "x"))
    node = first(related("account.opportunities", "some", inner))
    assert isinstance(node, Related)
    assert node.group is not None
    assert [rule.ref.hops for rule in node.group.rules] == [(), ("account",)]
    assert errors_of(group(related("account.technologies", "some", group(COUNT))))[0][1] == "unknown_field"
    role = condition("opportunity.contact_role", "eq", "champion")
    assert first(related("contact.opportunities", "some", group(role)), "contact")
    assert errors_of(group(related("account.opportunities", "some", group(role))))[0][1] == "unknown_field"


def test_validate_reaches_the_account_of_contacts_and_its_relations():
    node = first(related("account.contacts", "some"), "contact")
    assert isinstance(node, Related)
    assert node.ref.hops == ("account",)
    parent = first(condition("account.parent.name", "eq", "x"), "contact")
    assert parent.ref.hops == ("account", "parent_account")
    assert first(condition("account.parent.name", "eq", "x")).ref.hops == ("parent_account",)


@pytest.mark.parametrize(
    ("raw", "path", "code"),
    [
        (condition("account.contacts", "eq", 1), ["field"], "relation_key"),
        (related("account.name", "some"), ["field"], "unknown_relation"),
        (related("account.touches", "some"), ["field"], "unknown_relation"),
        (related("opportunity.contacts", "some"), ["field"], "unknown_relation"),
        (related("account.contacts", "some", {}), ["value", "combinator"], "missing"),
        ({**related("account.contacts", "some"), "value": None}, ["value"], "wrong_type"),
        ({**related("account.contacts", "some"), "operator": "eq"}, ["operator"], "unknown_operator"),
        ({**related("account.contacts", "some"), "operator": []}, ["operator"], "unknown_operator"),
        (related("account.contacts", ["some"]), ["match", "mode"], "unknown_choice"),
        (figure("account.contacts", {}, "gte", 1), ["aggregate", "function"], "unknown_choice"),
        (figure("account.contacts", "count", ["gte"], 1), ["operator"], "wrong_type"),
        (related("account.contacts", "at_least", threshold=-1), ["match", "threshold"], "out_of_range"),
        (related("account.contacts", "some", speed=1), ["match", "speed"], "extra_key"),
        (figure("account.contacts", "median", "gte", 1), ["aggregate", "function"], "unknown_choice"),
        (figure("account.contacts", "count", "gte", 1, of="contact.email"), ["aggregate", "of"], "extra_key"),
        (figure("account.contacts", "sum", "gte", 1), ["aggregate", "of"], "missing"),
        (figure("account.contacts", "sum", "gte", 1, of="contact.email"), ["aggregate", "of"], "wrong_type"),
        (figure("account.contacts", "sum", "gte", 1, of="account.tags"), ["aggregate", "of"], "wrong_type"),
        (figure("account.contacts", "count_distinct", "gte", 1, of="contact.tags"), ["aggregate", "of"], "wrong_type"),
        (figure("account.contacts", "count", "top_percent", 10), ["operator"], "not_here"),
        (figure("account.contacts", "count", "gte", 1.5), ["value"], "wrong_type"),
        (figure("account.contacts", "count", "contains", "x"), ["operator"], "unknown_operator"),
        (figure("account.opportunities", "ratio", "gte", 0.5), ["aggregate", "of"], "missing"),
        ({**figure("account.contacts", "count", "gte", 1), "where": None}, ["where"], "wrong_type"),
    ],
)
def test_validate_refuses_wrong_relations_and_figures(raw, path, code):
    assert (["rules", 0, *path], code) in errors_of(group(raw))


def test_validate_refuses_ranking_inside_related_rows():
    inner = group(condition("contact.created_at", "is_set"), condition("account.annual_revenue", "top_percent", 10))
    assert errors_of(group(related("account.contacts", "some", inner))) == [
        (["rules", 0, "value", "rules", 1, "operator"], "not_here")
    ]


@pytest.mark.parametrize(
    ("function", "of", "operator", "value", "type_name"),
    [
        ("count", None, "gte", 2, "integer"),
        ("count_distinct", "opportunity.product", "gte", 2, "integer"),
        ("sum", "opportunity.amount", "gte", 10.5, "money"),
        ("avg", "opportunity.amount", "lt", 10, "money"),
        ("max", "opportunity.closed_at", "before", "2017-12-20", "datetime"),
        ("last", "opportunity.type", "eq", "renewal", "enum"),
        ("days_since_last", None, "gt", 30, "integer"),
    ],
)
def test_validate_types_figures_by_their_result(function, of, operator, value, type_name):
    node = first(figure("account.opportunities", function, operator, value, of=of))
    assert isinstance(node, Aggregate)
    assert node.result_type == type_name


# --- references ---
def test_validate_takes_ids_slugs_names_and_aliases():
    term = factories.TermFactory(vocabulary="industry", slug="software", name="Software")
    factories.TermAliasFactory(term=term, text="Technolgy")
    for written in (term.pk, "software", "SOFTWARE", " Software ", "technolgy"):
        node = first(condition("account.industry", "eq", written))
        assert node.value == term.pk
        assert node.labels == {term.pk: "Software"}
    assert errors_of(group(condition("account.industry", "eq", "Mining"))) == [
        (["rules", 0, "value"], "unknown_reference")
    ]
    assert errors_of(group(condition("account.industry", "eq", term.pk + 1)))[0][1] == "unknown_reference"
    assert errors_of(group(condition("account.industry", "eq", str(term.pk))))[0][1] == "unknown_reference"
    assert errors_of(group(condition("account.industry", "eq", True)))[0][1] == "wrong_type"


def test_stored_rules_outlive_renames_and_merges():
    from accounts.services.vocabularies import merge_terms

    gone = factories.TermFactory(vocabulary="industry", slug="technolgy", name="Technolgy")
    into = factories.TermFactory(vocabulary="industry", slug="technology", name="Technology")
    stored = validate(group(condition("account.industry", "eq", gone.pk)), "account").canonical
    assert stored["rules"][0]["value"] == "technolgy"
    merge_terms(gone, into)
    assert validate(stored, "account").root.rules[0].value == into.pk


def test_validate_names_each_wrong_value_of_a_list():
    factories.TermFactory(vocabulary="industry", slug="software", name="Software")
    raw = group(condition("account.industry", "in", ["software", "mining", 5.5]))
    assert errors_of(raw) == [
        (["rules", 0, "value", 1], "unknown_reference"),
        (["rules", 0, "value", 2], "wrong_type"),
    ]


def test_validate_resolves_references_in_batches(django_assert_max_num_queries):
    slugs = [factories.TermFactory(vocabulary="industry").slug for _ in range(30)]
    raw = group(*[condition("account.industry", "in", slugs)] * 20)
    with django_assert_max_num_queries(3):
        validate(raw, "account")


def test_validate_names_accounts_by_domain_or_exact_name():
    acme = factories.AccountFactory(name="Acme", domain="acme.example")
    twins = [factories.AccountFactory(name="Twin") for _ in range(2)]
    for written in (acme.pk, "acme.example", "Acme"):
        assert first(condition("account.parent_account", "eq", written)).value == acme.pk
    assert errors_of(group(condition("account.parent_account", "eq", "Twin")))[0][1] == "ambiguous"
    assert first(condition("account.parent_account", "eq", twins[0].pk)).value == twins[0].pk


def test_validate_stage_names_are_ambiguous_across_pipelines():
    won = factories.StageFactory(name="Closed", slug="closed")
    factories.StageFactory(name="Closed", slug="closed-partners")
    assert first(condition("opportunity.stage", "eq", "closed"), "opportunity").value == won.pk
    factories.StageFactory(name="Lost", slug="lost-a")
    factories.StageFactory(name="lost", slug="lost-b")
    assert errors_of(group(condition("opportunity.stage", "eq", "Lost")), "opportunity")[0][1] == "ambiguous"


def test_validate_takes_codes_and_users():
    code = factories.IndustryCodeFactory(system="sic", code="TD", title="Manufacturing")
    alice = factories.UserFactory(username="alice")
    assert first(condition("account.sic_code", "under", "TD")).value == code.pk
    assert first(condition("account.owner", "eq", "alice")).value == alice.pk
    assert errors_of(group(condition("account.naics_code", "under", "TD")))[0][1] == "unknown_reference"


def test_validate_treats_invisible_accounts_as_unknown():
    alice = factories.UserFactory(username="alice", role=Role.SALES_REP, team=None)
    charlie = factories.UserFactory(username="charlie", role=Role.SALES_REP, team=None)
    bob = factories.UserFactory(username="bob", role=Role.SALES_MANAGER, team=factories.TeamFactory())
    alice.team = bob.team
    alice.save()
    account = factories.AccountFactory(owner=alice)
    raw = group(condition("account.parent_account", "eq", account.pk))
    assert validate(raw, "account", user=alice)
    assert validate(raw, "account", user=bob)
    assert errors_of(raw, user=charlie) == [(["rules", 0, "value"], "unknown_reference")]


def test_validate_knows_custom_fields_as_they_are_now(django_assert_num_queries):
    definition = factories.CustomFieldFactory(
        key="gold", type="enum", choices=[{"value": "a", "label": "A"}, {"value": "b", "label": "B"}]
    )
    raw = group(*[condition("account.custom.gold", "eq", "a")] * 3)
    with django_assert_num_queries(2):
        rule = validate(raw, "account")
    assert rule.canonical["rules"][0]["field"] == "account.custom.gold"
    assert errors_of(group(condition("account.custom.gold", "eq", "z")))[0][1] == "unknown_choice"
    definition.is_active = False
    definition.save()
    assert errors_of(raw)[0][1] == "unknown_field"


# --- segments ---
def segment(name, **more):
    from segments.models import Segment

    return Segment.objects.create(name=name, slug=name, member_type=more.pop("member_type", "account"), **more)


def test_validate_takes_segments_of_the_rules_own_type():
    vip, people = segment("vip"), segment("people", member_type="contact")
    node = first(condition("segment", "in", ["vip", vip.pk]))
    assert isinstance(node, SegmentTest)
    assert (node.segment_ids, node.record, node.hops) == ((vip.pk,), "account", ())
    through = first(condition("account.segment", "not_in", ["vip"]), "contact")
    assert (through.segment_ids, through.record, through.hops) == ((vip.pk,), "account", ("account",))
    assert first(condition("segment", "in", ["people"]), "contact").segment_ids == (people.pk,)
    assert errors_of(group(condition("segment", "in", ["people"]))) == [(["rules", 0, "value", 0], "unknown_reference")]
    assert errors_of(group(condition("segment", "in", ["vip"])), "opportunity")[0][1] == "unknown_field"
    assert first(condition("account.segment", "in", ["vip"]), "opportunity")
    assert errors_of(group(condition("account.segment", "in", ["vip"])))[0][1] == "unknown_field"
    assert errors_of(group(condition("segment", "eq", ["vip"])))[0][1] == "unknown_operator"
    assert errors_of(group(condition("segment", "in", [])))[0][1] == "empty_list"
    assert errors_of(group(condition("segment", "in", "vip")))[0][1] == "wrong_type"


def test_validate_takes_conditions_over_the_history_of_a_segment():
    vip = segment("vip")
    within = {"segment": "vip", "within": {"n": 30, "unit": "day"}}
    entered = first(condition("segment", "entered_in_last", within))
    assert (entered.segment_ids, entered.within, entered.at) == ((vip.pk,), Duration(30, "day"), None)
    was = first(condition("account.segment", "was_in_at", {"segment": vip.pk, "at": "2026-03-31"}), "contact")
    assert (was.segment_ids, was.at, was.hops) == ((vip.pk,), DateOperand(date=date(2026, 3, 31)), ("account",))
    for value, at, code in (
        (5, [], "wrong_type"),
        (["vip"], [], "wrong_type"),
        ({"segment": "vip"}, [], "missing"),
        ({**within, "at": "today"}, [], "extra_key"),
        ({**within, "segment": "nobody"}, ["segment"], "unknown_reference"),
        ({**within, "segment": ["vip"]}, ["segment"], "wrong_type"),
        ({**within, "within": {"n": 0, "unit": "day"}}, ["within", "n"], "out_of_range"),
    ):
        raw = group(condition("segment", "left_in_last", value))
        assert errors_of(raw) == [(["rules", 0, "value", *at], code)], value
    raw = group(condition("segment", "was_in_at", {"segment": "vip", "at": "31.3.2026"}))
    assert errors_of(raw)[0][0] == ["rules", 0, "value", "at"]
    stored = validate(raw_rule := group(condition("segment", "left_in_last", within)), "account").canonical
    assert stored["rules"] == raw_rule["rules"]
    assert errors_of(group(condition("segment", "entered_in_last", within)), segment_id=vip.pk)[0][1] == "cycle"


def test_validate_refuses_circles_of_segments():
    one, two = segment("one"), segment("two")
    assert errors_of(group(condition("segment", "in", ["one"])), segment_id=one.pk) == [
        (["rules", 0, "value"], "cycle")
    ]
    two.rules = validate(group(condition("segment", "in", ["one"])), "account", segment_id=two.pk).canonical
    two.save()
    assert errors_of(group(condition("segment", "in", ["two"])), segment_id=one.pk)[0][1] == "cycle"
    three = segment("three", rules=group(condition("segment", "in", ["two"])))
    assert errors_of(group(group(condition("segment", "not_in", ["three"]))), segment_id=one.pk) == [
        (["rules", 0, "rules", 0, "value"], "cycle")
    ]
    assert validate(group(condition("segment", "in", ["two"])), "account", segment_id=three.pk)


def test_validate_takes_a_chain_of_8_segments_and_refuses_9():
    segment("s1", rules=group(COUNT))
    for number in range(2, 9):
        raw = group(condition("segment", "in", [f"s{number - 1}"]))
        assert validate(raw, "account")
        last = segment(f"s{number}", rules=raw)
    assert errors_of(group(condition("segment", "in", ["s8"])))[0][1] == "chain"
    bottom = segment("s0", rules=group(COUNT))
    first_of_chain = type(last).objects.get(slug="s1")
    raw = group(condition("segment", "in", ["s0"]))
    assert bottom
    assert errors_of(raw, segment_id=first_of_chain.pk)[0][1] == "chain"


# --- canonical form ---
def test_canonical_form_is_one_for_all_spellings():
    term = factories.TermFactory(vocabulary="tag", slug="vip", name="VIP")
    plain = group(
        condition("account.employee_count", "gte", 10),
        condition("account.tags", "any_of", ["vip"]),
        condition("account.tier", "in", ["1", "2"]),
    )
    other = {
        "rules": [
            {"value": 10.0, "operator": ">=", "field": "account.employee_count", "id": "a", "path": [0]},
            {"field": "account.tags", "operator": "in", "value": [term.pk, "VIP"], "valueSource": "value"},
            {"field": "account.tier", "operator": "in", "value": ["2", "1", "2"]},
        ],
        "not": False,
        "combinator": "and",
        "id": "root",
        "version": 1,
    }
    one, two = validate(plain, "account"), validate(other, "account")
    assert one.canonical == two.canonical
    assert one.digest == two.digest
    assert one.canonical["rules"][1] == {"field": "account.tags", "operator": "any_of", "value": ["vip"]}
    assert validate(plain, "account").digest != validate(group(*reversed(plain["rules"])), "account").digest


def _shuffled(value, rng):
    """Return the same rule with other key order."""
    if isinstance(value, dict):
        keys = list(value)
        rng.shuffle(keys)
        return {key: _shuffled(value[key], rng) for key in keys}
    return [_shuffled(item, rng) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("member_type", MEMBER_TYPES)
def test_random_rules_validate_and_canonical_form_is_idempotent(member_type):
    world = reference_world()

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def run(data):
        raw = data.draw(rules(member_type, world))
        before = copy.deepcopy(raw)
        rule = validate(raw, member_type)
        assert raw == before
        again = validate(rule.canonical, member_type)
        assert again.canonical == rule.canonical
        assert again.digest == rule.digest
        assert validate(_shuffled(raw, random.Random(1)), member_type).digest == rule.digest

    run()


def _checked(raw, member_type):
    """Validate; whatever is refused names what is wrong."""
    try:
        validate(raw, member_type)
    except InvalidRule as error:
        found = [e.message and e.code for e in error.errors]
    else:
        found = ["valid"]
    assert found
    assert all(found)


_KEY_WORDS = """field operator value rules combinator not match mode threshold aggregate function of where version id n
    unit ago ahead for"""
_VALUE_WORDS = """and or account.employee_count account.contacts account.tags account.industry segment match count sum
    eq in is_set between ratio any_of in_last has_been account.lifecycle_stage day today account.custom.x
    contact.email"""
KEYS = st.sampled_from(_KEY_WORDS.split()) | st.text(max_size=5)
WORDS = st.sampled_from(_VALUE_WORDS.split())
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | WORDS
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=25
)


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(JSON, st.sampled_from(MEMBER_TYPES))
def test_validate_raises_nothing_but_invalid_rule(raw, member_type):
    for candidate in (raw, group(raw), {**group(), "rules": [raw, COUNT]}):
        _checked(candidate, member_type)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_validate_survives_rules_with_one_part_replaced(data):
    raw = data.draw(rules(data.draw(st.sampled_from(MEMBER_TYPES))))
    node = raw
    while data.draw(st.booleans()) and isinstance(node, dict | list) and node:
        key = data.draw(st.sampled_from(sorted(node, key=str) if isinstance(node, dict) else range(len(node))))
        if not isinstance(node[key], dict | list) or not node[key]:
            node[key] = data.draw(JSON)
            break
        node = node[key]
    _checked(raw, "account")
