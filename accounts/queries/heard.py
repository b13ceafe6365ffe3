"""What was heard at one record, counted, and the latest times of one term."""

from typing import Any

from django.db.models import Count, Max

from segmentation_crm.common.access import AnyUser

from ..choices import EvidenceKind
from ..models import Account, Contact, Evidence
from .at_record import rows_at


def evidence_counts(user: AnyUser, record: Account | Contact, limit: int = 50) -> list[dict[str, Any]]:
    """Return each term heard at a record with how often and when last, the most frequent first (1 query)."""
    rows = rows_at(user, record, Evidence).order_by()
    counted = rows.values("kind", "term_id", "term__name").annotate(times=Count("pk"), last=Max("said_at"))
    labels = dict(EvidenceKind.choices)
    found = counted.order_by("kind", "-times", "term__name")[:limit]
    return [{**row, "name": row["term__name"], "label": labels.get(row["kind"], row["kind"])} for row in found]


def evidence_of(user: AnyUser, record: Account | Contact, *, term: int, kind: str) -> list[Evidence]:
    """Return the latest times one term was heard at a record, at most 10 (1 query)."""
    rows = rows_at(user, record, Evidence).filter(kind=kind, term=term)
    return list(rows.select_related("recorded_by").order_by("-said_at", "-pk")[:10])
