"""Where values came from: stating it, and forgetting it where a value becomes another without a source."""

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal

from ..models import Provenance


def forget_sources(record_type: str, record_id: int, fields: Iterable[str]) -> int:
    """Drop what is known of the source of fields whose values are others now; returns how many rows went (1 query)."""
    return Provenance.objects.filter(record_type=record_type, record_id=record_id, field__in=list(fields)).delete()[0]


def state_source(
    record_type: str,
    record_id: int,
    fields: Iterable[str],
    *,
    source_system: str = "",
    source_type: str = "",
    kind: str = "",
    observed_on: dt.date | None = None,
    confidence: Decimal | None = None,
) -> None:
    """State where the values of fields came from, in the place of what was said before (3 queries a field)."""
    for field in fields:
        Provenance.objects.update_or_create(
            record_type=record_type,
            record_id=record_id,
            field=field,
            defaults={
                "source_system": source_system.strip(),
                "source_type": source_type,
                "kind": kind,
                "observed_on": observed_on,
                "confidence": confidence,
            },
        )
