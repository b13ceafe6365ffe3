"""The scheduler process: Celery's beat over the database's schedule, showing that it is alive."""

import logging
import time
from typing import Any

from django.db import DatabaseError
from django_celery_beat.schedulers import DatabaseScheduler

from .heartbeats import BEAT_SECONDS, beat

logger = logging.getLogger(__name__)


class HeartbeatScheduler(DatabaseScheduler):
    """Writes the heartbeat "scheduler" from its own loop, so that a stuck loop shows as down."""

    _last_beat = 0.0

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Do one round and say when the next is due, in seconds."""
        now = time.monotonic()
        if now - self._last_beat >= BEAT_SECONDS:
            try:
                beat("scheduler")
                self._last_beat = now
            except DatabaseError:
                logger.warning("The scheduler's heartbeat could not be written.")
        return min(super().tick(*args, **kwargs), BEAT_SECONDS)
