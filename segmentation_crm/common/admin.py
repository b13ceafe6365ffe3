"""Django admin of users, teams, territories, settings, jobs and the audit log."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from .models import ApiToken, AuditEntry, Job, Organisation, Role, Team, Territory, User
from .services import audit


class ReadOnlyAdmin(admin.ModelAdmin):
    """A model that people look at here and that only the product writes."""

    show_full_result_count = False

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

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save and record which fields changed."""
        super().save_model(request, obj, form, change)
        action = f"{obj._meta.model_name}.{'changed' if change else 'created'}"
        audit.record(request.user, action, obj, fields=sorted(form.changed_data))

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Record and delete."""
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
    list_filter = ("state", "kind")
    search_fields = ("key", "title")
    list_select_related = ("created_by",)


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """The audit log, newest first."""

    list_display = ("at", "actor_name", "action", "object_type", "object_name")
    list_filter = ("action",)
    search_fields = ("actor_name", "object_name", "action")


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnlyAdmin):
    """Tokens: name, scopes, expiry, last use; never the token itself."""

    list_display = ("name", "user", "scopes", "created", "expiry", "last_used_at")
    search_fields = ("name", "user__username")
    list_select_related = ("user",)
    fields = ("name", "user", "scopes", "created", "expiry", "last_used_at")
