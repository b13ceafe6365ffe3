"""Asking rules of small hand-made worlds: one answer, by the query, the bitmaps and the oracle alike."""

import datetime as dt
from typing import Any

from segmentation_crm.common.fields import registry
from segmentation_crm.common.models import Organisation
from segments.rules.clock import Clock
from segments.rules.evaluate import evaluate, member_bitmap, member_queryset
from segments.rules.nodes import InvalidRule
from segments.rules.validate import validate
from tests.oracle import Oracle, load_world


def group(*rules: Any, combinator: str = "and", negated: bool = False) -> dict[str, Any]:
    """Return a group of rules."""
    return {"combinator": combinator, "not": negated, "rules": list(rules)}


def condition(field: str, operator: str, *value: Any) -> dict[str, Any]:
    """Return a condition; the value is left out where none is given."""
    return {"field": field, "operator": operator, **({"value": value[0]} if value else {})}


def related(field: str, mode: str, *rules: Any, threshold: int | None = None) -> dict[str, Any]:
    """Return a related condition; without rules every related row."""
    match = {"mode": mode} if threshold is None else {"mode": mode, "threshold": threshold}
    return {"field": field, "operator": "match", "match": match, **({"value": group(*rules)} if rules else {})}


def figure(field: str, function: str, operator: str, *value: Any, of: Any = None, where: Any = None) -> dict[str, Any]:
    """Return an aggregate or ratio."""
    return {
        "field": field,
        "aggregate": {"function": function} if of is None else {"function": function, "of": of},
        **({} if where is None else {"where": where}),
        "operator": operator,
        **({"value": value[0]} if value else {}),
    }


def days(n: int, unit: str = "day") -> dict[str, Any]:
    """Return a duration."""
    return {"n": n, "unit": unit}


def keys(rule: dict[str, Any], member: str = "account", as_of: Any = None) -> set[int]:
    """Return the members, after checking that all ways of evaluating agree and that the rule and NOT it part them."""
    raw = rule if "combinator" in rule else group(rule)
    checked = validate(raw, member)
    clock = Clock.at(as_of)
    found = set(member_queryset(checked, clock).values_list("pk", flat=True))
    evaluated = evaluate(checked, clock)
    assert set(evaluated.members) == found == set(member_bitmap(checked, clock))
    opposite = validate(group(raw, negated=True), member)
    others = set(member_queryset(opposite, clock).values_list("pk", flat=True))
    assert set(evaluate(opposite, clock).members) == others
    assert others == set(evaluated.universe) - found
    oracle = Oracle(load_world(), clock.as_of)
    assert oracle.members(checked) == found
    assert {row["id"] for row in oracle.universe(member)} == set(evaluated.universe)
    return found


def names(rule: dict[str, Any], member: str = "account", as_of: Any = None, column: str = "") -> str:
    """Return the names (or another column) of the members in order, joined by blanks."""
    from django.apps import apps

    record = registry.records[member]
    found = apps.get_model(record.model)._default_manager.filter(pk__in=keys(rule, member, as_of))
    return " ".join(sorted(found.values_list(column or record.name_column, flat=True)))


def refused(rule: dict[str, Any], member: str = "account") -> list[tuple[tuple[Any, ...], str]]:
    """Return path and code of every error of a rule that must not validate."""
    try:
        validate(rule if "combinator" in rule else group(rule), member)
    except InvalidRule as problem:
        for error in problem.errors:
            assert set(error.as_dict()) == {"path", "field", "code", "message"}
            assert error.message
        return [(error.path, error.code) for error in problem.errors]
    raise AssertionError("the rule was taken")


def in_zone(name: str, **values: Any) -> None:
    """Set the organisation's time zone."""
    organisation = Organisation.current()
    organisation.time_zone = name
    for key, value in values.items():
        setattr(organisation, key, value)
    organisation.save()


def at(text: str) -> dt.datetime:
    """Return a moment written as ISO with its offset."""
    found = dt.datetime.fromisoformat(text)
    assert found.tzinfo
    return found
