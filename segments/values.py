"""Values to choose from while building a rule, and the words for values that a stored rule holds."""

import json
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q

from segmentation_crm.common.access import AnyUser
from segmentation_crm.common.fields import FieldDef, registry
from segmentation_crm.common.folding import fold

from .choices import MemberType
from .queries import records_visible_to
from .rules import choices_search
from .rules.references import References
from .rules.values import Problem

MOST = 20
MOST_NAMED = 1000
Found = list[dict[str, Any]]


def search_values(field: str, text: str, user: AnyUser) -> Found:
    """Return up to 20 values whose words contain the text, those that start with it first (1 to 2 queries).

    field: a key of the registry; `segment:account` and `segment:contact` search segments, `account` and `contact`
    records. Raises ValidationError naming the parameter that is wrong.
    """
    if "\x00" in text or "\x00" in field:
        raise ValidationError({"q": "The text holds a NUL character."})
    if field in MemberType.values:
        return _search_records(field, text, user)
    found = choices_search.search_values(field, text, user, MOST)
    if found is None:
        raise ValidationError({"field": "There is no such field."})
    return found


def _search_records(member_type: str, text: str, user: AnyUser) -> Found:
    column = "name_folded" if member_type == MemberType.ACCOUNT else "full_name_folded"
    rows = records_visible_to(member_type, user).order_by(column, "pk")
    words = fold(text[:200])
    if member_type == MemberType.ACCOUNT:
        found = rows.filter(Q(name_folded__contains=words) | Q(domain_folded__startswith=words))
    else:
        found = rows.filter(Q(full_name_folded__contains=words) | Q(email_folded__startswith=words))
    return [{"value": row.pk, "label": str(row)} for row in found[:MOST]]


def values_named(field: str, texts: list[str], user: AnyUser) -> Found:
    """Return the words for values, each given as JSON (35 is an id, "35" a code); unknown ones are left out.

    1 to 4 queries. Raises ValidationError naming the parameter that is wrong.
    """
    if len(texts) > MOST_NAMED:
        raise ValidationError({"value": f"Ask for at most {MOST_NAMED} values at once."})
    values = list(dict.fromkeys(_decoded(text) for text in texts))
    if field in MemberType.values:
        ids = [value for value in values if isinstance(value, int)]
        rows = records_visible_to(field, user).filter(pk__in=ids)
        return [{"value": row.pk, "label": str(row)} for row in rows]
    if field.startswith("segment:"):
        return _referenced(field, values, user)
    found = _field(field)
    if (found.item or found.type) in ("reference", "tree"):
        return _referenced(found.target, values, user)
    words = {choice.value: choice.label for choice in found.choices}
    return [{"value": value, "label": words.get(str(value), str(value))} for value in values]


def _field(key: str) -> FieldDef:
    found = registry.field(key) if len(key) <= 200 and "\x00" not in key else None
    extras = (extra for relation in registry.relations.values() for extra in relation.extra)
    found = found or next((extra for extra in extras if extra.key == key), None)
    if found is None:
        raise ValidationError({"field": "There is no such field."})
    return found


def _referenced(target: str, values: list[str | int], user: AnyUser) -> Found:
    if target not in ("segment:account", "segment:contact") and target.startswith("segment"):
        raise ValidationError({"field": "There is no such field."})
    references = References(user)
    for value in values:
        try:
            references.want(target, value)
        except Problem as problem:
            raise ValidationError({"value": str(problem)}) from None
    references.resolve()
    named = []
    for value in values:
        try:
            named.append({"value": value, "label": references.get(target, value).label})
        except Problem:
            continue  # gone or out of sight: the preview says so at its line
    return named


def _decoded(text: str) -> str | int:
    try:
        value = json.loads(text[:8000])
    except (ValueError, RecursionError):
        value = text
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValidationError({"value": "Send each value as a JSON text or a whole number."})
    return value
