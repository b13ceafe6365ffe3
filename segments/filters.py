"""Filters of the list of segments, for the page and the API."""

import django_filters
from django.db.models import Q, QuerySet

from .choices import MemberType, SegmentStatus, SegmentUse
from .models import Segment
from .queries import sees_every_record


class SegmentFilter(django_filters.FilterSet):
    """Segments by words, what their members are, state, use and owner."""

    search = django_filters.CharFilter(method="filter_search", label="Name or sentence contains")
    member_type = django_filters.ChoiceFilter(choices=MemberType.choices, empty_label="Accounts and contacts")
    status = django_filters.MultipleChoiceFilter(choices=SegmentStatus.choices)
    kind_of_use = django_filters.ChoiceFilter(choices=SegmentUse.choices, empty_label="Any use")
    owner = django_filters.NumberFilter(field_name="owner_id")

    class Meta:
        model = Segment
        fields = ["search", "member_type", "status", "kind_of_use", "owner"]

    def filter_search(self, queryset: QuerySet[Segment], name: str, value: str) -> QuerySet[Segment]:
        """Keep segments whose name, sentence or description contains the text.

        A sentence may name records: who sees a part of the records searches names and descriptions alone.
        """
        text = value.strip()
        found = Q(name__icontains=text) | Q(description__icontains=text)
        user = getattr(self.request, "user", None)
        if user is not None and sees_every_record(user):
            found |= Q(sentence__icontains=text)
        return queryset.filter(found)
