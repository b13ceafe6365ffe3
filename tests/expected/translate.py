"""Translate the filters of an expected.json into the rule language; no part of the product is imported."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

DATE_OPERATORS = {"eq": "on", "gt": "after", "gte": "on_or_after", "lt": "before", "lte": "on_or_before"}
OPERATORS = {"ne": "neq"}
# Operators of the filters that matter to the translation; others are spelled the same.


@dataclass(frozen=True)
class Relation:
    """A related table of the data set: the relation's key and the keys of its columns."""

    key: str
    columns: Mapping[str, str]
    count_distinct: str = ""


@dataclass(frozen=True)
class Vocabulary:
    """How one data set's columns are named in the product.

    dates: columns that hold dates. values: column -> {value as in the file: value as the rule sends it}.
    """

    columns: Mapping[str, str]
    relations: Mapping[str, Relation] = field(default_factory=dict)
    dates: frozenset[str] = frozenset()
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    text_columns: Mapping[str, str] = field(default_factory=dict)  # where contains and starts_with read the raw text


def rule_of(filter_: dict[str, Any], vocabulary: Vocabulary) -> dict[str, Any]:
    """Return the rule's root group for one filter."""
    node = _node(filter_, vocabulary, vocabulary.columns, vocabulary.text_columns)
    return node if "rules" in node else {"combinator": "and", "rules": [node]}


def _node(
    filter_: dict[str, Any], vocabulary: Vocabulary, columns: Mapping[str, str], texts: Mapping[str, str]
) -> dict[str, Any]:
    if "all" in filter_ or "any" in filter_:
        combinator, parts = ("and", filter_["all"]) if "all" in filter_ else ("or", filter_["any"])
        return {"combinator": combinator, "rules": [_node(p, vocabulary, columns, texts) for p in parts]}
    if "not" in filter_:
        return {"combinator": "and", "not": True, "rules": [_node(filter_["not"], vocabulary, columns, texts)]}
    if "related" in filter_:
        return _related(filter_, vocabulary)
    return _condition(filter_, vocabulary, columns, texts)


def _condition(
    filter_: dict[str, Any], vocabulary: Vocabulary, columns: Mapping[str, str], texts: Mapping[str, str]
) -> dict[str, Any]:
    name, operator = filter_["field"], filter_["op"]
    key = columns[name]
    if operator in ("contains", "starts_with"):
        key = texts.get(name, key)
    if operator == "is_empty":
        return {"field": key, "operator": "is_empty"}
    if name in vocabulary.dates:
        operator = DATE_OPERATORS.get(operator, operator)
    value = filter_["value"]
    mapping = vocabulary.values.get(name, {})
    value = [mapping.get(v, v) for v in value] if isinstance(value, list) else mapping.get(value, value)
    return {"field": key, "operator": OPERATORS.get(operator, operator), "value": value}


def _group(filter_: dict[str, Any], vocabulary: Vocabulary, relation: Relation) -> dict[str, Any]:
    node = _node(filter_, vocabulary, relation.columns, {})
    return node if "rules" in node else {"combinator": "and", "rules": [node]}


def _related(filter_: dict[str, Any], vocabulary: Vocabulary) -> dict[str, Any]:
    relation = vocabulary.relations[filter_["related"]]
    where = _group(filter_["where"], vocabulary, relation) if "where" in filter_ else None
    function = filter_["agg"]
    if function == "exists":
        return {"field": relation.key, "operator": "match", "match": {"mode": "some"}, "value": where}
    node: dict[str, Any] = {"field": relation.key, "operator": filter_["op"], "value": filter_["value"]}
    if where:
        node["where"] = where
    if function == "ratio":
        node["aggregate"] = {"function": "ratio", "of": _group(filter_["of"], vocabulary, relation)}
    elif function == "count" and relation.count_distinct:
        node["aggregate"] = {"function": "count_distinct", "of": relation.count_distinct}
    elif function == "count":
        node["aggregate"] = {"function": "count"}
    else:
        node["aggregate"] = {"function": function, "of": relation.columns[filter_["field"]]}
        if filter_.get("type") == "date":
            node["operator"] = DATE_OPERATORS[filter_["op"]]
    return node
