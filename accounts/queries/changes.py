"""Which changes of which records a user sees: those of the records the user sees."""

from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, TextField
from django.db.models.functions import Cast

from segmentation_crm.common.access import AnyUser, visibility

from ..models import RecordChange
from .accounts import accounts_seen
from .contacts import contacts_seen
from .opportunities import opportunities_seen


def changes_visible_to(user: AnyUser) -> "QuerySet[RecordChange]":
    """Return the changes of live records that the user sees (up to 3 queries to build)."""
    seen = visibility(user)
    rows = RecordChange.objects.all()
    if seen.nothing:
        return rows.none()
    allowed = Q()
    for record_type, records in (
        ("account", accounts_seen(seen)),
        ("contact", contacts_seen(seen)),
        ("opportunity", opportunities_seen(seen)),
    ):
        allowed |= Q(Exists(records.filter(pk=OuterRef("record_id"))), record_type=record_type)
    return rows.filter(allowed)


def changes_of(record: Any) -> "QuerySet[RecordChange]":
    """Return the changes of one record, newest first; the caller has checked that it may be seen."""
    rows = RecordChange.objects.filter(record_type=record._meta.model_name, record_id=record.pk)
    return rows.order_by("-at", "-id")


def changing(rows: "QuerySet[RecordChange]", field: str) -> "QuerySet[RecordChange]":
    """Leave the changes of one field; for the rows of one record, as it reads them all."""
    quoted = field.replace('"', "").replace("\\", "")
    return rows.alias(said=Cast("changes", TextField())).filter(said__contains=f'"field": "{quoted}"')
