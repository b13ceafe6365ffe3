"""RULES.md sentence by sentence, part 3: keys and prefixes, related rows, figures, ratios, node counts.

The right answers are worked out by hand from the text.
"""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import Contact
from segments.models import Segment
from segments.rules.describe import describe
from segments.rules.preview import preview
from segments.rules.validate import validate
from tests import factories as make

from .asking import at, condition, days, figure, group, keys, names, refused, related
from .making import all_of, built, larger_than

pytestmark = pytest.mark.django_db


def deals(name: str, *amounts: Any, **values: Any) -> Any:
    """Make an account with opportunities of these amounts."""
    account = make.AccountFactory(name=name)
    for amount in amounts:
        make.OpportunityFactory(account=account, amount=amount, **values)
    return account


# --- related rows ---
@pytest.mark.parametrize(
    ("mode", "threshold", "wanted"),
    [
        ("some", None, "both one"),
        ("none", None, "nothing small"),
        ("all", None, "one"),  # all over no rows is FALSE
        ("at_least", 0, "both nothing one small"),
        ("at_least", 1, "both one"),
        ("at_least", 2, ""),
        ("at_most", 0, "nothing small"),
        ("at_most", 1, "both nothing one small"),
        ("exactly", 0, "nothing small"),
        ("exactly", 1, "both one"),
    ],
)
def test_1_modes(mode: str, threshold: int | None, wanted: str) -> None:
    deals("nothing")
    deals("small", 5)
    deals("both", 5, 50)
    deals("one", 50)
    big = condition("opportunity.amount", "gte", 10)
    assert names(related("account.opportunities", mode, big, threshold=threshold)) == wanted


def test_1_without_value_every_related_row() -> None:
    deals("nothing")
    deals("one", 5)
    deals("two", 5, None)
    assert names(related("account.opportunities", "some")) == "one two"
    assert names(related("account.opportunities", "all")) == "one two"
    assert names(related("account.opportunities", "none")) == "nothing"
    assert names(related("account.opportunities", "exactly", threshold=2)) == "two"
    assert names(related("account.opportunities", "at_most", threshold=1)) == "nothing one"


def test_1_all_rules_of_the_inner_group_speak_of_the_same_row() -> None:
    one, two = make.AccountFactory(name="same"), make.AccountFactory(name="split")
    make.ContactFactory(account=one, seniority="vp", department="it")
    make.ContactFactory(account=two, seniority="vp", department="hr")
    make.ContactFactory(account=two, seniority="manager", department="it")
    vp, it = condition("contact.seniority", "eq", "vp"), condition("contact.department", "eq", "it")
    assert names(related("account.contacts", "some", vp, it)) == "same"
    assert (
        names(group(related("account.contacts", "some", vp), related("account.contacts", "some", it))) == "same split"
    )
    # NOT inside the group is another contact than NOT around it.
    no_vp = related("account.contacts", "some", group(vp, negated=True))
    assert names(no_vp) == "split"
    assert names(group(related("account.contacts", "some", vp), negated=True)) == ""


def test_5_1_a_negative_operator_inside_holds_for_rows_with_an_empty_value_but_needs_a_row() -> None:
    make.AccountFactory(name="nobody")
    make.ContactFactory(account=make.AccountFactory(name="blank"), seniority="")
    make.ContactFactory(account=make.AccountFactory(name="vp"), seniority="vp")
    assert names(related("account.contacts", "some", condition("contact.seniority", "neq", "vp"))) == "blank"
    assert names(related("account.contacts", "all", condition("contact.seniority", "neq", "vp"))) == "blank"


