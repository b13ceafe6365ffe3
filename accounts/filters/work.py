"""Filters of tasks, notes and imports."""

import django_filters
from django.db.models import Q

from ..choices import RecordType, TaskType
from ..models import Import, ImportState, Note, Task
from .making import IdFilter, ImportedFilterSet, Ordering, TextFilter, TokenFilter, YesNoFilter, flag


class TaskFilter(ImportedFilterSet):
    """Tasks by owner, record, and whether they are done."""

    record_type = RecordType.TASK

    search = TextFilter(field_name="title", lookup_expr="icontains", label="Search")
    owner = IdFilter(field_name="owner_id", label="Owner")
    account = IdFilter(field_name="account_id")
    contact = IdFilter(field_name="contact_id")
    opportunity = IdFilter(field_name="opportunity_id")
    type = TokenFilter(TaskType)
    done = YesNoFilter(method=flag(Q(done_at__isnull=False)), label="Done")
    due_from = django_filters.IsoDateTimeFilter(field_name="due_at", lookup_expr="gte", label="Due from")
    due_until = django_filters.IsoDateTimeFilter(field_name="due_at", lookup_expr="lt", label="Due before")
    ordering = Ordering(id="pk", due_at="due_at", created_at="created_at", updated_at="updated_at")

    class Meta:
        model = Task
        fields: list[str] = []


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
