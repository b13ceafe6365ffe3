"""Search in lists too long for a select: accounts and industry codes."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import Http404, HttpRequest, JsonResponse
from django.views.decorators.http import require_GET

from segmentation_crm.common.folding import fold

from ..models import IndustryCode
from ..queries import accounts_visible_to

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
    raise Http404("no such list")


def _accounts(request: HttpRequest, text: str) -> list[dict[str, Any]]:
    folded = fold(text)
    found = accounts_visible_to(request.user).filter(
        Q(name_folded__contains=folded) | Q(domain_folded__startswith=folded)
    )
    rows = found.order_by("name_folded", "pk")[:LIMIT]
    return [{"value": row.pk, "text": row.name, "sub": row.domain} for row in rows]


def _codes(system: str, text: str) -> list[dict[str, Any]]:
    found = IndustryCode.objects.filter(system=system).filter(
        Q(code__startswith=text.strip()) | Q(title_folded__contains=fold(text))
    )
    return [{"value": row.pk, "text": str(row), "sub": row.level} for row in found.order_by("code")[:LIMIT]]
