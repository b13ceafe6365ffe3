"""What a Celery worker does beyond running tasks: sign of life, a look at what a dead one left, an early warning."""

import threading
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
    _stop_beating.clear()
    threading.Thread(target=keep_beating, args=("worker", _stop_beating), name="worker-heartbeat", daemon=True).start()
    sweep.apply_async(expires=60)


@signals.worker_shutting_down.connect
def stop(sender: Any = None, **kwargs: Any) -> None:
    """Ask running handlers to hand their jobs back: the pool shares the flag."""
    announce_stop()
    _stop_beating.set()
