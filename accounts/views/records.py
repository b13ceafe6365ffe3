"""The record that a page's part belongs to: an account, a contact or an opportunity, or 404."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import NoReverseMatch, reverse

from ..queries import accounts_visible_to, contacts_visible_to, opportunities_visible_to
from .pages import one

VISIBLE = {"account": accounts_visible_to, "contact": contacts_visible_to, "opportunity": opportunities_visible_to}


def record_or_404(request: HttpRequest, kind: str, pk: int, *related: str) -> Any:
    """Return the record of a kind, or 404 where the user does not see it (1 query and those of visibility)."""
    queryset = VISIBLE[kind](request.user)
    return one(queryset.select_related(*related) if related else queryset, pk)


def page_of(record: Any, query: str = "") -> str:
    """Return the address of a record's page, with a query or a part of the page."""
    url = reverse(f"accounts:{record._meta.model_name}_detail", args=[record.pk])
    if not query:
        return url
    return f"{url}{query}" if query.startswith("#") else f"{url}?{query}"


def back_to(record: Any, query: str = "") -> HttpResponse:
    """Lead back to a part of a record's page."""
    return redirect(page_of(record, query))


def tell_errors(request: HttpRequest, error: ValidationError) -> None:
    """Say on the next page what was wrong."""
    messages.error(request, " ".join(error.messages))


def url_if_there(name: str, *args: Any) -> str:
    """Return the address of a route, "" where the project has none of that name."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""
