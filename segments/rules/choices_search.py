"""Search-as-you-type for the values of a field: users, records, words of vocabularies, codes, long lists."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any

from django.apps import apps
from django.db.models import Q, QuerySet

from segmentation_crm.common.access import AnyUser
from segmentation_crm.common.fields import Column, FieldDef, registry
from segmentation_crm.common.folding import fold

from .references import References
from .values import Problem

MOST = 50
_CATALOGUES = {
    "product": "accounts.Product",
    "vendor": "accounts.Vendor",
    "technology_product": "accounts.TechnologyProduct",
    "pipeline": "accounts.Pipeline",
    "stage": "accounts.Stage",
    "persona": "accounts.Persona",
    "campaign": "accounts.CampaignRef",
}
Found = list[dict[str, Any]]


def search_values(field_key: str, q: str, user: AnyUser, limit: int = 20) -> Found | None:
    """Return what `search` finds for the field of this key; None: there is no such field."""
    field = registry.field(field_key) or _extra(field_key)
    return None if field is None else search(field, q, user, limit)


def search(field: FieldDef, text: str, user: AnyUser, limit: int = 20) -> Found:
    """Return values whose words contain the text, those that start with it first, as {"value", "label"}.

    Records are those that the user may see. 1 to 3 queries; a closed list costs none.
    """
    text, limit = fold(text[:200]), max(1, min(limit, MOST))
    kind = field.item or field.type
    if kind == "enum":
        return _tokens(field, text, limit)
    if kind not in ("reference", "tree"):
        return []
    name, _, argument = field.target.partition(":")
    if name == "term":
        return _terms(argument, text, limit)
    if name == "code":
        return _codes(argument, text, limit)
    if name in _CATALOGUES:
        return _catalogue(_CATALOGUES[name], text, limit)
    find = _RECORDS.get(name)
    return find(text, user, limit) if find else []


def labels(field: FieldDef, values: Sequence[str | int], user: AnyUser) -> Found:
    """Return the words for stored values, those unknown or invisible to the user left out (1 to 4 queries)."""
    kind = field.item or field.type
    if kind not in ("reference", "tree"):
        names = {choice.value: choice.label for choice in field.choices}
        return [{"value": v, "label": names.get(str(v), str(v))} for v in values if not names or str(v) in names]
    references = References(user)
    for value in values:
        with suppress(Problem):
            references.want(field.target, value)
    references.resolve()
    found: Found = []
    for value in values:
        with suppress(Problem):
            found.append({"value": value, "label": references.get(field.target, value).label})
    return found


def _extra(key: str) -> FieldDef | None:
    return next((f for relation in registry.relations.values() for f in relation.extra if f.key == key), None)


def _ranked(text: str, limit: int, entries: Iterable[tuple[Any, str]]) -> Found:
    """Return the entries that contain the text: those that are it, those that start with it, the others."""
    ranks: tuple[Found, Found, Found] = ([], [], [])
    for value, label in entries:
        folded = fold(label)
        if text in (folded, fold(str(value))):
            ranks[0].append({"value": value, "label": label})
        elif text in folded:
            ranks[1 if folded.startswith(text) else 2].append({"value": value, "label": label})
    return [entry for rank in ranks for entry in rank][:limit]


def _tokens(field: FieldDef, text: str, limit: int) -> Found:
    if field.choices:
        return _ranked(text, limit, ((choice.value, choice.label) for choice in field.choices))
    if not isinstance(field.source, Column):
        return []
    rows = apps.get_model(registry.records[field.record].model)._default_manager.all()
    column = field.source.name
    used = rows.exclude(**{column: ""}).order_by(column).values_list(column, flat=True).distinct()
    return _ranked(text, limit, ((token, token) for token in used[:500]))


def _two_steps(rows: QuerySet[Any], column: str, text: str, limit: int) -> list[Any]:
    """Return rows whose column starts with the text, then those that contain it (up to 2 queries)."""
    found = list(rows.filter(**{f"{column}__startswith": text})[:limit])
    if text and len(found) < limit:
        seen = [row.pk for row in found]
        found += rows.filter(**{f"{column}__contains": text}).exclude(pk__in=seen)[: limit - len(found)]
    return found


def _terms(vocabulary: str, text: str, limit: int) -> Found:
    from accounts.models import Term

    rows = Term.objects.filter(vocabulary=vocabulary, is_active=True).order_by("position", "name")
    found = _two_steps(rows, "name_folded", text, limit)
    above = {int(pk) for row in found for pk in row.path.strip("/").split("/") if pk.isdigit()}
    names = dict(Term.objects.filter(pk__in=above).values_list("pk", "name")) if above else {}
    return [{"value": row.slug, "label": _with_parents(row, names)} for row in found]


def _with_parents(row: Any, names: dict[int, str]) -> str:
    parents = [int(pk) for pk in row.path.strip("/").split("/")[:-1] if pk.isdigit()]
    return " › ".join([*(names[pk] for pk in parents if pk in names), row.name])


def _codes(system: str, text: str, limit: int) -> Found:
    from accounts.models import IndustryCode

    rows = IndustryCode.objects.filter(system=system).order_by("code")
    found = list(rows.filter(code__istartswith=text)[:limit]) if text else list(rows.filter(parent=None)[:limit])
    if text and len(found) < limit:
        more = rows.filter(title_folded__contains=text).exclude(pk__in=[row.pk for row in found])
        found += more[: limit - len(found)]
    return [{"value": row.code, "label": f"{row.code} {row.title}"} for row in found]


def _catalogue(model: str, text: str, limit: int) -> Found:
    rows = apps.get_model(model)._default_manager.all()
    return [{"value": row.slug, "label": row.name} for row in _two_steps(rows, "name_folded", text, limit)]


def _users(text: str, user: AnyUser, limit: int) -> Found:
    from segmentation_crm.common.models import User

    entries = ((person.pk, person.get_full_name() or person.username) for person in User.objects.order_by("username"))
    return _ranked(text, limit, entries)


def _accounts(text: str, user: AnyUser, limit: int) -> Found:
    from accounts.queries import accounts_visible_to

    rows = accounts_visible_to(user).order_by("name_folded", "id")
    return [{"value": row.pk, "label": row.name} for row in _two_steps(rows, "name_folded", text, limit)]


def _contacts(text: str, user: AnyUser, limit: int) -> Found:
    from accounts.queries import contacts_visible_to

    rows = contacts_visible_to(user).order_by("full_name_folded", "id")
    match = rows.filter(Q(full_name_folded__startswith=text) | Q(email_folded__startswith=text))
    return [{"value": row.pk, "label": f"{row.name} <{row.email}>" if row.email else row.name} for row in match[:limit]]


def _content(text: str, user: AnyUser, limit: int) -> Found:
    from accounts.models import ContentItem

    rows = ContentItem.objects.order_by("title")
    return [{"value": row.pk, "label": row.title} for row in _two_steps(rows, "title_folded", text, limit)]


_RECORDS: dict[str, Callable[[str, AnyUser, int], Found]] = {
    "user": _users,
    "account": _accounts,
    "contact": _contacts,
    "content": _content,
}
