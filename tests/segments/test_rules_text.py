"""RULES.md sentence by sentence, part 1: empties, texts, trees, multi fields, references, ranking, viewers.

The right answers are worked out by hand from the text; every world is a handful of records.
"""

from decimal import Decimal
from typing import Any

import pytest

from accounts.models import IndustryCode
from segmentation_crm.common.models import Role
from segments.rules.operators import BY_TYPE
from segments.rules.preview import preview
from segments.rules.validate import validate
from tests import factories as make

from .asking import condition, days, group, keys, names, refused, related

pytestmark = pytest.mark.django_db

NEGATIVE = {
    *("neq", "not_in", "not_contains", "not_starts_with", "not_ends_with", "not_matches_word", "not_under"),
    *("none_of", "not_between", "not_on", "not_in_last", "not_in_next", "not_in_period", "has_never_been"),
}
# type -> a field and how to write operands for it.
FIELDS = {
    "text": "account.city",
    "enum": "account.tier",
    "reference": "account.owner",
    "tree": "account.sic_code",
    "multi": "account.buying_criteria",
    "integer": "account.employee_count",
    "decimal": "account.custom.ratio",
    "percent": "account.revenue_growth_12m",
    "money": "account.annual_revenue",
    "boolean": "account.custom.green",
    "date": "account.customer_since",
    "datetime": "account.became_customer_at",
}


def operand(kind: str, operator: str, user: int) -> list[Any]:
    """Return the value of a condition, none where the operator takes none."""
    one = {
        "text": "Berlin",
        "enum": "1",
        "reference": user,
        "tree": "D",
        "multi": "price",
        **dict.fromkeys(("date", "datetime"), "2026-01-05"),
    }.get(kind, 5)
    if operator in ("is_empty", "is_set", "is_true", "is_false"):
        return []
    if operator in ("in", "not_in", "any_of", "all_of", "none_of", "only_of", "has_ever_been", "has_never_been"):
        return [[one]]
    if operator in ("between", "not_between"):
        return [[one, one]]
    if operator == "has_been":
        return [{"value": one, "for": days(1)}]
    if operator == "count":
        return [{"operator": "gte", "value": 1}]
    if operator in ("in_period", "not_in_period"):
        return ["this_year"]
    if operator.endswith(("in_last", "in_next", "more_than_ago")):
        return [days(30)]
    return [one]


@pytest.mark.parametrize("kind", FIELDS)
def test_5_1_negative_operators_include_the_empty_and_all_others_are_false_on_it(kind: str) -> None:
    """Both an empty value and a record that is not there (the account of a contact without one) are empty."""
    user = make.UserFactory()
    make.CustomFieldFactory(key="ratio", type="decimal")
    make.CustomFieldFactory(key="green", type="boolean")
    empty = make.AccountFactory(city="  ").pk
    nobody = make.ContactFactory(account=None).pk
    history = ["has_ever_been", "has_never_been", "has_been"] if kind == "enum" else []
    for operator in [*BY_TYPE[kind], *history]:
        asked = condition(FIELDS[kind], operator, *operand(kind, operator, user.pk))
        if operator in ("top_percent", "bottom_percent"):
            asked["value"] = 100
        wanted = operator in NEGATIVE or operator == "is_empty"
        assert keys(asked) == ({empty} if wanted else set()), operator
        assert keys(asked, "contact") == ({nobody} if wanted else set()), operator


def test_5_1_blank_only_and_null_are_one_empty() -> None:
    for name, city in (("a", ""), ("b", "   "), ("c", "\t\n"), ("d", "x")):
        make.AccountFactory(name=name, city=city)
    assert names(condition("account.city", "is_empty")) == "a b c"
    assert names(condition("account.city", "neq", "X")) == "a b c"
    assert names(condition("account.city", "is_set")) == "d"


def test_5_1_is_false_is_positive() -> None:
    won, open_ = make.StageFactory(is_won=True), make.StageFactory()
    make.OpportunityFactory(name="won", stage=won)
    make.OpportunityFactory(name="open", stage=open_)
    make.OpportunityFactory(name="unknown", stage=None)
    assert names(condition("opportunity.is_won", "is_false"), "opportunity") == "open"
    assert names(group(condition("opportunity.is_won", "is_true"), negated=True), "opportunity") == "open unknown"


