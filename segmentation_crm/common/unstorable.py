"""What no column holds: NUL characters go from addresses, and a value that the database refuses is 400, not 500."""

import logging
from collections.abc import Callable

from django.db import DataError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

log = logging.getLogger(__name__)


class UnstorableInputMiddleware:
    """Guard pages against texts and figures that PostgreSQL refuses; the API has answers of its own."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request, its address without NUL: nobody types one, and no text of ours has one."""
        query = request.META.get("QUERY_STRING", "")
        if not request.path_info.startswith("/api/") and ("%00" in query or "\x00" in query):
            request.META["QUERY_STRING"] = query.replace("%00", "").replace("\x00", "")
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Return the 400 page for a value that no column holds, None for everything else."""
        if not isinstance(exception, DataError | OverflowError) or request.path_info.startswith("/api/"):
            return None
        log.warning("A value that no column holds: %s", exception)
        return render(request, "400.html", status=400)
