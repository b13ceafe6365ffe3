"""Telling the broker that a job is due. The row is the truth: a bell that is lost costs time, never work."""

import logging
import os
import threading
import time
from typing import Any

from kombu.pools import ProducerPool

logger = logging.getLogger(__name__)

# A broker that does not answer is not asked again for this long; the sweeper rings meanwhile lost jobs later.
CIRCUIT_OPEN_SECONDS = 30.0
SOCKET_TIMEOUT = 2.0

_lock = threading.Lock()
_open_until = 0.0
# Any: the published types lack the pool's own methods.
_pool: Any = None
_pool_of_process = 0


def circuit_is_open() -> bool:
    """Tell whether the last ring failed less than 30 s ago."""
    return time.monotonic() < _open_until


def reset_circuit() -> None:
    """Close the circuit, as if the last ring had gone well."""
    global _open_until
    _open_until = 0.0


def ring_quietly(job_id: int, queue: str) -> bool:
    """Ring for one job; return False where the broker could not be told (at most about 4 s, then not for 30 s)."""
    global _open_until
    if circuit_is_open():
        return False
    try:
        _publish(job_id, queue)
    except Exception as error:  # a request must never fail because of its bell
        _open_until = time.monotonic() + CIRCUIT_OPEN_SECONDS
        forget_connections()
        logger.warning("Broker not reached (%s); jobs wait for the sweeper.", type(error).__name__)
        return False
    return True


def publish(job_id: int, queue: str) -> None:
    """Send the message. Raises whatever the broker's client raises."""
    from ..tasks import run_job

    with _producers(run_job.app).acquire(block=True, timeout=SOCKET_TIMEOUT) as producer:
        run_job.apply_async(args=(job_id,), queue=queue, producer=producer, retry=False)


# What `ring_quietly` calls; tests put a recorder in its place.
_publish = publish


def _producers(app: Any) -> ProducerPool:
    """Return this process's pool of producers with timeouts far shorter than a worker's own."""
    global _pool, _pool_of_process
    with _lock:
        if _pool is None or _pool_of_process != os.getpid():
            connection: Any = app.connection_for_write()
            connection.transport_options = {
                **connection.transport_options,
                "socket_timeout": SOCKET_TIMEOUT,
                "socket_connect_timeout": 1.0,
                "retry_on_timeout": False,
                # Else kombu would try to connect for six seconds.
                "max_retries": 0,
            }
            connections = connection.Pool(limit=8)
            _pool, _pool_of_process = ProducerPool(connections, limit=8), os.getpid()
        return _pool


def forget_connections() -> None:
    """Drop connections that may be half dead, or lead to a broker of the past."""
    global _pool
    with _lock:
        pool, _pool = _pool, None
    if pool is not None and _pool_of_process == os.getpid():
        try:
            pool.force_close_all()
            pool.connections.force_close_all()
        except Exception:
            logger.debug("Closing broker connections failed.", exc_info=True)