@pytest.mark.parametrize("operator", ["neq", "not_contains", "not_in", "not_matches_word"])
def test_5_1_the_sentence_says_or_unknown(operator: str) -> None:
    value = ["x"] if operator == "not_in" else "x"
    rule = validate(group(condition("account.city", operator, value)), "account")
    from segments.rules.describe import describe

    assert "or unknown" in describe(rule)


def test_5_3_text_compares_by_casefold_and_nfc_outer_blanks_trimmed() -> None:
    for name, city in (("a", " STRASSE "), ("b", "straße"), ("c", "Stras se"), ("d", "Cafe\u0301"), ("e", "CAFÉ Ω")):
        make.AccountFactory(name=name, city=city)
    assert names(condition("account.city", "eq", "  Straße ")) == "a b"
    assert names(condition("account.city", "starts_with", "café")) == "d e"
    assert names(condition("account.city", "ends_with", "ω")) == "e"
    assert names(condition("account.city", "in", ["CAFÉ", "strasse"])) == "a b d"


def test_5_3_percent_underscore_and_backslash_are_letters_like_others() -> None:
    for name, city in (("a", "100%"), ("b", "100 x"), ("c", "a_b"), ("d", "acb"), ("e", "a\\b"), ("f", "a.b")):
        make.AccountFactory(name=name, city=city)
    assert names(condition("account.city", "contains", "0%")) == "a"
    assert names(condition("account.city", "contains", "a_b")) == "c"
    assert names(condition("account.city", "starts_with", "a\\")) == "e"
    assert names(condition("account.city", "ends_with", ".b")) == "f"
    assert names(condition("account.city", "matches_word", "a.b")) == "f"
    assert names(condition("account.city", "not_contains", "%")) == "b c d e f"


def test_3_and_4_words_match_whole() -> None:
    for name, title in (("a", "Head of Sales"), ("b", "Salesforce admin"), ("c", "Pre-sales"), ("d", "Presales")):
        make.ContactFactory(last_name=name, job_title=title)
    assert names(condition("contact.job_title", "matches_word", "SALES"), "contact") == "a c"


# --- trees ---
@pytest.fixture
def coded() -> None:
    """Accounts named by their code."""
    sic = {c.code: c for c in IndustryCode.objects.filter(system="sic", code__in=["D", "35", "3571", "3711", "7372"])}
    naics = {
        c.code: c for c in IndustryCode.objects.filter(system="naics", code__in=["31-33", "311", "334111", "5112"])
    }
    assert {"D", "35", "3571", "3711", "7372", "31-33", "311", "334111"} <= {*sic, *naics}
    for code, row in sic.items():
        make.AccountFactory(name=f"sic{code}", sic_code=row)
    for code, row in naics.items():
        make.AccountFactory(name=f"naics{code}", naics_code=row)


@pytest.mark.parametrize(
    ("field", "operator", "value", "wanted"),
    [
        ("sic_code", "under", "D", "sic35 sic3571 sic3711 sicD"),
        ("sic_code", "under", "35", "sic35 sic3571"),
        ("sic_code", "under", "3571", "sic3571"),
        ("sic_code", "eq", "35", "sic35"),
        ("naics_code", "under", "31-33", "naics31-33 naics311 naics334111"),
        ("naics_code", "under", "334", "naics334111"),
        ("naics_code", "under", "31-33 ", "naics31-33 naics311 naics334111"),
    ],
)
def test_4_under_takes_any_node(coded: None, field: str, operator: str, value: str, wanted: str) -> None:
    assert names(condition(f"account.{field}", operator, value)) == wanted


def test_4_not_under_includes_the_empty(coded: None) -> None:
    make.AccountFactory(name="none")
    found = names(condition("account.sic_code", "not_under", "D")).split()
    assert {"none", "sic7372"} <= set(found)
    assert not {"sicD", "sic35", "sic3571", "sic3711"} & set(found)


def test_4_under_in_a_tree_kept_by_users() -> None:
    top = make.TermFactory(vocabulary="industry", slug="making", name="Making")
    low = make.TermFactory(vocabulary="industry", slug="cars", name="Cars", parent=top)
    make.AccountFactory(name="top", industry=top)
    make.AccountFactory(name="low", industry=low)
    make.AccountFactory(name="none")
    assert names(condition("account.industry", "under", "making")) == "low top"
    assert names(condition("account.industry", "eq", "MAKING")) == "top"
    assert names(condition("account.industry", "not_under", "Cars")) == "none top"


