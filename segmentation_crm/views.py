"""Pages that span the apps, and the two probes."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.views.decorators.http import require_GET

from accounts.views.my_day import my_day
from segmentation_crm.common.models import Role, User
from segments.queries import sees_every_record

from . import health
from .dashboard import kept_dashboard
from .home import home_context


@login_required
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Show where to begin, what closes next, what changed and what needs attention."""
    assert isinstance(request.user, User)  # login_required
    if request.user.role == Role.SALES_REP:
        # A rep's first page is the rep's day.
        return my_day(request)
    context = home_context(request.user)
    return render(request, "home.html", {**context, "sees_all": sees_every_record(request.user)})


@login_required
@require_GET
def home_figures(request: HttpRequest) -> HttpResponse:
    """Show the dashboard's figures, a part of the first page (0 to 8 queries); `?fresh=1` counts anew."""
    assert isinstance(request.user, User)  # login_required
    figures, at = kept_dashboard(request.user, fresh=request.GET.get("fresh") == "1")
    context = {"figures": figures, "at": at, "part": not sees_every_record(request.user)}
    return render(request, "_home_figures.html", context)


@require_GET
def favicon(request: HttpRequest) -> HttpResponse:
    """Lead browsers that ask for the icon without having read a page's head to it."""
    return redirect(static("img/favicon.svg"))


def healthz(request: HttpRequest) -> JsonResponse:
    """Answer which parts are alive; 503 only when the database is down. Open to all, shows no details."""
    parts = health.parts()
    return JsonResponse(parts, status=503 if parts["database"] == "down" else 200)


def readyz(request: HttpRequest) -> JsonResponse:
    """Answer whether requests can be served: database and schema; 503 until then."""
    ready = health.is_ready()
    return JsonResponse({"ready": ready}, status=200 if ready else 503)
