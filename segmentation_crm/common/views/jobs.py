"""Pages of background work: everyone sees their own jobs, admins all."""

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from ..access import can
from ..jobs import jobs_visible_to, request_cancel
from ..models import BulkAct, JobState

PAGE_SIZE = 50


@login_required
@require_GET
def job_list(request: HttpRequest) -> HttpResponse:
    """Show the jobs one may see, newest first, by state where ?state= asks for one."""
    jobs = jobs_visible_to(request.user)
    state = request.GET.get("state", "")
    if state in JobState.values:
        jobs = jobs.filter(state=state)
    else:
        state = ""
    page = Paginator(jobs, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "jobs": page.object_list,
        "states": JobState.choices,
        "state": state,
        "sees_all": can(request.user, "jobs.see_all"),
    }
    return render(request, "jobs/job_list.html", context)


@login_required
@require_GET
def job_detail(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Show one job: its progress, how it ended, and the bulk act it does for whoever started it."""
    job = get_object_or_404(jobs_visible_to(request.user), public_id=public_id)
    own = request.user.pk == job.created_by_id
    act = BulkAct.objects.filter(job=job, user_id=request.user.pk or 0).first() if own else None
    return render(request, "jobs/job_detail.html", {"job": job, "act": act})


@login_required
@require_GET
def job_progress(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Return the progress fragment; it asks for itself again until the job has ended (1 query)."""
    job = get_object_or_404(jobs_visible_to(request.user), public_id=public_id)
    response = render(request, "components/job_progress.html", {"job": job, "is_poll": True})
    if not job.is_active:
        # Pages that show what the job made listen for this and fetch it anew.
        response["HX-Trigger"] = "job-ended"
    return response


@login_required
@require_POST
def job_cancel(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Ask the job to stop: at once where it waits, within seconds where it runs."""
    job = get_object_or_404(jobs_visible_to(request.user), public_id=public_id)
    is_cancelled = request_cancel(job)
    job.refresh_from_db()
    if getattr(request, "htmx", False):
        return render(request, "components/job_progress.html", {"job": job})
    if not is_cancelled:
        messages.info(request, f"“{job}” had ended before it could be cancelled.")
    return redirect("jobs:detail", public_id=job.public_id)
