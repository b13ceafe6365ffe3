"""Search in lists too long for a select: accounts, industry codes, needs, technologies."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import Http404, HttpRequest, JsonResponse
from django.views.decorators.http import require_GET

from segmentation_crm.common.folding import fold

from ..choices import Vocabulary
from ..models import IndustryCode, TechnologyProduct, Term
from ..queries import CATALOGUE_MODELS, accounts_visible_to

LIMIT = 20


@login_required
@require_GET
def options(request: HttpRequest, kind: str) -> JsonResponse:
    """Answer up to 20 options that contain the text: {"results": [{"value", "text", "sub"}]} (1 query)."""
    text = request.GET.get("q", "")[:100].replace("\x00", "")
    if kind == "account":
        return JsonResponse({"results": _accounts(request, text)})
    if kind in {"sic", "naics"}:
        return JsonResponse({"results": _codes(kind, text)})
    if kind == "need":
        return JsonResponse({"results": _needs(text)})
    if kind == "technology":
        return JsonResponse({"results": _technologies(text)})
    if kind.startswith("term-"):
        return JsonResponse({"results": _terms(kind.removeprefix("term-"), text)})
    if kind.startswith("entry-") and kind.removeprefix("entry-") in CATALOGUE_MODELS:
        return JsonResponse({"results": _entries(kind.removeprefix("entry-"), text)})
    raise Http404("no such list")


def _accounts(request: HttpRequest, text: str) -> list[dict[str, Any]]:
    folded = fold(text)
    found = accounts_visible_to(request.user).filter(
        Q(name_folded__contains=folded) | Q(domain_folded__startswith=folded)
    )
    rows = found.order_by("name_folded", "pk")[:LIMIT]
    return [{"value": row.pk, "text": row.name, "sub": row.domain} for row in rows]


def _needs(text: str) -> list[dict[str, Any]]:
    """Return needs by their names, which is what the chips send; "sub" is what they lie under."""
    found = Term.objects.filter(vocabulary=Vocabulary.NEED, is_active=True, name_folded__contains=fold(text))
    rows = found.select_related("parent").order_by("name_folded")[:LIMIT]
    return [{"value": row.name, "text": row.name, "sub": row.parent.name if row.parent else ""} for row in rows]


def _technologies(text: str) -> list[dict[str, Any]]:
    found = TechnologyProduct.objects.filter(
        Q(name_folded__contains=fold(text)) | Q(vendor__name_folded__contains=fold(text))
    )
    rows = found.select_related("vendor").order_by("name_folded")[:LIMIT]
    return [{"value": row.name, "text": row.name, "sub": row.vendor.name if row.vendor else ""} for row in rows]


def _codes(system: str, text: str) -> list[dict[str, Any]]:
    found = IndustryCode.objects.filter(system=system).filter(
        Q(code__startswith=text.strip()) | Q(title_folded__contains=fold(text))
    )
    return [{"value": row.pk, "text": str(row), "sub": row.level} for row in found.order_by("code")[:LIMIT]]


def _terms(vocabulary: str, text: str) -> list[dict[str, Any]]:
    found = Term.objects.filter(vocabulary=vocabulary, name_folded__contains=fold(text)).select_related("parent")
    rows = found.order_by("name_folded", "pk")[:LIMIT]
    return [{"value": row.pk, "text": row.name, "sub": f"under {row.parent}" if row.parent else ""} for row in rows]


def _entries(kind: str, text: str) -> list[dict[str, Any]]:
    rows = CATALOGUE_MODELS[kind]._default_manager.filter(name_folded__contains=fold(text))
    return [{"value": row.pk, "text": row.name, "sub": ""} for row in rows.order_by("name_folded", "pk")[:LIMIT]]
