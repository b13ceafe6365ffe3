"""Segments in the Django admin: to look at; what changes members goes through the product's own pages."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from .models import Segment, SegmentOverride, SegmentRun, SegmentVersion


class ReadOnlyAdmin(admin.ModelAdmin):
    """Rows that services write: shown, never changed here."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse."""
        return False


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
    list_select_related = ["segment", "created_by"]


@admin.register(SegmentOverride)
class SegmentOverrideAdmin(ReadOnlyAdmin):
    """Decisions by hand."""

    list_display = ["segment", "mode", "reason", "by", "at"]
    list_filter = ["mode"]
    list_select_related = ["segment", "by"]


@admin.register(SegmentRun)
class SegmentRunAdmin(ReadOnlyAdmin):
    """What builds changed; the bitmaps themselves are not shown."""

    list_display = ["segment", "cause", "started_at", "member_count", "entered_count", "left_count", "error"]
    list_filter = ["cause"]
    list_select_related = ["segment"]
    exclude = ["entered", "left"]
