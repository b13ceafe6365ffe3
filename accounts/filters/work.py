"""Filters of tasks, notes and imports."""

import django_filters
from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet
from django.utils import timezone

from segmentation_crm.common.local_time import LocalDay, zone_of

from ..choices import RecordType, TaskType
from ..models import Import, ImportState, Note, Task
from .making import IdFilter, ImportedFilterSet, Ordering, PersonFilter, TextFilter, TokenFilter, YesNoFilter, flag

DUE = [
    ("overdue", "Overdue"),
    ("today", "Today"),
    ("this_week", "This week"),
    ("later", "Later"),
    ("none", "Without date"),
]


class TaskFilter(ImportedFilterSet):
    """Tasks by owner, record, and whether they are done."""

    record_type = RecordType.TASK

    search = TextFilter(field_name="title", lookup_expr="icontains", label="Search")
    owner = PersonFilter(field_name="owner_id", label="Owner")
    account = IdFilter(field_name="account_id")
    contact = IdFilter(field_name="contact_id")
    opportunity = IdFilter(field_name="opportunity_id")
    type = TokenFilter(TaskType)
    done = YesNoFilter(method=flag(Q(done_at__isnull=False)), label="Done")
    due_from = django_filters.IsoDateTimeFilter(field_name="due_at", lookup_expr="gte", label="Due from")
    due_until = django_filters.IsoDateTimeFilter(field_name="due_at", lookup_expr="lt", label="Due before")
    due = django_filters.MultipleChoiceFilter(choices=DUE, method="filter_due", label="Due")
    ordering = Ordering(
        id="pk", due_at="due_at", title="title", created_at="created_at", updated_at="updated_at", done_at="done_at"
    )

    class Meta:
        model = Task
        fields: list[str] = []

    def filter_due(self, queryset: "QuerySet[Task]", name: str, value: list[str]) -> "QuerySet[Task]":
        """Keep tasks by when they are due, in days of whoever asks; "this week" begins tomorrow, overdue ones are open.

        Costs up to 2 queries for the time zone.
        """
        if not value:
            return queryset
        user = getattr(self.request, "user", None) or AnonymousUser()
        now = timezone.now()
        day = LocalDay.today(zone_of(user), now)
        meant = {
            "overdue": Q(due_at__lt=now, done_at__isnull=True),
            "today": Q(due_at__gte=day.start, due_at__lt=day.end),
            "this_week": Q(due_at__gte=day.end, due_at__lt=day.week_end),
            "later": Q(due_at__gte=max(day.end, day.week_end)),
            "none": Q(due_at__isnull=True),
        }
        found = Q(pk__in=[])
        for word in value:
            found |= meant[word]
        return queryset.filter(found)


class NoteFilter(ImportedFilterSet):
    """Notes by author and record."""

    record_type = RecordType.NOTE

    search = TextFilter(field_name="text", lookup_expr="icontains", label="Search")
    author = IdFilter(field_name="author_id", label="Author")
    account = IdFilter(field_name="account_id")
    contact = IdFilter(field_name="contact_id")
    opportunity = IdFilter(field_name="opportunity_id")
    ordering = Ordering(id="pk", created_at="created_at", updated_at="updated_at")

    class Meta:
        model = Note
        fields: list[str] = []


class ImportFilter(django_filters.FilterSet):
    """Imports by type, state and who started them."""

    type = TextFilter(field_name="type")
    state = TokenFilter(ImportState)
    created_by = IdFilter(field_name="created_by_id")
    ordering = Ordering(id="pk", created_at="created_at")

    class Meta:
        model = Import
        fields: list[str] = []
