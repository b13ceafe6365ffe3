"""What a Celery worker does beyond running tasks: sign of life, a look at what a dead one left, an early warning."""

import signal
import threading
from types import FrameType
from typing import Any

from celery import signals

from .heartbeats import keep_beating
from .shutdown import announce_stop, withdraw_stop

_stop_beating = threading.Event()


@signals.worker_ready.connect
def start(sender: Any = None, **kwargs: Any) -> None:
    """Begin to beat, and ring for jobs that a killed worker of this machine left behind."""
    from ..tasks import sweep

    withdraw_stop()
    _hear_shutdown_at_once()
    _stop_beating.clear()
    threading.Thread(target=keep_beating, args=("worker", _stop_beating), name="worker-heartbeat", daemon=True).start()
    sweep.apply_async(expires=60)


def _hear_shutdown_at_once() -> None:
    """Announce the end as soon as the signal comes: Celery's own signal is sent only after its soft shutdown."""
    for number in (signal.SIGTERM, signal.SIGQUIT, signal.SIGINT):
        before = signal.getsignal(number)

        def announce(number: int, frame: FrameType | None, before: Any = before) -> None:
            announce_stop()
            _stop_beating.set()
            if callable(before):
                before(number, frame)

        if callable(before):
            signal.signal(number, announce)
