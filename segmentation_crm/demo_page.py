"""The settings page on which an administrator removes the demo story."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from . import demo
from .common.jobs import enqueue
from .common.models import Job, User
from .common.models.jobs import ACTIVE_STATES
from .common.settings_area import settings_page, settings_view


@settings_view("settings.write")
@require_http_methods(["GET", "POST"])
def demo_story(request: HttpRequest) -> HttpResponse:
    """Name what belongs to the demo story; on POST remove it as a job (9 queries)."""
    if request.method == "POST":
        user = request.user if isinstance(request.user, User) else None
        if not demo.is_loaded():
            messages.info(request, "There is no demo story here.")
            return redirect("settings_demo")
        job = enqueue("demo.remove", key="demo", user=user)
        return redirect("jobs:detail", job.public_id)
    running = Job.objects.filter(kind="demo.remove", state__in=ACTIVE_STATES).first()
    context = {
        "title": "Demo story",
        "counts": demo.what_would_go() if demo.is_loaded() else {},
        "running": running,
    }
    return settings_page(request, "settings/demo.html", context)
