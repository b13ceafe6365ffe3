"""Pages of an HTML list by key: the API's paging, with links for a template."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.db.models import QuerySet
from django.http import HttpRequest
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from .api.pagination import KeysetPagination


@dataclass(frozen=True)
class Page:
    """The rows of one page and the addresses of its neighbours ('' where there is none)."""

    rows: list[Any]
    next_url: str = ""
    previous_url: str = ""
    problem: str = ""


class _PageOf(KeysetPagination):
    def __init__(self, size: int, keys_first: bool) -> None:
        self.size, self.keys_first = size, keys_first

    def page_size(self, request: Request) -> int:  # type: ignore[override]
        return self.size


def keyset_page(request: HttpRequest, queryset: QuerySet, size: int = 50, keys_first: bool = False) -> Page:
    """Return the page the address asks for (1 query, or 2 where its cursor is stale: then the first page).

    The queryset's `order_by` names are the order, closed by the primary key; empty values come last.
    keys_first: the rows' keys are found before the rows, for lists that see few of their rows (no annotations).
    """
    pages = _PageOf(size, keys_first)
    problem = ""
    try:
        rows = pages.paginate_queryset(queryset, Request(request))
    except ValidationError:
        problem = "The link to that page no longer fits this list, so here is its beginning."
        rows = pages.paginate_queryset(queryset, Request(_without_cursor(request)))
    links = pages.get_paginated_response([]).data
    return Page(rows, _relative(links["next"]), _relative(links["previous"]), problem)


def _without_cursor(request: HttpRequest) -> HttpRequest:
    query = request.GET.copy()
    query.pop("cursor", None)
    plain: Any = HttpRequest()
    plain.META = {**request.META, "QUERY_STRING": query.urlencode()}
    plain.path, plain.GET = request.path, query
    return plain


def _relative(url: str | None) -> str:
    return f"?{urlsplit(url).query}" if url else ""
