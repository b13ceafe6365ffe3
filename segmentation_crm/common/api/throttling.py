"""Rate limits that hold under parallel calls: one atomic increment per call in the cache."""

import logging
import threading
import time
from typing import TYPE_CHECKING

from django.core.cache import cache
from rest_framework.request import Request
from rest_framework.settings import api_settings
from rest_framework.throttling import BaseThrottle

if TYPE_CHECKING:
    from rest_framework.views import APIView

logger = logging.getLogger(__name__)

_PERIODS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_OPEN_FOR = 10.0  # seconds without asking a cache that has just failed
_breaker = threading.local()


class AtomicUserThrottle(BaseThrottle):
    """At most `rate` calls per user (or address) and scope; a view names its scope by `throttle_scope`.

    A sliding window made of two fixed ones: calls of the running window plus the share of the one before that
    still reaches into the last period. Without a cache every call passes and a warning is logged.
    """

    def __init__(self) -> None:
        self._wait: float | None = None

    def allow_request(self, request: Request, view: "APIView") -> bool:
        """Count the call and tell whether it passes (2 cache calls)."""
        scope = getattr(view, "throttle_scope", None) or "api"
        limit, period = self.rate(scope)
        if time.monotonic() < getattr(_breaker, "open_until", 0.0):
            return True
        now = time.time()
        window, elapsed = int(now // period), now % period
        ident = f"u{request.user.pk}" if request.user.is_authenticated else f"a{self.get_ident(request)}"
        try:
            before = min(int(cache.get(self._key(scope, ident, window - 1)) or 0), limit)
            count = self._count(self._key(scope, ident, window), period)
        except Exception as error:
            # The backend's errors share no base class; a broken cache must not close the API.
            _breaker.open_until = time.monotonic() + _OPEN_FOR
            logger.warning("Rate limit not applied, the cache does not answer: %s", type(error).__name__)
            return True
        used = count + before * (1 - elapsed / period)
        allowed = used <= limit
        wait = max(1, int(period - elapsed) + 1)
        request._request.rate_limit = (limit, max(0, int(limit - used)), wait)  # type: ignore[attr-defined]
        self._wait = None if allowed else float(wait)
        return allowed

    def wait(self) -> float | None:
        """Return after how many seconds to try again."""
        return self._wait

    @staticmethod
    def rate(scope: str) -> tuple[int, int]:
        """Return the scope's limit and its period in seconds.

        Raises KeyError for a scope without a rate in the settings.
        """
        number, _, period = str(api_settings.DEFAULT_THROTTLE_RATES[scope]).partition("/")
        return int(number), _PERIODS[period[0]]

    @staticmethod
    def _key(scope: str, ident: str, window: int) -> str:
        return f"throttle:{scope}:{ident}:{window}"

    @staticmethod
    def _count(key: str, period: int) -> int:
        cache.add(key, 0, timeout=2 * period)
        return cache.incr(key)
