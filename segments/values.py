"""Values to choose from while building a rule, and the words for values that a stored rule holds."""

import json
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q

from segmentation_crm.common.access import AnyUser
from segmentation_crm.common.fields import FieldDef, registry
from segmentation_crm.common.folding import fold

from .choices import MemberType, SegmentStatus
from .queries import records_visible_to, segments_visible_to
from .rules import choices_search

MOST = 20
MOST_NAMED = 1000
MAX_ID = 2**63 - 1
Found = list[dict[str, Any]]


def search_values(field: str, text: str, user: AnyUser, member_type: str = "") -> Found:
    """Return up to 20 values whose words contain the text, those that start with it first (1 to 3 queries).

    field: a key of the registry; `segment` searches segments of the member type, `account` and `contact` records.
    Raises ValidationError naming the parameter that is wrong.
    """
    if "\x00" in text:
        raise ValidationError({"q": "The text holds a NUL character."})
    if field == "segment":
        return _search_segments(text, user, member_type)
    if field in MemberType.values:
        return _search_records(field, text, user)
    return choices_search.search(_field(field), text, user, MOST)


def values_named(field: str, texts: list[str], user: AnyUser) -> Found:
    """Return the words for values, each given as JSON (35 is an id, "35" a code); unknown ones are left out.

    1 to 4 queries. Raises ValidationError naming the parameter that is wrong.
    """
    if len(texts) > MOST_NAMED:
        raise ValidationError({"value": f"Ask for at most {MOST_NAMED} values at once."})
    values = list(dict.fromkeys(_decoded(text) for text in texts))
    if field == "segment":
        return _named_segments(values, user)
    if field in MemberType.values:
        rows = records_visible_to(field, user).filter(pk__in=[value for value in values if isinstance(value, int)])
        return [{"value": row.pk, "label": str(row)} for row in rows]
    return choices_search.labels(_field(field), values, user)


def _field(key: str) -> FieldDef:
    found = registry.field(key) if len(key) <= 200 and "\x00" not in key else None
    extras = (extra for relation in registry.relations.values() for extra in relation.extra)
    found = found or next((extra for extra in extras if extra.key == key), None)
    if found is None:
        raise ValidationError({"field": "There is no such field."})
    return found


def _search_segments(text: str, user: AnyUser, member_type: str) -> Found:
    rows = segments_visible_to(user).exclude(status=SegmentStatus.ARCHIVED).filter(name__icontains=text.strip()[:200])
    if member_type:
        if member_type not in MemberType.values:
            raise ValidationError({"member_type": f"member_type must be one of {', '.join(MemberType.values)}."})
        rows = rows.filter(member_type=member_type)
    return [{"value": segment.slug, "label": segment.name} for segment in rows.order_by("name")[:MOST]]


def _named_segments(values: list[str | int], user: AnyUser) -> Found:
    slugs = [value for value in values if isinstance(value, str)]
    ids = [value for value in values if isinstance(value, int)]
    names: dict[str | int, str] = {}
    for pk, slug, name in (
        segments_visible_to(user).filter(Q(slug__in=slugs) | Q(pk__in=ids)).values_list("pk", "slug", "name")
    ):
        names[pk] = names[slug] = name
    return [{"value": value, "label": names[value]} for value in values if value in names]


def _search_records(member_type: str, text: str, user: AnyUser) -> Found:
    words = fold(text[:200])
    if member_type == MemberType.ACCOUNT:
        column, code = "name_folded", "domain_folded"
        match = Q(name_folded__contains=words) | Q(domain_folded__startswith=words)
    else:
        column, code = "full_name_folded", "email_folded"
        match = Q(full_name_folded__contains=words) | Q(email_folded__startswith=words)
    rows = records_visible_to(member_type, user).filter(match).order_by(column, "pk")[:MOST]
    return [{"value": row.pk, "label": str(row), "sub": getattr(row, code)} for row in rows]


def _decoded(text: str) -> str | int:
    try:
        value = json.loads(text[:8000])
    except (ValueError, RecursionError):
        value = text
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValidationError({"value": "Send each value as a JSON text or a whole number."})
    if isinstance(value, int) and not 0 < value <= MAX_ID:
        raise ValidationError({"value": "An id is a whole number above 0."})
    if isinstance(value, str) and ("\x00" in value or value != value.encode("utf-8", "ignore").decode()):
        raise ValidationError({"value": "The text holds a NUL character or half of a surrogate pair."})
    return value
