"""Lists of records: search and filters from the address, their controls, chips of what is in force, one page."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import django_filters
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict

from segmentation_crm.common.models import User
from segmentation_crm.common.paging import Page, keyset_page

from ..models import Term
from .tables import Column, Table, table

Choices = Sequence[tuple[str, str]]
MAX_CHOICES = 300
RESERVED = {"cursor", "page_size"}


@dataclass(frozen=True)
class Facet:
    """A filter's control on a list: a select, or an input of the given type; `main` ones stand in the toolbar."""

    name: str
    label: str
    choices: Callable[[], Choices] | None = None
    type: str = "text"
    main: bool = False


@dataclass(frozen=True)
class ListPage:
    """What a list shows: columns, filters, its FilterSet and the order it starts in."""

    columns: Callable[[list[Any]], Sequence[Column]]
    facets: Sequence[Facet]
    filters: type[django_filters.FilterSet]
    ordering: str
    unit: str
    unit_plural: str


def of_enum(enumeration: Any) -> Callable[[], Choices]:
    """Return the choices of a closed list."""
    return lambda: [(str(value), str(label)) for value, label in enumeration.choices if value]


def of_terms(vocabulary: str) -> Callable[[], Choices]:
    """Return the terms of a vocabulary, those of a tree set in under their parent (1 query, at most 300)."""

    def choices() -> Choices:
        terms = Term.objects.filter(vocabulary=vocabulary, is_active=True).order_by("name_folded")
        found = list(terms[:MAX_CHOICES])
        names = {term.pk: term.name for term in found}

        def key(term: Term) -> list[str]:
            return [names.get(int(pk), "") for pk in term.path.strip("/").split("/") if pk]

        found.sort(key=key)
        return [(term.slug, "\u2003" * max(0, term.path.count("/") - 2) + term.name) for term in found]

    return choices


def of_rows(queryset: Callable[[], QuerySet]) -> Callable[[], Choices]:
    """Return the entries of a catalogue by slug (1 query, at most 300)."""
    return lambda: [(row.slug, str(row)) for row in queryset()[:MAX_CHOICES]]


def owners() -> Choices:
    """Return the active users by id (1 query, at most 300)."""
    people = User.objects.filter(is_active=True).exclude(role="integration").order_by("first_name", "username")
    return [(str(person.pk), person.display_name) for person in people[:MAX_CHOICES]]


YES_NO: Choices = [("true", "Yes"), ("false", "No")]


def list_context(request: HttpRequest, queryset: QuerySet, page: ListPage) -> dict[str, Any]:
    """Return what templates/components/record_list.html needs (1 query for the rows, 1 per select from the database).

    An invalid filter is named beside its control and the list stays empty: rows that do not fit the filter would
    be wrong.
    """
    data = request.GET.copy()
    data.setdefault("ordering", page.ordering)
    filterset = page.filters(data, queryset=queryset, request=request)
    errors = _errors(request, filterset)
    rows = Page([]) if errors else keyset_page(request, filterset.qs)
    controls = [_control(facet, request.GET) for facet in page.facets]
    return {
        "table": table(page.columns(rows.rows), rows, page.unit, page.unit_plural, str(data.get("ordering"))),
        "search": request.GET.get("search", ""),
        "ordering": request.GET.get("ordering", ""),
        "main_controls": [c for c in controls if c["main"]],
        "more_controls": [c for c in controls if not c["main"]],
        "more_in_force": any(c["value"] for c in controls if not c["main"]),
        "chips": _chips(request.GET, controls),
        "filter_errors": errors,
        "is_filtered": any(key not in RESERVED | {"ordering"} for key in request.GET),
    }


def _errors(request: HttpRequest, filterset: django_filters.FilterSet) -> list[str]:
    known = set(filterset.form.fields) | RESERVED
    unknown = [f"There is no filter “{name[:40]}”." for name in request.GET if name not in known]
    if filterset.is_valid():
        return unknown
    form = filterset.form
    invalid = [
        f"{form.fields[name].label or name}: {message}" if name in form.fields else str(message)
        for name, messages in form.errors.items()
        for message in messages
    ]
    return unknown + invalid


def _control(facet: Facet, query: QueryDict) -> dict[str, Any]:
    values = [value for value in query.getlist(facet.name) if value]
    choices = list(facet.choices()) if facet.choices else []
    return {
        "name": facet.name,
        "label": facet.label,
        "type": facet.type,
        "main": facet.main,
        "choices": choices,
        "value": values[0] if values else "",
        # An address may hold several values of one filter; the control then keeps them all.
        "several": values if len(values) > 1 else [],
        "words": ", ".join(dict(choices).get(value, value).strip() for value in values),
    }


def _chips(query: QueryDict, controls: list[dict[str, Any]]) -> list[dict[str, str]]:
    labels = {control["name"]: control for control in controls}
    chips = []
    for name in query:
        if name in RESERVED | {"ordering", "search"} or not query.get(name):
            continue
        rest = query.copy()
        for gone in (name, "cursor"):
            rest.pop(gone, None)
        control = labels.get(name)
        label = control["label"] if control else name.replace("_", " ")
        words = control["words"] if control else ", ".join(query.getlist(name))
        chips.append({"label": label, "words": words, "without": f"?{rest.urlencode()}"})
    return chips


def simple_table(
    request: HttpRequest,
    queryset: QuerySet,
    columns: Sequence[Column],
    unit: str,
    unit_plural: str = "",
    size: int = 20,
) -> Table:
    """Return one page of a related list, in the queryset's own order (1 query)."""
    return table(columns, keyset_page(request, queryset, size), unit, unit_plural)
