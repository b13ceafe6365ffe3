"""A part that is down answers 503 with words, not 500: the cache (lock-out counts in it) or the database."""

import logging
from collections.abc import Callable

from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from redis.exceptions import RedisError

RETRY_AFTER_SECONDS = 30
log = logging.getLogger(__name__)


class OutageMiddleware:
    """Turn the outage of a dependency into a page that says to try again; the API has its own answers."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Return the 503 page for an outage, None for everything else."""
        if not isinstance(exception, RedisError | OperationalError) or request.path_info.startswith("/api/"):
            return None
        log.error("%s is down: %s", "Database" if isinstance(exception, OperationalError) else "Cache", exception)
        response = render(None, "503.html", status=503)
        response["Retry-After"] = str(RETRY_AFTER_SECONDS)
        response["Cache-Control"] = "no-store"
        return response
