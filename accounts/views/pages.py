"""What the pages of every kind of record share: who may write, one record or 404."""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse

from segmentation_crm.common.access import can
from segmentation_crm.common.extensions import record_panels

from ..models import ExternalId


class RecordMoved(Http404):
    """The record was merged into another that the user sees; `common` middleware leads there."""

    def __init__(self, pk: int) -> None:
        super().__init__("merged into another record")
        self.pk = pk


def kept_instead_of(queryset: QuerySet, pk: int) -> int | None:
    """Return the record that a merged one became part of, where the user sees it (1 or 2 queries)."""
    model: Any = queryset.model
    if not hasattr(model, "merged_into"):
        return None
    target = model.objects.filter(pk=pk).values_list("merged_into_id", flat=True).first()
    return target if target is not None and queryset.filter(pk=target).exists() else None


class MergedRecordsMiddleware:
    """Lead from the address of a record that was merged away to the one that was kept."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Turn the 404 of a merged record's page into the way to the kept one; other methods stay 404."""
        match = request.resolver_match
        if not isinstance(exception, RecordMoved) or request.method not in ("GET", "HEAD") or match is None:
            return None
        found = {
            name: value
            for name, value in match.kwargs.items()
            if name not in (getattr(match, "extra_kwargs", None) or {})
        }
        if "pk" not in found:
            return None
        query = request.META.get("QUERY_STRING", "")
        url = reverse(match.view_name, kwargs={**found, "pk": exception.pk})
        return redirect(f"{url}?{query}" if query else url)


def demand_write(request: HttpRequest) -> None:
    """Let only those pass who may write records.

    Raises PermissionDenied with words.
    """
    if not can(request.user, "records.write"):
        raise PermissionDenied("Your role may read records but not change them. An administrator can change your role.")


def one(queryset: QuerySet, pk: int) -> Any:
    """Return the record, or 404: one that may not be seen is like one that is not there.

    Raises RecordMoved for a record that was merged into one that the user sees (1 query more).
    """
    try:
        return get_object_or_404(queryset, pk=pk)
    except Http404:
        target = kept_instead_of(queryset, pk)
        if target is None:
            raise
        raise RecordMoved(target) from None


def panels_of(record_type: str, record: Any, request: HttpRequest) -> list[dict[str, Any]]:
    """Return the panels that upper apps add to a record's page."""
    found = (provider(record_type, record, request.user) for provider in record_panels)
    return [panel for panel in found if panel]


def external_ids(record_type: str, pk: int) -> list[ExternalId]:
    """Return the numbers a record has in other systems (1 query)."""
    return list(ExternalId.objects.filter(record_type=record_type, record_id=pk)[:20])
