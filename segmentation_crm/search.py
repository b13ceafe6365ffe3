"""Global search: what every provider finds for a text, kind by kind."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from .common.extensions import search_providers

LIMIT = 10
SHORTEST = 2
HEADINGS = {
    "account": "Accounts",
    "contact": "Contacts",
    "opportunity": "Opportunities",
    "segment": "Segments",
}


@login_required
@require_GET
def search(request: HttpRequest) -> HttpResponse:
    """Show what is found for ?q=, up to 10 of each kind, only what the user may see."""
    text = request.GET.get("q", "").replace("\x00", "").strip()[:100]
    groups: dict[str, list[dict[str, Any]]] = {}
    if len(text) >= SHORTEST:
        for provider in search_providers:
            for row in provider(request.user, text, LIMIT):
                groups.setdefault(HEADINGS.get(row["kind"], row["kind"]), []).append(row)
    context = {"search_text": text, "groups": list(groups.items()), "shortest": SHORTEST, "limit": LIMIT}
    return render(request, "search.html", context)
