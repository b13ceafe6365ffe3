"""RULES.md sentence by sentence, part 4: shapes, react-querybuilder's spellings, limits, and errors at their paths."""

import datetime as dt
from typing import Any

import pytest

from segments.rules.validate import validate
from tests import factories as make
from tests.support.api import caller

from .asking import at, condition, figure, group, in_zone, names, refused, related

pytestmark = pytest.mark.django_db


def test_1_react_querybuilder_spellings() -> None:
    account = make.AccountFactory(name="a", city="Rome", employee_count=5, customer_since=dt.date(2026, 1, 5))
    make.ContactFactory(account=account, seniority="vp")
    builder = {"id": "x", "path": [0], "valueSource": "value", "disabled": False}
    for operator, value, wanted in (
        ("=", "rome", "a"), ("!=", "rome", ""), ("beginsWith", "ro", "a"), ("doesNotContain", "x", "a"),
        ("doesNotBeginWith", "ro", ""), ("endsWith", "me", "a"), ("doesNotEndWith", "me", ""), ("notNull", "", "a"),
        ("null", None, ""), ("notIn", ["rome"], ""),
    ):  # fmt: skip
        assert names({**condition("account.city", operator, value), **builder}) == wanted, operator
    for operator, value in (("<", 6), ("<=", 5), (">", 4), (">=", 5), ("between", [5, 5]), ("notBetween", [6, 7])):
        assert names(condition("account.employee_count", operator, value)) == "a", operator
    for operator in ("=", "<=", ">="):
        assert names(condition("account.customer_since", operator, "2026-01-05")) == "a", operator
    vp = {"id": "g", **group({**condition("contact.seniority", "=", "vp"), **builder})}
    for mode in ("atLeast", "atMost", "exactly", "some", "all"):
        rule = {"field": "account.contacts", "operator": "=", "match": {"mode": mode, "threshold": 1}, "value": vp}
        assert names({**group({**rule, **builder}), "id": "r"}) == "a", mode


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        ({**condition("account.city", "eq", "x"), "valueSource": "field"}, ("rules", 0, "valueSource")),
        ({**condition("account.city", "eq", "x"), "disabled": True}, ("rules", 0, "disabled")),
        ({**condition("account.city", "eq", "x"), "extra": 1}, ("rules", 0, "extra")),
        ({**condition("account.city", "eq", "x"), "not": True}, ("rules", 0, "not")),
        (related("account.contacts", "at_least", threshold=0.5), ("rules", 0, "match", "threshold")),  # type: ignore[arg-type]
        (related("account.contacts", "at_least"), ("rules", 0, "match", "threshold")),
        (related("account.contacts", "at_least", threshold=-1), ("rules", 0, "match", "threshold")),
        (related("account.contacts", "most"), ("rules", 0, "match", "mode")),
        (group(), ("rules", 0, "rules")),
        ({**group(condition("account.city", "is_set")), "version": 1}, ("rules", 0, "version")),
        ({"rules": [condition("account.city", "is_set")]}, ("rules", 0, "combinator")),
        (condition("account.city", "is_set", "x"), ("rules", 0, "value")),
        (condition("account.city", "eq"), ("rules", 0, "value")),
        (condition("account.city", "like", "x"), ("rules", 0, "operator")),
        (condition("account.city", "in", []), ("rules", 0, "value")),
        (condition("account.employee_count", "between", [5]), ("rules", 0, "value")),
        (condition("account.employee_count", "between", [5, 4]), ("rules", 0, "value")),
        (figure("account.contacts", "median", "gte", 1), ("rules", 0, "aggregate", "function")),
        (figure("account.contacts", "count", "gte", 1, where=group()), ("rules", 0, "where", "rules")),
        ({**figure("account.contacts", "count", "gte", 1), "match": {"mode": "some"}}, ("rules", 0, "match")),
    ],
)
def test_1_refused_with_a_path(rule: dict[str, Any], path: tuple[Any, ...]) -> None:
    found = refused({"combinator": "and", "rules": [rule]})
    assert [entry[0] for entry in found] == [path]


def test_1_combinators_between_rules_are_refused_and_every_error_is_told() -> None:
    city = condition("account.city", "is_set")
    assert (("rules", 1), "combinator_between") in refused({"combinator": "and", "rules": [city, "or", city]})
    found = refused(group(condition("account.x", "eq", 1), group(condition("account.city", "eq", 5)), city))
    assert [path for path, _ in found] == [("rules", 0, "field"), ("rules", 1, "rules", 0, "value")]


