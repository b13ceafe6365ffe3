"""What is known of a record, from the declarations of its fields: grouped, with sources, the empty ones named."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from django.urls import reverse

from segmentation_crm.common.fields import Column, FieldDef, ValueRows, registry

from ..fields.making import DEAL, GROUPS, KNOW, PLACE
from ..models import CustomField, Provenance

Fact = dict[str, Any]
# The last group is the record's own panel: where it came from and when it changed.
OWN_PANEL = "Record and sources"
# What a kind of record is about stands first.
FIRST = {"opportunity": (DEAL,), "contact": (PLACE, KNOW)}
FRACTIONS = frozenset({"probability", "discount", "confidence"})
ADDRESSES = frozenset({"website", "linkedin_url"})
PLAIN_TYPES = {"percent": "percent", "boolean": "flag", "date": "date", "datetime": "date"}
TARGET_PAGES = {"account": "accounts:account_detail", "contact": "accounts:contact_detail"}


@dataclass
class FactGroup:
    """Facts under one heading; `empty` holds the labels of fields without a value."""

    title: str
    facts: list[Fact] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)


def fact_groups(record_type: str, record: Any, hidden: frozenset[str] = frozenset()) -> list[FactGroup]:
    """Return the facts of a record, group by group, custom fields last (4 queries).

    `hidden`: names of references whose target the user may not see. Computed fields are not stored and left out.
    """
    multi = _multi_values(record)
    sources = _sources(record_type, record.pk)
    groups: dict[str, FactGroup] = {}
    for definition in registry.fields(record_type, custom=False):
        if not isinstance(definition.source, Column | ValueRows):
            continue
        group = groups.setdefault(definition.group, FactGroup(definition.group))
        fact = _fact(definition, record, multi)
        if fact is None:
            group.empty.append(definition.label)
        elif definition.name in hidden:
            group.facts.append({"label": definition.label, "kind": "text", "value": "not visible to you"})
        else:
            fact["source"] = sources.get(definition.name, "")
            group.facts.append(fact)
    custom = _custom_group(record_type, record, sources)
    order = {title: place for place, title in enumerate([*FIRST.get(record_type, ()), *GROUPS][::-1])}
    found = sorted((g for g in groups.values() if g.facts or g.empty), key=lambda g: -order.get(g.title, -1))
    return [*found, custom] if custom.facts or custom.empty else found


def _multi_values(record: Any) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for row in record.values_multi.select_related("term", "code").order_by("pk"):
        found[row.field].append(str(row.term or row.code or row.token))
    return found


def _sources(record_type: str, pk: int) -> dict[str, str]:
    found = {}
    for row in Provenance.objects.filter(record_type=record_type, record_id=pk):
        parts = [row.source_system, row.get_kind_display() if row.kind else row.get_source_type_display()]
        if row.observed_on:
            parts.append(f"{row.observed_on:%-d %b %Y}")
        if row.confidence is not None:
            parts.append(f"{row.confidence * 100:.0f} % sure")
        found[row.field] = " · ".join(part for part in parts if part)
    return found


def _fact(definition: FieldDef, record: Any, multi: dict[str, list[str]]) -> Fact | None:
    base = {"label": definition.label, "family": definition.family, "help": definition.help}
    if isinstance(definition.source, ValueRows):
        labels = {choice.value: choice.label for choice in definition.choices}
        values = [labels.get(value, value) for value in multi.get(definition.source.field, [])]
        return {**base, "kind": "tags", "value": values} if values else None
    if not isinstance(definition.source, Column):
        return None
    value = getattr(record, definition.source.name, None)
    if value is None or value == "":
        return None
    return {**base, **_shown(definition, record, value)}


def _shown(definition: FieldDef, record: Any, value: Any) -> Fact:
    """Return kind and value of a filled fact."""
    name = definition.name
    if definition.type == "enum":
        labels = {choice.value: choice.label for choice in definition.choices}
        return {"kind": "text", "value": labels.get(value, value)}
    if definition.type == "money":
        return {"kind": "money", "value": value, "currency": getattr(record, f"{name}_currency", "")}
    if definition.type in {"reference", "tree"}:
        return _reference(definition, value)
    if definition.type in PLAIN_TYPES:
        return {"kind": PLAIN_TYPES[definition.type], "value": value}
    if definition.type in {"integer", "decimal"}:
        kind = "fraction" if name in FRACTIONS else "text" if name.endswith("_year") else "number"
        return {"kind": kind, "value": value}
    return _words(name, value)


def _reference(definition: FieldDef, value: Any) -> Fact:
    page = TARGET_PAGES.get(definition.target)
    if page and getattr(value, "is_live", False):
        return {"kind": "text", "value": value.name, "url": reverse(page, args=[value.pk])}
    return {"kind": "text", "value": getattr(value, "display_name", None) or str(value)}


def _words(name: str, value: str) -> Fact:
    if name in ADDRESSES and value.startswith(("https://", "http://")):
        return {"kind": "web", "value": value}
    kind = "mail" if name == "email" else "phone" if name in {"phone", "mobile"} else "text"
    return {"kind": kind, "value": value}


def _custom_group(record_type: str, record: Any, sources: dict[str, str]) -> FactGroup:
    """Return the custom fields: filled ones with their values, the other active ones by label (2 queries)."""
    group = FactGroup("Custom fields")
    rows = defaultdict(list)
    for row in record.custom_values.order_by("pk"):
        rows[row.definition_id].append(row)
    for definition in CustomField.objects.filter(record=record_type, is_active=True).order_by("position", "key"):
        filled = rows.get(definition.pk, [])
        if not filled:
            group.empty.append(definition.label)
            continue
        shown = _custom(definition, filled)
        source = sources.get(f"custom.{definition.key}", "")
        group.facts.append({"label": definition.label, "help": definition.help, "source": source, **shown})
    return group


def _custom(definition: CustomField, rows: list[Any]) -> Fact:
    row = rows[0]
    labels = {
        str(choice["value"]): str(choice.get("label") or choice["value"])
        for choice in definition.choices or []
        if isinstance(choice, dict) and "value" in choice
    }
    if definition.type == "multi":
        return {"kind": "tags", "value": [labels.get(r.text, r.text) for r in rows]}
    if definition.type in {"text", "enum"}:
        return {"kind": "text", "value": labels.get(row.text, row.text)}
    if definition.type in {"date", "datetime"}:
        return {"kind": "date", "value": row.moment if definition.type == "datetime" else row.date}
    if definition.type == "boolean":
        return {"kind": "flag", "value": row.boolean}
    number = row.number.normalize() if row.number is not None else None
    return {"kind": "percent" if definition.type == "percent" else "number", "value": number}
