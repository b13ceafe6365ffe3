"""Pages that span the apps, and the two probes."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect

from . import health


def home(request: HttpRequest) -> HttpResponse:
    """Show the first page."""
    if not request.user.is_authenticated:
        return redirect("account_login")
    return redirect("jobs:list")


def healthz(request: HttpRequest) -> JsonResponse:
    """Answer which parts are alive; 503 only when the database is down. Open to all, shows no details."""
    parts = health.parts()
    return JsonResponse(parts, status=503 if parts["database"] == "down" else 200)


def readyz(request: HttpRequest) -> JsonResponse:
    """Answer whether requests can be served: database and schema; 503 until then."""
    ready = health.is_ready()
    return JsonResponse({"ready": ready}, status=200 if ready else 503)
