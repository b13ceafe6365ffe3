"""Segments in the Django admin: to look at; what changes members goes through the product's own pages."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from segmentation_crm.common.admin import ReadOnlyAdmin

from .models import Segment, SegmentOverride, SegmentRun, SegmentVersion


@admin.register(Segment)
class SegmentAdmin(ReadOnlyAdmin):
    """Segments with their state."""

    list_display = ["name", "member_type", "status", "kind", "member_count", "last_built_at", "owner"]
    list_filter = ["status", "member_type", "kind", "kind_of_use"]
    search_fields = ["name", "slug", "sentence"]
    list_select_related = ["owner"]


@admin.register(SegmentVersion)
class SegmentVersionAdmin(ReadOnlyAdmin):
    """The rules that segments have had."""

    list_display = ["segment", "number", "created_by", "created_at"]
    search_fields = ["segment__slug__startswith"]
    ordering = ["-pk"]
    list_select_related = ["segment", "created_by"]


@admin.register(SegmentOverride)
class SegmentOverrideAdmin(ReadOnlyAdmin):
    """Decisions by hand."""

    list_display = ["segment", "mode", "reason", "by", "at"]
    search_fields = ["segment__slug__startswith"]
    ordering = ["-pk"]
    list_filter = ["mode"]
    list_select_related = ["segment", "by"]


@admin.register(SegmentRun)
class SegmentRunAdmin(ReadOnlyAdmin):
    """What builds changed; the bitmaps themselves are not shown."""

    list_display = ["segment", "cause", "started_at", "member_count", "entered_count", "left_count", "error"]
    list_filter = ["cause"]
    list_select_related = ["segment"]
    search_fields = ["segment__slug__startswith"]
    ordering = ["-pk"]
    exclude = ["entered", "left"]

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        """Return the runs without their bitmaps."""
        return super().get_queryset(request).defer("entered", "left")
