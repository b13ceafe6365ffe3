"""Which history, provenance and external ids a user sees: those of records the user sees."""

from django.db.models import Exists, OuterRef, Q, QuerySet

from segmentation_crm.common.access import AnyUser, Visibility, visibility

from ..choices import RecordType
from ..models import ExternalId, FieldHistory, Provenance
from .accounts import accounts_seen
from .contacts import contacts_seen
from .opportunities import opportunities_seen


def _of_seen_record(seen: Visibility) -> Q:
    key = OuterRef("record_id")
    return (
        (Q(record_type=RecordType.ACCOUNT) & Q(Exists(accounts_seen(seen).filter(pk=key))))
        | (Q(record_type=RecordType.CONTACT) & Q(Exists(contacts_seen(seen).filter(pk=key))))
        | (Q(record_type=RecordType.OPPORTUNITY) & Q(Exists(opportunities_seen(seen).filter(pk=key))))
    )


def field_history_visible_to(user: AnyUser) -> "QuerySet[FieldHistory]":
    """Return the history of accounts, contacts and opportunities the user sees."""
    seen = visibility(user)
    return FieldHistory.objects.none() if seen.nothing else FieldHistory.objects.filter(_of_seen_record(seen))


def provenance_visible_to(user: AnyUser) -> "QuerySet[Provenance]":
    """Return where values came from, for accounts, contacts and opportunities the user sees."""
    seen = visibility(user)
    return Provenance.objects.none() if seen.nothing else Provenance.objects.filter(_of_seen_record(seen))


def external_ids_visible_to(user: AnyUser) -> "QuerySet[ExternalId]":
    """Return the external ids of accounts, contacts and opportunities the user sees."""
    seen = visibility(user)
    return ExternalId.objects.none() if seen.nothing else ExternalId.objects.filter(_of_seen_record(seen))
