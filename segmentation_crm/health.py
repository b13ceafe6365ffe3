"""Which parts of the installation are alive, found out within short timeouts and told without details."""

import logging
import threading
from collections.abc import Callable
from typing import TypeVar

import redis
from django.conf import settings
from django.db import DatabaseError, connection

from accounts.capture import missing_triggers
from segmentation_crm.common.jobs import heartbeats

logger = logging.getLogger(__name__)

DATABASE_TIMEOUT = 3.0
BROKER_TIMEOUT = 1.0

_probing = threading.Lock()
Answer = TypeVar("Answer")


def parts() -> dict[str, str]:
    """Return {"database", "broker", "worker", "scheduler", "capture"}: "ok" or "down" (2 queries, one PING, ≤ 8 s).

    capture is down where a trigger is missing, changed or switched off: segments would miss writes.
    """
    alive = _within(DATABASE_TIMEOUT, heartbeats.alive)
    missing = None if alive is None else _within(DATABASE_TIMEOUT, missing_triggers)
    return {
        "database": "down" if alive is None else "ok",
        "broker": "ok" if broker_answers() else "down",
        "worker": "ok" if alive and "worker" in alive else "down",
        "scheduler": "ok" if alive and "scheduler" in alive else "down",
        "capture": "ok" if missing == [] else "down",
    }


def is_ready() -> bool:
    """Tell whether the database answers and has every migration."""
    return bool(_within(DATABASE_TIMEOUT, _is_migrated))


def broker_answers() -> bool:
    """Tell whether the broker answers a PING within a second."""
    url = settings.REDIS_URL.replace("redis+socket://", "unix://")
    try:
        client = redis.Redis.from_url(
            url, socket_timeout=BROKER_TIMEOUT, socket_connect_timeout=BROKER_TIMEOUT, retry=None
        )
        with client:
            return bool(client.ping())
    except (redis.RedisError, OSError, ValueError):
        return False


def _is_migrated() -> bool:
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


def _within(seconds: float, ask: Callable[[], Answer]) -> Answer | None:
    """Ask the database; None where it fails or does not answer in time.

    A frozen server can hold a connection for minutes, whatever its own timeouts say, so the question is asked in
    a thread of its own, one at a time. SQLite runs in this process and needs none.
    """
    if connection.vendor == "sqlite":
        return _asked(ask)
    if not _probing.acquire(timeout=seconds):
        return None
    answers: list[Answer | None] = []

    def probe() -> None:
        try:
            answers.append(_asked(ask))
        finally:
            connection.close()
            _probing.release()

    thread = threading.Thread(target=probe, name="health-probe", daemon=True)
    thread.start()
    thread.join(timeout=seconds)
    return answers[0] if answers else None


def _asked(ask: Callable[[], Answer]) -> Answer | None:
    try:
        return ask()
    except (DatabaseError, OSError):
        logger.warning("Health: the database did not answer.", exc_info=True)
        return None