# --- figures ---
def test_5_6_count_and_sum_over_no_rows_are_0_and_every_other_figure_is_empty() -> None:
    deals("nothing")
    deals("unknown", None)
    deals("some", 10, 20)
    relation, amount = "account.opportunities", "opportunity.amount"
    assert names(figure(relation, "count", "eq", 0)) == "nothing"
    assert names(figure(relation, "count_distinct", "eq", 0, of=amount)) == "nothing unknown"
    assert names(figure(relation, "sum", "lte", 0, of=amount)) == "nothing unknown"
    assert names(figure(relation, "sum", "neq", 30, of=amount)) == "nothing unknown"
    assert names(figure(relation, "sum", "is_empty", of=amount)) == ""
    for function in ("avg", "min", "max", "first", "last"):
        assert names(figure(relation, function, "lte", 10**6, of=amount)) == "some", function
        assert names(figure(relation, function, "is_empty", of=amount)) == "nothing unknown", function
        assert names(figure(relation, function, "neq", 77, of=amount)) == "nothing some unknown", function
    assert names(figure(relation, "days_since_last", "gte", -(10**6))) == ""
    assert names(figure(relation, "days_since_last", "is_empty")) == "nothing some unknown"


def test_5_1_the_sentence_says_unknown_only_of_figures_that_can_be() -> None:
    relation, amount = "account.opportunities", "opportunity.amount"
    for function, unknown in (("sum", False), ("count_distinct", False), ("avg", True), ("last", True)):
        rule = validate(group(figure(relation, function, "neq", 5, of=amount)), "account")
        assert ("or unknown" in describe(rule)) is unknown, function


def test_5_6_figures_read_the_rows_that_meet_where() -> None:
    deals("a", 1, 2, 30, 40)
    big = group(condition("opportunity.amount", "gte", 10))
    for function, value in (("sum", 70), ("avg", 35), ("min", 30), ("max", 40), ("count_distinct", 2)):
        found = figure("account.opportunities", function, "eq", value, of="opportunity.amount", where=big)
        assert names(found) == "a", function
    assert names(figure("account.opportunities", "count", "between", [2, 2], where=big)) == "a"


def test_5_6_sums_and_means_are_exact() -> None:
    deals("a", Decimal("0.1"), Decimal("0.2"))
    relation, amount = "account.opportunities", "opportunity.amount"
    assert names(figure(relation, "sum", "eq", 0.3, of=amount)) == "a"
    assert names(figure(relation, "sum", "gt", 0.3, of=amount)) == ""
    assert names(figure(relation, "avg", "eq", 0.15, of=amount)) == "a"
    deals("b", 1, 1, 2)  # mean 4/3
    assert names(figure(relation, "avg", "lt", 1.3333333334, of=amount)) == "a b"
    assert names(figure(relation, "avg", "lt", 1.3333333333, of=amount)) == "a"


def test_5_6_first_and_last_order_by_the_declared_date_then_id() -> None:
    """Opportunities order by opened_on, not by the order in which they were made."""
    account = make.AccountFactory(name="a")
    for amount, day in ((3, 3), (1, 1), (2, 2), (9, 3)):
        make.OpportunityFactory(account=account, amount=amount, opened_on=dt.date(2026, 1, day))
    relation, amount_of = "account.opportunities", "opportunity.amount"
    assert names(figure(relation, "first", "eq", 1, of=amount_of)) == "a"
    assert names(figure(relation, "last", "eq", 9, of=amount_of)) == "a"
    small = group(condition(amount_of, "lt", 3))
    assert names(figure(relation, "last", "eq", 2, of=amount_of, where=small)) == "a"
    # The last row's empty value is empty, whatever earlier rows hold.
    make.OpportunityFactory(account=account, amount=None, opened_on=dt.date(2026, 1, 9))
    assert names(figure(relation, "last", "is_empty", of=amount_of)) == "a"
    assert names(figure(relation, "last", "eq", 9, of=amount_of)) == ""


