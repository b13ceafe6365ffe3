"""Finding terms, codes and catalogue entries by what people and files call them."""

from typing import Any, TypeVar

from django.db.models import Model, QuerySet

from segmentation_crm.common.folding import fold

from ..choices import CatalogueKind
from ..models import (
    CampaignRef,
    CatalogueAlias,
    IndustryCode,
    Persona,
    Pipeline,
    Product,
    Stage,
    TechnologyProduct,
    Term,
    TermAlias,
    Vendor,
)

M = TypeVar("M", bound=Model)

CATALOGUE_MODELS: dict[str, type[Any]] = {
    CatalogueKind.PRODUCT: Product,
    CatalogueKind.VENDOR: Vendor,
    CatalogueKind.TECHNOLOGY_PRODUCT: TechnologyProduct,
    CatalogueKind.PIPELINE: Pipeline,
    CatalogueKind.STAGE: Stage,
    CatalogueKind.PERSONA: Persona,
    CatalogueKind.CAMPAIGN: CampaignRef,
}


def resolve_term(vocabulary: str, text: str) -> Term | None:
    """Return the term that a text names: by slug, else folded name, else alias; None where unknown (≤ 2 queries)."""
    folded = fold(text)
    if not folded:
        return None
    terms = Term.objects.filter(vocabulary=vocabulary)
    found = list(terms.filter(slug=folded) | terms.filter(name_folded=folded))
    if found:
        return next((term for term in found if term.slug == folded), found[0])
    alias = TermAlias.objects.filter(vocabulary=vocabulary, text_folded=folded).select_related("term").first()
    return alias.term if alias else None


def resolve_terms(vocabulary: str, texts: list[str]) -> dict[str, Term]:
    """Return the terms that texts name, by folded text; unknown ones are missing (3 queries, any number of texts)."""
    wanted = {fold(text) for text in texts} - {""}
    found: dict[str, Term] = {}
    terms = Term.objects.filter(vocabulary=vocabulary)
    for alias in TermAlias.objects.filter(vocabulary=vocabulary, text_folded__in=wanted).select_related("term"):
        found[alias.text_folded] = alias.term
    for term in terms.filter(name_folded__in=wanted):
        found[term.name_folded] = term
    for term in terms.filter(slug__in=wanted):
        found[term.slug] = term
    return found


def terms_under(term: Term) -> "QuerySet[Term]":
    """Return the term and everything below it."""
    return Term.objects.filter(vocabulary=term.vocabulary, path__startswith=term.path)


def resolve_code(system: str, text: str) -> IndustryCode | None:
    """Return the SIC or NAICS node of a code ("35", "D", "31-33"), or None (1 query)."""
    return IndustryCode.objects.filter(system=system, code=text.strip().upper()).first()


def codes_under(code: IndustryCode) -> "QuerySet[IndustryCode]":
    """Return the node and everything below it."""
    return IndustryCode.objects.filter(system=code.system, path__startswith=code.path)


def resolve_catalogue(kind: str, text: str, pipeline: Pipeline | None = None) -> Any:
    """Return the catalogue entry that a text names: by slug, else folded name, else alias; or None (≤ 3 queries).

    A stage is looked for in the given pipeline; without one, in the default pipeline first, then in all.
    """
    folded = fold(text)
    if not folded:
        return None
    rows = CATALOGUE_MODELS[kind]._default_manager.all()
    aliases = CatalogueAlias.objects.filter(kind=kind, text_folded=folded)
    if kind == CatalogueKind.STAGE:
        rows = rows.order_by("-pipeline__is_default", "pipeline__position", "position")
        if pipeline is not None:
            rows, aliases = rows.filter(pipeline=pipeline), aliases.filter(scope=pipeline.pk)
    found = rows.filter(slug=folded).first() or rows.filter(name_folded=folded).first()
    if found is not None:
        return found
    return rows.filter(pk__in=aliases.values("record_id")).first()
