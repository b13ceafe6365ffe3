"""What the admin pages of records share; no page degrades with the number of rows."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.utils import model_ngettext
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest

from segmentation_crm.common.admin import AuditedAdmin
from segmentation_crm.common.folding import fold

from ..services.deletion import delete_record


class RowAdmin(AuditedAdmin):
    """Rows of any table: folded prefix search, capped counts, newest first, references searched as one types."""

    ordering: ClassVar[tuple[str, ...]] = ("-pk",)
    visible_to: Callable[[Any], "QuerySet[Any]"] | None = None

    def __init__(self, model: type[models.Model], admin_site: admin.AdminSite) -> None:
        concrete = [f for f in model._meta.get_fields() if getattr(f, "editable", False) and f.concrete]
        references = [f.name for f in concrete if f.many_to_one or f.many_to_many]
        shown = [f.name for f in concrete if f.many_to_one and f.name in self.list_display]
        # Instance attributes over the class's own: each model has its references.
        self.__dict__["autocomplete_fields"] = tuple(references)
        if not self.list_select_related:
            self.__dict__["list_select_related"] = tuple(shown) or False
        super().__init__(model, admin_site)

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        """Return the rows the user sees."""
        if self.visible_to is None:
            return super().get_queryset(request)
        return self.visible_to(request.user).order_by(*self.ordering)

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        """Search the folded columns with the folded text."""
        return super().get_search_results(request, queryset, fold(search_term))


class RecordAdmin(RowAdmin):
    """Accounts, contacts and opportunities: deleting is soft and can be undone."""

    readonly_fields = ("created_at", "updated_at")

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Name the records themselves: nothing else goes with them."""
        records = list(objs)
        names = {model_ngettext(self.opts, len(records)): len(records)}
        return [str(record) for record in records], names, set(), []

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Delete softly; the service writes the audit entry."""
        delete_record(obj, request.user)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        """Delete softly, each with its audit entry."""
        for record in queryset:
            delete_record(record, request.user)


class KeptAdmin(RowAdmin):
    """Vocabularies and catalogues: entries are renamed, merged or switched off, never deleted here."""

    ordering = ("name",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False: merging keeps what refers to the entry."""
        return False