def nested(levels: int) -> dict[str, Any]:
    """Return groups this many deep, the innermost holding a condition."""
    rule = condition("account.city", "is_set")
    for _ in range(levels):
        rule = group(rule)
    return rule


def test_1_limits() -> None:
    """8 groups deep, 3 related levels, 200 atoms, 1,000 values in a list, 10,000 in a rule."""
    validate(nested(8), "account")
    assert {code for _, code in refused(nested(9))} == {"too_deep"}
    chain: dict[str, Any] = related("account.children", "some")
    for _ in range(2):
        chain = related("account.children", "some", chain)
    validate(group(chain), "account")
    assert {code for _, code in refused(related("account.children", "some", chain))} == {"too_deep"}
    validate(group(*[nested(0)] * 200), "account")
    assert refused(group(*[nested(0)] * 201)) == [((), "too_many_atoms")]
    # A related node is an atom, and so is what stands inside.
    validate(group(*[related("account.contacts", "some", condition("contact.email", "is_set"))] * 100), "account")
    two = [related("account.contacts", "some", condition("contact.email", "is_set"))] * 100
    assert refused(group(*two, nested(0))) == [((), "too_many_atoms")]
    texts = [f"t{n}" for n in range(1001)]
    validate(group(*[condition("account.city", "in", texts[:1000])] * 10), "account")
    assert refused(condition("account.city", "in", texts)) == [(("rules", 0, "value"), "too_many")]
    many = [condition("account.city", "in", texts[:1000])] * 10
    assert refused(group(*many, condition("account.city", "in", ["x"]))) == [((), "too_many_values")]
    validate(group(condition("account.city", "eq", "x" * 1000)), "account")


# --- through the API ---
def ask(rules: str, more: str = "", member: str = "account") -> tuple[int, dict[str, Any]]:
    """Post the text of a rule to the preview; return status and body."""
    body = f'{{"member_type": "{member}", "rules": {rules}{more}}}'
    answer = caller(make.UserFactory()).post(
        "/api/v1/segments/preview/", data=body.encode(), content_type="application/json"
    )
    return answer.status_code, answer.json()


@pytest.mark.parametrize(
    "value", ["NaN", "Infinity", "1e999", '"\\u0000"', '"\\ud800"', '"1200"', "true", "[1]", "{}", "1.5", "-0.0"]
)
def test_3_wrong_values_are_400_at_their_path(value: str) -> None:
    one = f'{{"field": "account.employee_count", "operator": "gte", "value": {value}}}'
    for rules, path in (
        (f'{{"combinator": "and", "rules": [{one}]}}', ["rules", 0, "value"]),
        (
            '{"combinator": "or", "rules": [{"field": "account.children", "operator": "match",'
            f' "match": {{"mode": "some"}}, "value": {{"combinator": "and", "rules": [{one}]}}}}]}}',
            ["rules", 0, "value", "rules", 0, "value"],
        ),
    ):
        status, body = ask(rules)
        assert status == 400
        assert [error["path"] for error in body["errors"]] == [path]
        assert {"path", "field", "code", "message"} == set(body["errors"][0])


def test_1_a_duplicate_key_is_400() -> None:
    status, _ = ask('{"combinator": "and", "combinator": "or", "rules": []}')
    assert status == 400


def test_5_4_a_bare_date_as_as_of_through_the_api() -> None:
    """Auckland's 5 April 2026 ends at 12:00 UTC."""
    in_zone("Pacific/Auckland")
    for minute in ("2026-04-05T11:59:00+00:00", "2026-04-05T12:00:00+00:00"):
        make.ActivityFactory(occurred_at=at(minute))
    rules = '{"combinator": "and", "rules": [{"field": "activity.type", "operator": "is_set"}]}'
    for as_of, count in (
        ("2026-04-05", 1), ("2026-04-06", 2), ("2026-04-05T12:00:00Z", 1), ("2026-04-06T00:00:01", 2),
    ):  # fmt: skip
        status, body = ask(rules, f', "as_of": "{as_of}"', "activity")
        assert (status, body["count"], body["total"]) == (200, count, count), as_of
        assert body["note"]
        assert body["nodes"][0] == {"path": [], "count": count, "unit": "activities"}
    assert ask(rules, ', "as_of": "yesterday"', "activity")[0] == 400
    for zone in ("Pacific/Kiritimati", "America/New_York"):
        in_zone(zone)
        for as_of, count in (("0001-01-01", 0), ("0001-01-01T00:00:00Z", 0), ("9999-12-31", 2)):
            status, body = ask(rules, f', "as_of": "{as_of}"', "activity")
            assert (status, body["count"]) == (200, count), as_of