# --- multi ---
def test_4_multi() -> None:
    for name, tokens in (("none", ""), ("p", "price"), ("pq", "price quality"), ("d", "delivery")):
        account = make.AccountFactory(name=name)
        for token in tokens.split():
            make.AccountValueFactory(account=account, field="buying_criteria", token=token, term=None)
    field, both = "account.buying_criteria", ["price", "quality"]
    assert names(condition(field, "any_of", both)) == "p pq"
    assert names(condition(field, "all_of", both)) == "pq"
    assert names(condition(field, "none_of", both)) == "d none"
    # only_of needs a non-empty set.
    assert names(condition(field, "only_of", both)) == "p pq"
    assert names(condition(field, "count", {"operator": "gte", "value": 2})) == "pq"
    assert names(condition(field, "is_empty")) == "none"
    # count is positive too: FALSE on empty, whatever number it asks for.
    assert names(condition(field, "count", {"operator": "lte", "value": 1})) == "d p"
    assert names(condition(field, "count", {"operator": "eq", "value": 0})) == ""


def test_3_tokens_are_strings() -> None:
    make.AccountFactory(name="a", tier="1")
    january = make.AccountFactory(name="b", tier="2")
    make.AccountValueFactory(account=january, field="seasonality", token="01", term=None)
    assert names(condition("account.tier", "eq", "1")) == "a"
    assert names(condition("account.seasonality", "any_of", ["01"])) == "b"
    assert refused(condition("account.tier", "eq", 1)) == [(("rules", 0, "value"), "wrong_type")]
    assert refused(condition("account.seasonality", "any_of", ["1", 1]))[0][0] == ("rules", 0, "value", 0)
    assert refused(condition("account.tier", "eq", "4")) == [(("rules", 0, "value"), "unknown_choice")]


# --- references ---
def test_3_an_integer_is_an_id_and_a_string_the_natural_key() -> None:
    ann = make.UserFactory(username="ann")
    tag = make.TermFactory(slug="vip", name="Very Important")
    parent = make.AccountFactory(name="Parent", domain="parent.example")
    twins = [make.AccountFactory(name="Twin") for _ in range(2)]
    child = make.AccountFactory(name="child", owner=ann, parent_account=parent)
    make.AccountValueFactory(account=child, field="tags", term=tag)
    for value in (ann.pk, "ann"):
        assert keys(condition("account.owner", "eq", value)) == {child.pk}
    for value in (tag.pk, "vip", "very important"):
        assert keys(condition("account.tags", "any_of", [value])) == {child.pk}
    for value in (parent.pk, "parent.example", "Parent"):
        assert keys(condition("account.parent_account", "eq", value)) == {child.pk}
    assert refused(condition("account.parent_account", "eq", "Twin")) == [(("rules", 0, "value"), "ambiguous")]
    assert keys(condition("account.parent_account", "eq", twins[0].pk)) == set()
    assert refused(condition("account.owner", "eq", str(ann.pk))) == [(("rules", 0, "value"), "unknown_reference")]
    anna = make.ContactFactory(email="Anna@x.example")
    seen = make.ActivityFactory(contact=anna)
    assert keys(condition("activity.contact", "eq", "anna@X.example"), "activity") == {seen.pk}


def test_3_no_coercion_between_types() -> None:
    make.AccountFactory(name="a", employee_count=1200)
    assert names(condition("account.employee_count", "eq", 1200.0)) == "a"
    for value in ("1200", True, None, [1200], 1200.5, float("nan"), float("inf")):
        assert refused(condition("account.employee_count", "eq", value))[0][0] == ("rules", 0, "value"), value
    for value in (5, True, "a\x00b", "\ud800", " ", "x" * 1001):
        assert refused(condition("account.city", "eq", value))[0][0] == ("rules", 0, "value")
    assert refused(condition("account.city", "in", ["x", 5]))[0][0] == ("rules", 0, "value", 1)


def test_5_7_money_compares_the_reporting_amount() -> None:
    make.ExchangeRateFactory(base="EUR", quote="USD", on_date="2020-01-01", rate=Decimal(2))
    make.AccountFactory(name="dollars", annual_revenue=100, annual_revenue_currency="USD")
    make.AccountFactory(name="euros", annual_revenue=100, annual_revenue_currency="EUR")
    make.AccountFactory(name="unconverted", annual_revenue=100, annual_revenue_currency="JPY")
    assert names(condition("account.annual_revenue", "gte", 200)) == "euros"
    assert names(condition("account.annual_revenue", "eq", 100)) == "dollars"
    assert names(condition("account.annual_revenue", "is_empty")) == "unconverted"