def test_5_6_an_aggregate_takes_the_operators_of_its_results_type() -> None:
    account = make.AccountFactory(name="a")
    stage = make.StageFactory(name="Demo")
    make.OpportunityFactory(
        account=account, stage=stage, type="renewal", name="Big deal", opened_on=dt.date(2026, 1, 5)
    )
    relation = "account.opportunities"
    assert names(figure(relation, "last", "in", ["Demo"], of="opportunity.stage")) == "a"
    assert names(figure(relation, "last", "contains", "deal", of="opportunity.name")) == "a"
    assert names(figure(relation, "first", "eq", "renewal", of="opportunity.type")) == "a"
    assert names(figure(relation, "max", "on", "2026-01-05", of="opportunity.opened_on")) == "a"
    assert names(figure(relation, "last", "is_true", of="opportunity.is_open")) == "a"
    assert refused(figure(relation, "count", "contains", "x"))[0][0] == ("rules", 0, "operator")
    assert refused(figure(relation, "max", "gte", 5, of="opportunity.opened_on"))[0][0] == ("rules", 0, "operator")
    assert refused(figure(relation, "sum", "gte", 5, of="opportunity.opened_on"))[0][0] == (
        "rules",
        0,
        "aggregate",
        "of",
    )
    assert refused(figure(relation, "count", "top_percent", 5))[0][0] == ("rules", 0, "operator")
    assert refused(figure(relation, "count", "gte", 1.5))[0][0] == ("rules", 0, "value")


def test_5_6_days_since_last_counts_local_days() -> None:
    account = make.AccountFactory(name="a")
    make.ActivityFactory(contact=None, account=account, occurred_at=at("2026-03-01T23:59+00:00"))
    as_of = at("2026-03-03T00:01+00:00")
    assert names(figure("account.activities", "days_since_last", "eq", 2), as_of=as_of) == "a"
    assert names(figure("account.activities", "days_since_last", "gt", 2), as_of=as_of) == ""


def test_1_a_ratio_compares_exactly() -> None:
    """13 of 20 is 0.65; an account without closed deals has no ratio."""
    won, lost, open_ = make.StageFactory(is_won=True), make.StageFactory(is_lost=True), make.StageFactory()
    for name, wins, losses, others in (("13/20", 13, 7, 5), ("2/3", 2, 1, 0), ("none", 0, 0, 3), ("0/1", 0, 1, 0)):
        account = make.AccountFactory(name=name)
        for stage, count in ((won, wins), (lost, losses), (open_, others)):
            make.OpportunityFactory.create_batch(count, account=account, stage=stage)

    def ratio(operator: str, *value: Any, where: bool = True) -> str:
        is_won = group(condition("opportunity.is_won", "is_true"))
        closed = group(condition("opportunity.is_open", "is_false"))
        return names(
            figure("account.opportunities", "ratio", operator, *value, of=closed, where=is_won if where else None)
        )

    assert ratio("gte", 0.65) == "13/20 2/3"
    assert ratio("eq", 0.65) == "13/20"
    assert ratio("gt", 0.65) == "2/3"
    assert ratio("lt", 0.65) == "0/1"
    assert ratio("lte", 0.6666666666) == "0/1 13/20"
    assert ratio("between", [0, 0.65]) == "0/1 13/20"
    assert ratio("neq", 0.65) == "0/1 2/3 none"
    assert ratio("is_empty") == "none"
    assert ratio("eq", 1, where=False) == "0/1 13/20 2/3"


# --- keys ---
def test_2_to_one_prefixes_from_the_rules_own_record() -> None:
    top = make.AccountFactory(name="top", country="DE")
    low = make.AccountFactory(name="low", country="FR", parent_account=top)
    contact = make.ContactFactory(last_name="c", account=low)
    deal = make.OpportunityFactory(name="d", account=low)
    seen = make.ActivityFactory(contact=contact, account=top)
    parent = condition("account.parent.country", "eq", "DE")
    assert names(parent) == "low"
    assert keys(parent, "contact") == {contact.pk}
    assert keys(parent, "opportunity") == {deal.pk}
    assert keys(parent, "activity") == set()
    assert keys(condition("account.country", "eq", "DE"), "activity") == {seen.pk}
    assert keys(condition("contact.last_name", "eq", "c"), "activity") == {seen.pk}
    for key in ("account.parent.parent.country", "contact.country", "opportunity.name", "account.nope"):
        assert refused(condition(key, "is_set")) == [(("rules", 0, "field"), "unknown_field")], key
    assert refused(condition("opportunity.name", "is_set"), "contact") == [(("rules", 0, "field"), "unknown_field")]


