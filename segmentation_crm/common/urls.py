"""Routes of the jobs pages."""

from django.urls import include, path

from .views import jobs

job_patterns = [
    path("", jobs.job_list, name="list"),
    path("<uuid:public_id>/", jobs.job_detail, name="detail"),
    path("<uuid:public_id>/progress/", jobs.job_progress, name="progress"),
    path("<uuid:public_id>/cancel/", jobs.job_cancel, name="cancel"),
]

urlpatterns = [path("jobs/", include((job_patterns, "jobs")))]
