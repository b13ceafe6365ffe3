"""Who sees which jobs."""

from django.db.models import QuerySet

from ..access import AnyUser, can
from ..models import Job, User


def jobs_visible_to(user: AnyUser) -> QuerySet[Job]:
    """Return the user's own jobs, newest first; every job where the role sees all."""
    jobs = Job.objects.select_related("created_by")
    if can(user, "jobs.see_all"):
        return jobs
    if not isinstance(user, User) or not user.is_active:
        return jobs.none()
    return jobs.filter(created_by=user)
