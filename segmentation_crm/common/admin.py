"""Django admin of users, teams, territories, settings, jobs and the audit log."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html

from .models import (
    ApiToken,
    AuditEntry,
    BulkAct,
    Export,
    Job,
    Notification,
    Organisation,
    RecentItem,
    Role,
    SavedView,
    Team,
    Territory,
    User,
    UserPreference,
)
from .services import audit, settings_audit
from .services.organisation import CHANGEABLE, change_organisation

MAX_COUNTED = 10_000


class CappedPaginator(Paginator):
    """Counts up to 10,000 rows: counting millions would cost more than the page itself."""

    @cached_property
    def count(self) -> int:
        """Return the number of rows, at most 10,000 (1 query)."""
        rows = self.object_list
        return rows.order_by()[:MAX_COUNTED].count() if isinstance(rows, QuerySet) else len(rows)


class ReadOnlyAdmin(admin.ModelAdmin):
    """A model that people look at here and that only the product writes."""

    show_full_result_count = False
    paginator = CappedPaginator
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False."""
        return False


class AuditedAdmin(admin.ModelAdmin):
    """A settings model: every change leaves an audit entry in the same transaction."""

    show_full_result_count = False
    paginator = CappedPaginator
    list_per_page = 50

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save and record which fields changed."""
        super().save_model(request, obj, form, change)
        if type(obj) in settings_audit.watched_models():
            return
        action = f"{obj._meta.model_name}.{'changed' if change else 'created'}"
        audit.record(request.user, action, obj, fields=sorted(form.changed_data))

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Record and delete."""
        if type(obj) not in settings_audit.watched_models():
            audit.record(request.user, f"{obj._meta.model_name}.deleted", obj)
        super().delete_model(request, obj)


@admin.register(User)
class UserAdmin(AuditedAdmin, DjangoUserAdmin):
    """Users; flags follow the role, and deactivation has a page of its own that asks who takes over."""

    list_display = ("username", "first_name", "last_name", "email", "role", "team", "is_active", "last_login")
    list_filter = ("role", "team", "is_active")
    list_select_related = ("team",)
    search_fields = ("username", "first_name", "last_name", "email", "external_id")
    autocomplete_fields = ("team",)
    readonly_fields = ("deactivation", "last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        ("Access", {"fields": ("role", "team", "deactivation")}),
        ("Source", {"fields": ("external_source", "external_id")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (None, {"fields": ("username", "email", "usable_password", "password1", "password2", "role", "team")}),
    )
    filter_horizontal = ()

    @admin.display(description="Active")
    def deactivation(self, user: User) -> str:
        """Show whether the user is active, with the way to deactivate."""
        if user.pk is None or not user.is_active:
            return "Deactivated" if user.pk else "–"
        return format_html(
            '<a href="{}">Deactivate and hand over open work</a>', reverse("user_deactivate", args=[user.pk])
        )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False: users are deactivated, so that closed deals keep their owner."""
        return False

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Save, but never take the role from the last admin or change one's own."""
        if change and "role" in form.changed_data:
            other_admins = User.objects.filter(role=Role.ADMIN, is_active=True).exclude(pk=obj.pk)
            if obj.pk == request.user.pk or not other_admins.exists():
                obj.role = User.objects.values_list("role", flat=True).get(pk=obj.pk)
                self.message_user(request, "Nobody changes their own role, and one admin always stays.", "ERROR")
        super().save_model(request, obj, form, change)


@admin.register(Team)
class TeamAdmin(AuditedAdmin):
    """Teams."""

    list_display = ("name", "created_at")
    search_fields = ("name",)


@admin.register(Territory)
class TerritoryAdmin(AuditedAdmin):
    """Territories: countries and sales regions, with the users and teams they are given to."""

    list_display = ("name", "countries", "region_slugs")
    search_fields = ("name",)
    autocomplete_fields = ("users", "teams")


@admin.register(Organisation)
class OrganisationAdmin(AuditedAdmin):
    """The organisation's settings: one row."""

    list_display = ("name", "time_zone", "currency", "fiscal_year_start_month")
    readonly_fields = ("version",)

    def save_model(self, request: HttpRequest, obj: Organisation, form: Any, change: bool) -> None:
        """Save as the settings page does: amounts and classes that depend on it follow as a job."""
        values = {name: form.cleaned_data[name] for name in form.changed_data if name in CHANGEABLE}
        _, jobs = change_organisation(values, actor=request.user)
        for job in jobs:
            self.message_user(request, f"“{job}” runs in the background.")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Return False: the row is made by itself."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False."""
        return False


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    """Jobs, newest first."""

    list_display = ("id", "kind", "key", "state", "attempt", "created_by", "created_at", "finished_at")
    list_filter = ("state",)
    search_fields = ("key__startswith", "kind__startswith")
    list_select_related = ("created_by",)
    ordering = ("-pk",)


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """The audit log, newest first; the page Settings, Audit log has more filters."""

    list_display = ("at", "actor_name", "action", "object_type", "object_name")
    search_fields = ("actor__username__startswith",)
    ordering = ("-pk",)


# model, list_display, list_filter, search_fields, list_select_related, columns that are not shown
OF_USER = ("user__username__startswith",)
KEPT: tuple[tuple[Any, tuple[str, ...], tuple[str, ...], tuple[str, ...], tuple[str, ...], tuple[str, ...]], ...] = (
    (
        SavedView,
        ("name", "record", "owner", "visibility", "is_default"),
        ("visibility",),
        ("name__startswith",),
        ("owner",),
        (),
    ),
    (UserPreference, ("user", "key"), (), OF_USER, ("user",), ()),
    (Notification, ("created_at", "user", "kind", "title", "read_at"), (), OF_USER, ("user",), ()),
    (RecentItem, ("at", "user", "kind", "object_id"), (), OF_USER, ("user",), ()),
    (Export, ("created_at", "user", "title", "format", "rows"), ("format",), OF_USER, ("user",), ("path",)),
    (BulkAct, ("created_at", "user", "title", "action", "state"), ("state",), OF_USER, ("user",), ("keys",)),
)


class LeanAdmin(ReadOnlyAdmin):
    """Rows of one user, newest first; what is heavy is neither read for the list nor shown."""

    heavy: tuple[str, ...] = ()
    ordering = ("-pk",)

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        """Return the rows without their heavy columns."""
        return super().get_queryset(request).defer(*self.heavy)


for _model, _display, _filters, _search, _related, _heavy in KEPT:
    admin.site.register(
        _model,
        type(
            f"{_model.__name__}Admin",
            (LeanAdmin,),
            {
                "list_display": _display,
                "list_filter": _filters,
                "search_fields": _search,
                "list_select_related": _related,
                "heavy": _heavy,
                "exclude": _heavy or None,
            },
        ),
    )


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnlyAdmin):
    """Tokens: name, scopes, expiry, last use; never the token itself."""

    list_display = ("name", "user", "scopes", "created", "expiry", "last_used_at")
    search_fields = ("name__startswith", "user__username__startswith")
    list_select_related = ("user",)
    fields = ("name", "user", "scopes", "created", "expiry", "last_used_at")