def test_2_in_an_inner_group_the_prefix_means_that_row() -> None:
    """`account.` inside `contact.accounts` is each of the accounts; outside it is the primary one."""
    first, second = make.AccountFactory(country="DE"), make.AccountFactory(country="FR")
    person = make.ContactFactory(account=first)
    make.ContactAccountFactory(contact=person, account=second)
    german, french = condition("account.country", "eq", "DE"), condition("account.country", "eq", "FR")
    assert keys(german, "contact") == {person.pk}
    assert keys(french, "contact") == set()
    assert keys(related("contact.accounts", "some", french), "contact") == {person.pk}
    assert keys(related("contact.accounts", "some", german, french), "contact") == set()
    assert keys(related("contact.accounts", "exactly", threshold=2), "contact") == {person.pk}
    # account.contacts are the primary contacts.
    assert keys(related("account.contacts", "some")) == {first.pk}


def test_2_account_inside_a_row_is_that_rows_account_never_the_outer_record() -> None:
    """An activity stays with the account where it happened when the person moves."""
    old, new = make.AccountFactory(name="old"), make.AccountFactory(name="new")
    person = make.ContactFactory(account=new)
    make.ActivityFactory(contact=person, account=old)
    at_old = related("contact.activities", "some", condition("account.name", "eq", "old"))
    at_new = related("contact.activities", "some", condition("account.name", "eq", "new"))
    assert keys(at_old, "contact") == {person.pk}
    assert keys(at_new, "contact") == set()
    # From the old account: an activity whose contact is now elsewhere.
    assert names(related("account.activities", "some", condition("contact.account", "eq", new.pk))) == "old"


def test_2_children_and_their_own_rows() -> None:
    top = make.AccountFactory(name="top", country="DE")
    low = make.AccountFactory(name="low", country="FR", parent_account=top)
    make.ContactFactory(account=low, seniority="vp")
    make.ContactFactory(account=top, seniority="manager")
    vp = condition("contact.seniority", "eq", "vp")
    assert names(related("account.children", "some", condition("account.country", "eq", "FR"))) == "top"
    assert names(related("account.children", "some", condition("account.parent.country", "eq", "DE"))) == "top"
    assert names(related("account.children", "some", related("account.contacts", "some", vp))) == "top"
    # Inside a contact, account's relations are those of that contact's account.
    inside = related("account.contacts", "some", figure("account.opportunities", "count", "gte", 1))
    make.OpportunityFactory(account=top)
    assert names(inside) == "top"


def test_2_contact_role_of_an_opportunity() -> None:
    deal, other = make.OpportunityFactory(amount=100), make.OpportunityFactory(amount=5)
    person = make.ContactFactory(account=deal.account)
    for role in ("champion", "end_user"):
        make.OpportunityContactFactory(opportunity=deal, contact=person, role=role)
    make.OpportunityContactFactory(opportunity=other, contact=person, role="blocker")
    colleague = make.ContactFactory(account=deal.account)
    make.OpportunityContactFactory(opportunity=deal, contact=colleague, role="blocker")

    def role(*tokens: str, more: Any = None) -> set[int]:
        inner = [condition("opportunity.contact_role", "in", list(tokens)), *([more] if more else [])]
        return keys(related("contact.opportunities", "some", *inner), "contact")

    assert role("champion") == {person.pk}
    assert role("blocker") == {person.pk, colleague.pk}
    assert role("blocker", more=condition("opportunity.amount", "gte", 50)) == {colleague.pk}
    # Two roles in one opportunity are one opportunity.
    assert keys(related("contact.opportunities", "exactly", threshold=2), "contact") == {person.pk}
    assert keys(figure("contact.opportunities", "sum", "eq", 105, of="opportunity.amount"), "contact") == {person.pk}
    assert refused(condition("opportunity.contact_role", "eq", "champion"), "opportunity")[0][1] == "unknown_field"


def test_2_a_relation_key_takes_only_match_and_aggregate() -> None:
    assert refused(condition("account.contacts", "is_set")) == [(("rules", 0, "field"), "relation_key")]
    assert refused(related("contact.opportunities", "some"))[0][0] == ("rules", 0, "field")
    assert refused(related("account.name", "some"))[0][0] == ("rules", 0, "field")


