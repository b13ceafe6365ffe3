"""Admin of vocabularies, catalogues, definitions, rates and what is kept by the product itself."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from segmentation_crm.common.admin import ReadOnlyAdmin

from .. import models, queries
from ..choices import CatalogueKind
from ..services.catalogue import merge_entries, rename_entry
from ..services.recomputing import queue_recomputing
from ..services.vocabularies import merge_terms, move_term, rename_term
from .base import KeptAdmin, RowAdmin


class MergeForm(ActionForm):
    """The action's second field: what the selected entries are merged into."""

    into = forms.CharField(required=False, label="Merge into (name or slug)")


class MergingAdmin(KeptAdmin):
    """A vocabulary or catalogue with the action "merge"."""

    action_form = MergeForm
    actions = ("merge_selected",)
    kind = ""

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Return the slug for an entry that exists: it stays."""
        return ("slug",) if obj else ()

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Make a new entry's slug from its name."""
        return {} if obj else {"slug": ("name",)}

    def into(self, entry: Any, text: str) -> Any:
        """Return the entry of the same list that the text names, or None."""
        return queries.resolve_catalogue(self.kind, text, getattr(entry, "pipeline", None))

    def merge(self, gone: Any, into: Any, request: HttpRequest) -> int:
        """Merge one entry into another; returns how many references moved."""
        return merge_entries(self.kind, gone, into, request.user)

    @admin.action(description="Merge the selected into …", permissions=["change"])
    def merge_selected(self, request: HttpRequest, queryset: Any) -> None:
        """Merge each selected entry into the one named; says what happened to each."""
        for entry in list(queryset.order_by("pk")):
            into = self.into(entry, request.POST.get("into", ""))
            if into is None:
                self.message_user(request, "Name the entry to merge into, by its name or slug.", messages.ERROR)
                return
            if into.pk == entry.pk:
                continue
            try:
                moved = self.merge(entry, into, request)
            except ValidationError as error:
                self.message_user(request, f"{entry}: {' '.join(error.messages)}", messages.ERROR)
            else:
                self.message_user(request, f"{entry} is now {into}; {moved} references moved.", messages.SUCCESS)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save; a changed name leaves the old one as an alias."""
        new_name = obj.name
        renamed = change and "name" in form.changed_data
        if renamed:
            obj.name = form.initial["name"]
        super().save_model(request, obj, form, change)
        if renamed:
            self.rename(obj, new_name)

    def rename(self, entry: Any, name: str) -> None:
        """Give the entry its new name."""
        rename_entry(self.kind, entry, name)


class TermForm(forms.ModelForm):
    """A term; the parent must belong to the same vocabulary and not lie below the term."""

    def clean(self) -> dict[str, Any]:
        """Refuse a parent elsewhere or below."""
        cleaned = super().clean() or self.cleaned_data
        parent = cleaned.get("parent")
        vocabulary = cleaned.get("vocabulary") or self.instance.vocabulary
        if parent is not None and parent.vocabulary != vocabulary:
            self.add_error("parent", "The parent must belong to the same vocabulary.")
        elif parent is not None and self.instance.pk and parent.path.startswith(self.instance.path):
            self.add_error("parent", "This would make a circle: the parent lies below the term.")
        return cleaned


@admin.register(models.Term)
class TermAdmin(MergingAdmin):
    """Terms of open vocabularies."""

    form = TermForm
    list_display = ("name", "vocabulary", "slug", "parent", "is_active")
    list_filter = ("vocabulary", "is_active")
    search_fields = ("name_folded__startswith", "slug__startswith")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Return slug and vocabulary for a term that exists: both stay."""
        return ("slug", "vocabulary") if obj else ()

    def into(self, entry: Any, text: str) -> Any:
        """Return the term of the same vocabulary."""
        return queries.resolve_term(entry.vocabulary, text)

    def merge(self, gone: Any, into: Any, request: HttpRequest) -> int:
        """Merge two terms."""
        return merge_terms(gone, into, request.user)

    def rename(self, entry: Any, name: str) -> None:
        """Rename a term."""
        rename_term(entry, name)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save; a changed parent moves everything below along."""
        super().save_model(request, obj, form, change)
        if change and "parent" in form.changed_data:
            move_term(obj, obj.parent)


for _kind, _model, _display, _filters in (
    (
        CatalogueKind.PRODUCT,
        models.Product,
        ("name", "slug", "sku", "category", "list_price", "is_active"),
        ("is_active",),
    ),
    (CatalogueKind.VENDOR, models.Vendor, ("name", "slug", "is_competitor"), ("is_competitor",)),
    (
        CatalogueKind.TECHNOLOGY_PRODUCT,
        models.TechnologyProduct,
        ("name", "slug", "vendor", "category", "is_cloud_provider", "is_competitor", "is_integration_partner"),
        ("is_cloud_provider", "is_competitor", "is_integration_partner"),
    ),
    (CatalogueKind.PIPELINE, models.Pipeline, ("name", "slug", "is_default", "position"), ()),
    (
        CatalogueKind.STAGE,
        models.Stage,
        ("name", "pipeline", "slug", "position", "probability", "is_won", "is_lost", "is_active"),
        ("pipeline", "is_won", "is_lost"),
    ),
    (CatalogueKind.PERSONA, models.Persona, ("name", "slug", "role"), ("role",)),
    (CatalogueKind.CAMPAIGN, models.CampaignRef, ("name", "slug", "channel", "source"), ("channel",)),
):
    admin.site.register(
        _model,
        type(
            f"{_model.__name__}Admin",
            (MergingAdmin,),
            {
                "kind": _kind,
                "list_display": _display,
                "list_filter": _filters,
                "search_fields": ("name_folded__startswith", "slug__startswith"),
            },
        ),
    )


@admin.register(models.ContentItem)
class ContentItemAdmin(RowAdmin):
    """Content items."""

    list_display = ("title", "format", "url")
    list_filter = ("format",)
    search_fields = ("title_folded__startswith",)


class RoleInline(admin.TabularInline):
    """The lines of a role template."""

    model = models.RoleTemplateRole
    extra = 0


@admin.register(models.RoleTemplate)
class RoleTemplateAdmin(RowAdmin):
    """Role templates."""

    list_display = ("name", "pipeline", "is_default")
    search_fields = ("name",)
    inlines = (RoleInline,)


@admin.register(models.ExchangeRate)
class ExchangeRateAdmin(RowAdmin):
    """Exchange rates; the action brings the amounts of all records in line."""

    list_display = ("base", "quote", "on_date", "rate")
    search_fields = ("base__istartswith", "quote__istartswith")
    ordering = ("-on_date", "base")
    actions = ("apply_rates",)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save; all amounts are computed anew as a job."""
        super().save_model(request, obj, form, change)
        queue_recomputing(request.user)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Delete; all amounts are computed anew as a job."""
        super().delete_model(request, obj)
        queue_recomputing(request.user)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        """Delete one by one, so that each is audited."""
        for rate in queryset:
            self.delete_model(request, rate)

    @admin.action(description="Compute all amounts anew with the rates as they are", permissions=["change"])
    def apply_rates(self, request: HttpRequest, queryset: Any) -> None:
        """Compute every reporting amount anew, as a job."""
        self.message_user(request, f"“{queue_recomputing(request.user)}” runs in the background.", messages.SUCCESS)


@admin.register(models.CustomField)
class CustomFieldAdmin(RowAdmin):
    """Definitions of custom fields; record, key and type stay once made."""

    list_display = ("label", "record", "key", "type", "is_active", "position")
    list_filter = ("record", "type", "is_active")
    search_fields = ("key", "label")
    ordering = ("record", "position")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Return what stays once the field exists."""
        return ("record", "key", "type") if obj else ()


