"""Short ways to write raw rules in tests."""


def group(*rules, combinator="and", **more):
    """Return a group."""
    return {"combinator": combinator, "rules": list(rules), **more}


def condition(field, operator, *value):
    """Return a condition, without "value" where none is given."""
    return {"field": field, "operator": operator, **({"value": value[0]} if value else {})}


def related(field, mode, value=None, **match):
    """Return a related condition; value is its inner group."""
    node = {"field": field, "operator": "match", "match": {"mode": mode, **match}}
    return {**node, "value": value} if value is not None else node


def figure(field, function, operator, value, *, of=None, where=None):
    """Return an aggregate."""
    node = {"field": field, "aggregate": {"function": function}, "operator": operator, "value": value}
    if of is not None:
        node["aggregate"]["of"] = of
    return {**node, "where": where} if where is not None else node
