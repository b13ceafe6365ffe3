"""Filters of evidence."""

import django_filters

from ..choices import EvidenceKind, SourceKind
from ..models import Evidence
from .making import IdFilter, Ordering, TokenFilter


class EvidenceFilter(django_filters.FilterSet):
    """Evidence by kind, term, record, the account's owner, and when it was said."""

    kind = TokenFilter(EvidenceKind)
    term = IdFilter(field_name="term_id")
    account = IdFilter(field_name="account_id")
    contact = IdFilter(field_name="contact_id")
    opportunity = IdFilter(field_name="opportunity_id")
    owner = IdFilter(field_name="account__owner_id")
    source_kind = TokenFilter(SourceKind)
    said_from = django_filters.IsoDateTimeFilter(field_name="said_at", lookup_expr="gte")
    said_until = django_filters.IsoDateTimeFilter(field_name="said_at", lookup_expr="lt")
    ordering = Ordering(id="pk", said_at="said_at", created_at="created_at")

    class Meta:
        model = Evidence
        fields: list[str] = []
