"""Admin of what the product writes about records: changes, merges, files, evidence. To look at only."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from segmentation_crm.common.admin import ReadOnlyAdmin

from .. import models
from ..queries.attachments import attachments_visible_to
from ..queries.evidence import evidence_visible_to
from ..queries.imports import imports_visible_to
from .catalogue import ByRecordAdmin


@admin.register(models.RecordChange)
class RecordChangeAdmin(ByRecordAdmin):
    """The log of changes of records, newest first."""

    list_display = ("at", "actor_name", "action", "record_type", "record_id", "via")


@admin.register(models.RecordMerge)
class RecordMergeAdmin(ByRecordAdmin):
    """Merges of records; searched by the number of the record that was kept."""

    list_display = ("at", "actor", "record_type", "kept_id", "gone_id", "undone_at")
    list_select_related = ("actor",)
    search_fields = ("kept_id__exact",)

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        """Return the merges without the values they keep."""
        return super().get_queryset(request).defer("before", "moved")


@admin.register(models.Attachment)
class AttachmentAdmin(ReadOnlyAdmin):
    """Files on records, without where they lie."""

    list_display = ("name", "size", "content_type", "uploaded_by", "account", "contact", "opportunity", "created_at")
    list_select_related = ("uploaded_by", "account", "contact", "opportunity")
    search_fields = ("account__name_folded__startswith",)
    ordering = ("-pk",)

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        """Return the files that the user sees."""
        return attachments_visible_to(request.user)


@admin.register(models.Evidence)
class EvidenceAdmin(ReadOnlyAdmin):
    """What was heard: needs, triggers, objections, competitors."""

    list_display = ("said_at", "kind", "term", "account", "contact", "opportunity", "recorded_by")
    list_filter = ("kind",)
    list_select_related = ("term", "account", "contact", "opportunity", "recorded_by")
    search_fields = ("account__name_folded__startswith",)
    ordering = ("-pk",)

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        """Return the evidence that the user sees."""
        return evidence_visible_to(request.user)


@admin.register(models.Import)
class ImportAdmin(ReadOnlyAdmin):
    """Imports of files, newest first."""

    list_display = ("file_name", "type", "state", "rows_total", "rows_done", "rows_created")
    list_filter = ("state",)
    search_fields = ("file_name__startswith",)
    ordering = ("-pk",)
    exclude = ("touched_ids", "stored_name")

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        """Return the imports that the user sees, without their bitmaps."""
        return imports_visible_to(request.user).defer("touched_ids")