def test_2_segments_of_the_rules_own_type_and_of_the_account() -> None:
    large = make.AccountFactory(name="large", employee_count=500)
    small = make.AccountFactory(name="small", employee_count=5)
    built(larger_than(100), "Large ones")
    slug = Segment.objects.get().slug
    working = make.ContactFactory(account=large)
    others = {make.ContactFactory(account=small).pk, make.ContactFactory(account=None).pk}
    assert keys(condition("segment", "in", [slug])) == {large.pk}
    assert keys(condition("segment", "not_in", [slug])) == {a.pk for a in (small,)}
    assert keys(condition("account.segment", "in", [slug]), "contact") == {working.pk}
    assert keys(condition("account.segment", "not_in", [slug]), "contact") == others
    # A segment of accounts is none of contacts.
    assert refused(condition("segment", "in", [slug]), "contact") == [(("rules", 0, "value", 0), "unknown_reference")]
    assert refused(condition("segment", "in", []))[0][0] == ("rules", 0, "value")
    in_large = related("account.contacts", "some", condition("account.segment", "in", [slug]))
    assert keys(in_large) == {large.pk}


def test_5_4_deleted_and_merged_records_are_out_of_reach() -> None:
    account = make.AccountFactory(name="a", country="DE")
    gone = make.ContactFactory(account=account)
    Contact.objects.filter(pk=gone.pk).update(erased_at=at("2026-01-01T00:00Z"))
    assert names(related("account.contacts", "some")) == ""
    person = make.ContactFactory(account=account)
    type(account).objects.filter(pk=account.pk).update(deleted_at=at("2026-01-01T00:00Z"))
    assert keys(condition("account.country", "is_empty"), "contact") == {person.pk}
    assert keys(related("contact.accounts", "none"), "contact") == {person.pk}


# --- node counts ---
def test_6_nodes_count_members_with_paths_and_units() -> None:
    one = make.AccountFactory(employee_count=500)
    make.ContactFactory(account=one, seniority="vp", department="it")
    make.ContactFactory(account=one, seniority="manager", department="hr")
    make.ContactFactory(account=make.AccountFactory(), seniority="vp", department="hr")
    make.AccountFactory()
    vp, it = condition("contact.seniority", "eq", "vp"), condition("contact.department", "eq", "it")
    nobody = related("account.contacts", "none", vp, group(it, negated=True))
    ratio = figure("account.contacts", "ratio", "gte", 0.5, of=group(vp), where=group(it))
    answer = preview(all_of(*larger_than(50)["rules"], nobody, ratio), "account", make.UserFactory()).as_dict()
    found = {tuple(node["path"]): (node["count"], node["unit"]) for node in answer["nodes"]}
    inner = "accounts with such a contact"
    assert found == {
        (): (1, "accounts"),
        ("rules", 0): (1, "accounts"),
        ("rules", 1): (2, "accounts"),  # the first has no vp outside IT, the third has nobody
        # Inside, the mode of the group does not matter: members with at least one such contact.
        ("rules", 1, "value"): (1, inner),
        ("rules", 1, "value", "rules", 0): (2, inner),
        ("rules", 1, "value", "rules", 1): (2, inner),
        ("rules", 1, "value", "rules", 1, "rules", 0): (1, inner),
        ("rules", 2): (1, "accounts"),
        ("rules", 2, "where"): (1, inner),
        ("rules", 2, "where", "rules", 0): (1, inner),
        ("rules", 2, "aggregate", "of"): (2, inner),
        ("rules", 2, "aggregate", "of", "rules", 0): (2, inner),
    }
    assert (answer["count"], answer["total"], answer["undecided"]) == (1, 3, None)
    assert answer["sample"] == [{"id": one.pk, "name": str(one)}]


def test_5_5_a_window_inside_a_related_group() -> None:
    account = make.AccountFactory(name="a")
    make.PurchaseFactory(account=account, ordered_at=at("2026-03-01T10:00Z"), amount=5)
    recent = condition("purchase.ordered_at", "in_last", days(1, "month"))
    for day, wanted in (("2026-03-01T10:00Z", ""), ("2026-04-01T09:00Z", "a"), ("2026-04-02T09:00Z", "")):
        assert names(related("account.purchases", "some", recent), as_of=at(day)) == wanted, day
