"""Filters of the shared nouns, for pages and API."""

import django_filters
from django.db.models import Q, QuerySet

from .models import Job, JobState, Role, SavedView, Team, Territory, User


class JobFilter(django_filters.FilterSet):
    """Jobs by state and kind."""

    state = django_filters.MultipleChoiceFilter(choices=JobState.choices)
    kind = django_filters.CharFilter()
    created_by = django_filters.NumberFilter(field_name="created_by_id")

    class Meta:
        model = Job
        fields = ["state", "kind", "created_by"]


class UserFilter(django_filters.FilterSet):
    """Users by name, role, team and whether they are active."""

    search = django_filters.CharFilter(method="filter_search", label="Name contains")
    role = django_filters.MultipleChoiceFilter(choices=Role.choices)

    class Meta:
        model = User
        fields = ["search", "role", "team", "is_active"]

    def filter_search(self, queryset: QuerySet[User], name: str, value: str) -> QuerySet[User]:
        """Keep users whose username, first or last name contains the text."""
        text = value.strip()
        return queryset.filter(
            Q(username__icontains=text) | Q(first_name__icontains=text) | Q(last_name__icontains=text)
        )


class TeamFilter(django_filters.FilterSet):
    """Teams by name."""

    search = django_filters.CharFilter(field_name="name", lookup_expr="icontains", label="Name contains")

    class Meta:
        model = Team
        fields = ["search"]


class TerritoryFilter(django_filters.FilterSet):
    """Territories by name."""

    search = django_filters.CharFilter(field_name="name", lookup_expr="icontains", label="Name contains")

    class Meta:
        model = Territory
        fields = ["search"]


class SavedViewFilter(django_filters.FilterSet):
    """Saved views by the kind of record they list."""

    class Meta:
        model = SavedView
        fields = ["record", "visibility", "is_default"]