# --- ranking ---
@pytest.mark.parametrize(
    ("operator", "percent", "wanted"),
    [
        # n = 5 with a value: 60 50 50 40 30; rank ceil(p · 5 / 100).
        ("top_percent", 20, "a"),  # rank 1
        ("top_percent", 20.1, "a b c"),  # rank 2: 50, ties in
        ("top_percent", 40, "a b c"),
        ("top_percent", 60, "a b c"),  # rank 3: 50
        ("top_percent", 61, "a b c d"),
        ("top_percent", 100, "a b c d e"),
        ("bottom_percent", 0.5, "e"),  # rank 1
        ("bottom_percent", 40, "d e"),
        ("bottom_percent", 41, "b c d e"),
    ],
)
def test_5_8_threshold_is_the_value_at_the_rank_with_ties_in(operator: str, percent: float, wanted: str) -> None:
    for name, count in (("a", 60), ("b", 50), ("c", 50), ("d", 40), ("e", 30), ("none", None)):
        make.AccountFactory(name=name, employee_count=count)
    gone = make.AccountFactory(name="gone", employee_count=1000)
    type(gone).objects.filter(pk=gone.pk).update(deleted_at="2026-01-01T00:00:00Z")
    merged = make.AccountFactory(name="merged", employee_count=1)
    type(gone).objects.filter(pk=merged.pk).update(merged_into=gone)
    assert names(condition("account.employee_count", operator, percent)) == wanted


def test_5_8_the_population_is_all_live_records_of_the_member_type_whoever_looks() -> None:
    rep = make.UserFactory(role=Role.SALES_REP)
    make.AccountFactory(name="big", employee_count=100)
    mine = make.AccountFactory(name="mine", employee_count=10, owner=rep)
    top = condition("account.employee_count", "top_percent", 50)
    # Other conditions do not narrow the population.
    assert names(group(top, condition("account.name", "eq", "mine"))) == ""
    assert preview(group(top), "account", rep).count == 0
    # Of contacts each contact counts, with its account's value.
    for account in (mine, mine, mine, make.AccountFactory(employee_count=7)):
        make.ContactFactory(account=account)
    found = keys(condition("account.employee_count", "bottom_percent", 50), "contact")
    assert len(found) == 4  # 7 10 10 10: rank 2 is 10
    assert len(keys(condition("account.employee_count", "bottom_percent", 25), "contact")) == 1


def test_5_8_not_inside_related_where_or_aggregates() -> None:
    ranked = condition("contact.custom.x", "top_percent", 5)
    make.CustomFieldFactory(record="contact", key="x", type="integer")
    assert refused(related("account.contacts", "some", ranked)) == [
        (("rules", 0, "value", "rules", 0, "operator"), "not_here")
    ]
    for value in (0, -1, 100.1, "5"):
        assert refused(condition("account.employee_count", "top_percent", value))[0][0] == ("rules", 0, "value")


# --- who looks ---
def test_5_9_verdicts_read_all_rows_and_results_are_intersected() -> None:
    """A contact of mine at two accounts, one of which I cannot see."""
    rep = make.UserFactory(role=Role.SALES_REP)
    mine = make.AccountFactory(name="mine", owner=rep)
    other = make.AccountFactory(name="other", country="FR")
    person = make.ContactFactory(account=mine, owner=rep)
    make.ContactAccountFactory(contact=person, account=other)
    make.ContactFactory(account=other)
    hidden = related("contact.accounts", "some", condition("account.country", "eq", "FR"))
    everyone = make.UserFactory(role=Role.ADMIN)
    for user, count, total in ((rep, 1, 1), (everyone, 2, 2)):
        answer = preview(group(hidden), "contact", user)
        assert (answer.count, answer.total, len(answer.sample)) == (count, total, count)
        assert {node.count for node in answer.nodes} == {count}


def test_5_1_count_of_a_multi_field_is_false_on_empty_whatever_the_number() -> None:
    """`count` is none of the negative operators, so "fewer than 3" does not hold where nothing is known."""
    make.AccountFactory(name="none")
    one = make.AccountFactory(name="one")
    one.values_multi.create(field="buying_criteria", token="price")
    for asked in ({"operator": "lt", "value": 3}, {"operator": "eq", "value": 1}, {"operator": "neq", "value": 3}):
        assert names(condition("account.buying_criteria", "count", asked)) == "one"
    assert names(condition("account.buying_criteria", "count", {"operator": "eq", "value": 0})) == ""
