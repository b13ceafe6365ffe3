"""Keep the long pauses of Python's garbage collector out of the requests.

A full collection walks every object of the process: 250,000 of them, most of them modules, forms and templates that
never go, take 0.2 s (measured), and it comes in the middle of somebody's page. What lives for ever is therefore taken
out of the collector's sight once the process is warm; later collections walk what came since, in a millisecond.
"""

import gc
from typing import Any

from django.core.signals import request_finished

# Requests after which a process has met most of its pages; each costs one pause, after an answer has been sent.
WARM_AFTER = frozenset({20, 200, 2000})


def settle() -> None:
    """Collect once (about 0.2 s), and let the collector leave alone what is still there."""
    gc.collect()
    gc.freeze()


def settle_when_warm() -> None:
    """Settle now and again after some requests of this process, when their answers are sent."""
    served = 0

    def count(**kwargs: Any) -> None:
        nonlocal served
        served += 1
        if served in WARM_AFTER:
            settle()

    # The signal holds its receivers weakly.
    request_finished.connect(count, weak=False, dispatch_uid="garbage")
    settle()
