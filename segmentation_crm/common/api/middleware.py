"""What holds for every answer under /api/, also for those that no API view made."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from .errors import json_error


class ApiResponseMiddleware:
    """Turn HTML errors under /api/ into JSON, and add the rate-limit headers that the throttle noted."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not request.path_info.startswith("/api/"):
            return response
        if response.status_code >= 400 and "json" not in response.get("Content-Type", ""):
            replaced = json_error(request, response.status_code)
            for header in ("Allow", "Retry-After", "WWW-Authenticate"):
                if header in response:
                    replaced[header] = response[header]
            response = replaced
        limit = getattr(request, "rate_limit", None)
        if limit is not None:
            response["X-RateLimit-Limit"], response["X-RateLimit-Remaining"] = str(limit[0]), str(limit[1])
            response["X-RateLimit-Reset"] = str(limit[2])
        response.setdefault("Cache-Control", "private, no-store")
        return response