@admin.register(models.TermAlias)
class TermAliasAdmin(RowAdmin):
    """Other spellings of terms."""

    list_display = ("text", "vocabulary", "term")
    list_filter = ("vocabulary",)
    search_fields = ("text_folded__startswith",)


@admin.register(models.CatalogueAlias)
class CatalogueAliasAdmin(RowAdmin):
    """Other spellings of catalogue entries."""

    list_display = ("text", "kind", "record_id")
    list_filter = ("kind",)
    search_fields = ("text_folded__startswith",)


@admin.register(models.IndustryMapping)
class IndustryMappingAdmin(RowAdmin):
    """Which codes an industry stands for."""

    list_display = ("term", "system", "code_from", "code_to")
    list_filter = ("system",)
    search_fields = ("term__name_folded__startswith", "code_from")


@admin.register(models.IndustryCode)
class IndustryCodeAdmin(ReadOnlyAdmin):
    """SIC and NAICS; read-only, they are public classifications."""

    list_display = ("code", "title", "system", "level")
    list_filter = ("system",)
    search_fields = ("code__startswith", "title")
    ordering = ("system", "code")


class ByRecordAdmin(ReadOnlyAdmin):
    """Rows that name a record by type and number; searched by the number."""

    ordering = ("-pk",)
    search_fields = ("record_id__exact",)
    list_filter = ("record_type",)

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        """Search by the record's number; a text that is none finds nothing."""
        if search_term and not (search_term.isdecimal() and len(search_term) < 19):
            return queryset.none(), False
        return super().get_search_results(request, queryset, search_term)


@admin.register(models.FieldHistory)
class FieldHistoryAdmin(ByRecordAdmin):
    """The history of fields, kept by triggers."""

    list_display = ("record_type", "record_id", "field", "value", "valid_from", "valid_to", "source")


@admin.register(models.Provenance)
class ProvenanceAdmin(ByRecordAdmin):
    """Where values came from."""

    list_display = ("record_type", "record_id", "field", "source_system", "source_type", "kind", "observed_on")


@admin.register(models.ExternalId)
class ExternalIdAdmin(ByRecordAdmin):
    """The numbers records have elsewhere."""

    list_display = ("record_type", "record_id", "source", "external_id")
