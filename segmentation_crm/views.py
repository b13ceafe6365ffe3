"""Pages that span the apps, and the two probes."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from segmentation_crm.common.models import User
from segments.queries import sees_every_record

from . import health
from .home import home_context


@login_required
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Show where to begin, what closes next, what changed and what needs attention."""
    assert isinstance(request.user, User)  # login_required
    context = home_context(request.user)
    return render(request, "home.html", {**context, "sees_all": sees_every_record(request.user)})


def healthz(request: HttpRequest) -> JsonResponse:
    """Answer which parts are alive; 503 only when the database is down. Open to all, shows no details."""
    parts = health.parts()
    return JsonResponse(parts, status=503 if parts["database"] == "down" else 200)


def readyz(request: HttpRequest) -> JsonResponse:
    """Answer whether requests can be served: database and schema; 503 until then."""
    ready = health.is_ready()
    return JsonResponse({"ready": ready}, status=200 if ready else 503)
