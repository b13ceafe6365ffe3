"""What the pages of every kind of record share: who may write, one record or 404."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from segmentation_crm.common.access import can
from segmentation_crm.common.extensions import record_panels

from ..models import ExternalId


def demand_write(request: HttpRequest) -> None:
    """Let only those pass who may write records.

    Raises PermissionDenied with words.
    """
    if not can(request.user, "records.write"):
        raise PermissionDenied("Your role may read records but not change them. An administrator can change your role.")


def one(queryset: QuerySet, pk: int) -> Any:
    """Return the record, or 404: one that may not be seen is like one that is not there."""
    return get_object_or_404(queryset, pk=pk)


def panels_of(record_type: str, record: Any, request: HttpRequest) -> list[dict[str, Any]]:
    """Return the panels that upper apps add to a record's page."""
    found = (provider(record_type, record, request.user) for provider in record_panels)
    return [panel for panel in found if panel]


def external_ids(record_type: str, pk: int) -> list[ExternalId]:
    """Return the numbers a record has in other systems (1 query)."""
    return list(ExternalId.objects.filter(record_type=record_type, record_id=pk)[:20])
