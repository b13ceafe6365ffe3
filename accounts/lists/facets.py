"""Filters' controls whose choices come from the database: vocabularies, catalogues, people."""

from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse

from segmentation_crm.common.keys import keys_of
from segmentation_crm.common.lists import Facet
from segmentation_crm.common.models import User

from ..fields.places import COUNTRIES
from ..models import Term

# Past this many choices a control searches instead of listing.
MAX_CHOICES = 300
ME = ("me", "Me")


def _search(kind: str) -> Callable[[], str]:
    return lambda: reverse("accounts:filter_options", args=[kind])


def term_facet(name: str, label: str, vocabulary: str, main: bool = False) -> Facet:
    """Return the control of a vocabulary, those of a tree set in under their parent (1 query)."""

    def choices() -> list[tuple[str, str]]:
        terms = Term.objects.filter(vocabulary=vocabulary, is_active=True).order_by("name_folded")
        found = list(terms[: MAX_CHOICES + 1])
        names = {term.pk: term.name for term in found}

        def key(term: Term) -> list[str]:
            return [names.get(int(pk), "") for pk in term.path.strip("/").split("/") if pk]

        found.sort(key=key)
        return [(term.slug, "\u2003" * max(0, term.path.count("/") - 2) + term.name) for term in found]

    def naming(values: Sequence[str]) -> dict[str, str]:
        found = Term.objects.filter(vocabulary=vocabulary, slug__in=values)
        return dict(found.values_list("slug", "name"))

    return Facet(name, label, choices, main=main, options=_search(f"terms-{vocabulary}"), naming=naming)


def row_facet(name: str, label: str, kind: str, rows: Callable[[], QuerySet[Any]], main: bool = False) -> Facet:
    """Return the control of a catalogue, its entries by slug (1 query)."""

    def choices() -> list[tuple[str, str]]:
        return [(row.slug, str(row)) for row in rows()[: MAX_CHOICES + 1]]

    def naming(values: Sequence[str]) -> dict[str, str]:
        return {row.slug: str(row) for row in rows().filter(slug__in=values)}

    return Facet(name, label, choices, main=main, options=_search(kind), naming=naming)


def people() -> QuerySet[User]:
    """Return the active people, by name."""
    return User.objects.filter(is_active=True).exclude(role="integration").order_by("first_name", "username")


def person_facet(name: str, label: str, main: bool = False) -> Facet:
    """Return the control of one of us: oneself, or by id (1 query)."""

    def choices() -> list[tuple[str, str]]:
        return [ME, *((str(found.pk), found.display_name) for found in people()[: MAX_CHOICES + 1])]

    def naming(values: Sequence[str]) -> dict[str, str]:
        found = {str(user.pk): user.display_name for user in User.objects.filter(pk__in=keys_of(list(values)))}
        return {ME[0]: ME[1], **found}

    return Facet(name, label, choices, main=main, options=_search("people"), naming=naming)


def country_facet(name: str = "country", label: str = "Country") -> Facet:
    """Return the control of countries, in English."""
    return Facet(name, label, lambda: [(c.value, c.label) for c in COUNTRIES])
