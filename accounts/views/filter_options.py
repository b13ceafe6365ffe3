"""Search in choices of filters too many for a select; values are what the filter takes: slugs, or ids of people."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, JsonResponse
from django.views.decorators.http import require_GET

from segmentation_crm.common.folding import fold

from ..choices import Vocabulary
from ..lists.facets import people
from ..models import CampaignRef, Persona, Pipeline, Product, Stage, TechnologyProduct, Term

LIMIT = 20
TERMS = "terms-"
ROWS: dict[str, Callable[[], QuerySet[Any]]] = {
    "campaigns": CampaignRef.objects.all,
    "personas": Persona.objects.all,
    "pipelines": Pipeline.objects.all,
    "products": Product.objects.all,
    "stages": lambda: Stage.objects.select_related("pipeline"),
    "technologies": TechnologyProduct.objects.all,
}


@login_required
@require_GET
def filter_options(request: HttpRequest, kind: str) -> JsonResponse:
    """Answer up to 20 choices that contain the text: {"results": [{"value", "text", "sub"}]} (1 query)."""
    text = request.GET.get("q", "")[:100].replace("\x00", "")
    if kind == "people":
        return JsonResponse({"results": _people(text)})
    if kind in ROWS:
        found = ROWS[kind]().filter(name_folded__contains=fold(text)).order_by("name_folded", "pk")[:LIMIT]
        return JsonResponse({"results": [{"value": row.slug, "text": str(row), "sub": ""} for row in found]})
    if kind.removeprefix(TERMS) in Vocabulary.values and kind.startswith(TERMS):
        return JsonResponse({"results": _terms(kind.removeprefix(TERMS), text)})
    raise Http404("no such list")


def _people(text: str) -> list[dict[str, Any]]:
    named = Q(first_name__icontains=text) | Q(last_name__icontains=text) | Q(username__icontains=text)
    return [{"value": user.pk, "text": user.display_name, "sub": ""} for user in people().filter(named)[:LIMIT]]


def _terms(vocabulary: str, text: str) -> list[dict[str, Any]]:
    found = Term.objects.filter(vocabulary=vocabulary, is_active=True, name_folded__contains=fold(text))
    rows = found.select_related("parent").order_by("name_folded", "pk")[:LIMIT]
    return [{"value": row.slug, "text": row.name, "sub": row.parent.name if row.parent else ""} for row in rows]
