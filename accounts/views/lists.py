"""Tables of related records on a record's page."""

from collections.abc import Sequence

from django.db.models import QuerySet
from django.http import HttpRequest

from segmentation_crm.common.lists import Column, Table, table
from segmentation_crm.common.paging import keyset_page

from ..lists.facets import people

MAX_PEOPLE = 300


def simple_table(
    request: HttpRequest,
    queryset: QuerySet,
    columns: Sequence[Column],
    unit: str,
    unit_plural: str = "",
    size: int = 20,
) -> Table:
    """Return one page of a related list, in the queryset's own order (1 query)."""
    return table(columns, keyset_page(request, queryset, size), unit, unit_plural)


def owners() -> list[tuple[str, str]]:
    """Return the active people by id, for a select (1 query)."""
    return [(str(person.pk), person.display_name) for person in people()[:MAX_PEOPLE]]
