"""Search on its own page, the palette's answers, and noting what was opened."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from ..common.extensions import search_providers
from ..common.keys import key_of
from ..common.models import User
from .pages import actions_found, pages_found
from .recent import recent_items, remember

ON_PAGE, IN_PALETTE = 10, 5
SHORTEST = 2


@login_required
@require_GET
def search(request: HttpRequest) -> HttpResponse:
    """Show what is found for ?q=, up to 10 of each kind, only what the user may see."""
    text = _text(request)
    groups = _records(request, text, ON_PAGE)
    if len(text) >= SHORTEST:
        groups += _group("Pages", pages_found(request, text, ON_PAGE))
        groups += _group("Actions", [hit for hit in actions_found(request, text, ON_PAGE) if hit["url"]])
    context = {"search_text": text, "groups": groups, "shortest": SHORTEST, "limit": ON_PAGE}
    return render(request, "search.html", context)


@login_required
@require_GET
def palette(request: HttpRequest) -> JsonResponse:
    """Answer the palette: {"groups": [{"title", "items": [{"label", "sub", "url", "command", "icon"}]}]}.

    Without text: what was opened lately and what one can do. At most 2 queries a kind of record.
    """
    text = _text(request)
    if text:
        groups = _group("Pages", pages_found(request, text, IN_PALETTE))
        groups += _group("Actions", actions_found(request, text, IN_PALETTE))
        groups = _records(request, text, IN_PALETTE) + groups
    else:
        assert isinstance(request.user, User)
        groups = _group("Opened lately", recent_items(request.user, 8)) + _group(
            "Actions", actions_found(request, "", 8)
        )
    return JsonResponse({"groups": [{"title": title, "items": items} for title, items in groups]})


@login_required
@require_POST
def opened(request: HttpRequest) -> HttpResponse:
    """Note that a record was opened: `record` is "account:12"; what is not there for the user is passed over."""
    kind, _, number = request.POST.get("record", "").partition(":")
    key = key_of(number)
    if key is not None:
        assert isinstance(request.user, User)
        remember(request.user, kind, key)
    return HttpResponse(status=204)


def _text(request: HttpRequest) -> str:
    return request.GET.get("q", "").replace("\x00", "").strip()[:100]


def _records(request: HttpRequest, text: str, limit: int) -> list[tuple[str, list[dict[str, Any]]]]:
    groups: list[tuple[str, list[dict[str, Any]]]] = []
    if len(text) >= SHORTEST:
        for finder in search_providers:
            groups += _group(finder.heading, finder.by_text(request.user, text, limit))
    return groups


def _group(title: str, items: list[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    return [(title, items)] if items else []
