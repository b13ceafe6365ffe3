"""Filters of lists: one FilterSet per noun; what it does not know is refused, so that a typing error never widens."""

from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.settings import api_settings

from .pagination import KeysetPagination

if TYPE_CHECKING:
    from rest_framework.views import APIView


class StrictFilterBackend(DjangoFilterBackend):
    """Filter by the view's FilterSet; an unknown parameter or an invalid value is 400 with its name."""

    def filter_queryset(self, request: Request, queryset: QuerySet, view: "APIView") -> QuerySet:
        """Return the filtered rows.

        Raises ValidationError naming every parameter that is unknown or invalid.
        """
        self._refuse_unknown(request, queryset, view)
        return super().filter_queryset(request, queryset, view)

    def _refuse_unknown(self, request: Request, queryset: QuerySet, view: "APIView") -> None:
        known = {KeysetPagination.cursor_query_param, KeysetPagination.page_size_query_param}
        known.add(str(api_settings.URL_FORMAT_OVERRIDE))
        filterset = self.get_filterset(request, queryset, view)
        if filterset is not None:
            known |= _parameters(filterset)
        errors = {
            name[:100]: [ErrorDetail("There is no such filter.", "unknown_filter")]
            for name in request.query_params
            if name not in known
        }
        repeated = {
            name: [ErrorDetail("Give this parameter once.", "repeated")]
            for name in (KeysetPagination.cursor_query_param, KeysetPagination.page_size_query_param)
            if len(request.query_params.getlist(name)) > 1
        }
        bad_text = {
            name: [ErrorDetail("The text holds a NUL character.", "bad_text")]
            for name in request.query_params
            if "\x00" in name or any("\x00" in value for value in request.query_params.getlist(name))
        }
        if errors or repeated or bad_text:
            raise ValidationError(errors | repeated | bad_text)


def _parameters(filterset: Any) -> set[str]:
    """Return the names of the query parameters that a FilterSet reads; a range or lookup has several."""
    names: set[str] = set()
    for name, field in filterset.form.fields.items():
        suffixes = getattr(field.widget, "suffixes", None)
        names |= {f"{name}_{suffix}" if suffix else name for suffix in suffixes} if suffixes else {name}
    return names
