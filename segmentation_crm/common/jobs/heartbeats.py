"""Signs of life of worker and scheduler, as rows: they outlive a broker that was emptied."""

import logging
import threading

from django.db import DatabaseError, connection

from ..models import Heartbeat
from .clock import database_now, later

logger = logging.getLogger(__name__)

BEAT_SECONDS = 10.0
# Three beats may be missed: a busy SQLite makes a writer wait up to 20 s.
DOWN_AFTER_SECONDS = 45.0


def beat(name: str) -> None:
    """Write that the named part is alive (1 upsert)."""
    Heartbeat.objects.bulk_create(
        [Heartbeat(name=name, beat_at=database_now())],
        update_conflicts=True,
        update_fields=["beat_at"],
        unique_fields=["name"],
    )


def alive() -> set[str]:
    """Return the names of the parts that showed life within 45 s (1 query)."""
    fresh = Heartbeat.objects.filter(beat_at__gte=later(-DOWN_AFTER_SECONDS))
    return set(fresh.values_list("name", flat=True))


def keep_beating(name: str, stop: threading.Event) -> None:
    """Beat every 10 s until told to stop; a database that does not answer is only logged."""
    while True:
        try:
            beat(name)
        except DatabaseError:
            logger.warning("The heartbeat of %s could not be written.", name)
        finally:
            connection.close()
        if stop.wait(BEAT_SECONDS):
            return
