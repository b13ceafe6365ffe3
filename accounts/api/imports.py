"""Imports over the API, to look at: how a run went, and its rejected rows with their reasons."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from segmentation_crm.common.api.viewsets import ReadViewSet

from ..filters import ImportFilter
from ..models import Import, ImportRow
from ..queries.imports import imports_visible_to
from .base import AccountsSerializer


class ImportSerializer(AccountsSerializer):
    """One file on its way into the records, with its counts."""

    class Meta:
        model = Import
        fields = [
            "id",
            "type",
            "file_name",
            "size_bytes",
            "source",
            "mapping",
            "unmapped",
            "encoding",
            "delimiter",
            "state",
            "error",
            "rows_total",
            "rows_done",
            "rows_created",
            "rows_updated",
            "rows_unchanged",
            "rows_invalid",
            "warnings",
            "created_by",
            "created_at",
            "started_at",
            "finished_at",
        ]
        read_only_fields = fields


class ImportRowSerializer(AccountsSerializer):
    """A row that was rejected, or imported with warnings; `cells` holds a rejected row whole."""

    class Meta:
        model = ImportRow
        fields = ["id", "number", "line", "is_rejected", "record_id", "findings", "cells"]
        read_only_fields = fields


class ImportViewSet(ReadViewSet[Import]):
    """Imports: one's own; admins see all."""

    visible = staticmethod(imports_visible_to)
    serializer_class = ImportSerializer
    filterset_class = ImportFilter

    @extend_schema(responses=ImportRowSerializer(many=True), filters=False)
    @action(detail=True, methods=["get"], filter_backends=[])
    def rows(self, request: Request, pk: str | None = None) -> Response:
        """List the rows that were rejected or came with warnings, in the file's order (3 queries)."""
        found: QuerySet[ImportRow] = self.get_object().rows.order_by("pk")
        page = self.paginate_queryset(found)
        return self.get_paginated_response(ImportRowSerializer(page, many=True).data)
