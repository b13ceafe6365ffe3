"""Routes of the pages of jobs, bulk acts, exports and notifications."""

from django.urls import include, path

from .views import bulk, exports, jobs, notifications

job_patterns = [
    path("", jobs.job_list, name="list"),
    path("<uuid:public_id>/", jobs.job_detail, name="detail"),
    path("<uuid:public_id>/progress/", jobs.job_progress, name="progress"),
    path("<uuid:public_id>/cancel/", jobs.job_cancel, name="cancel"),
]

bulk_patterns = [
    path("", bulk.choose, name="choose"),
    path("<uuid:public_id>/", bulk.act_page, name="act"),
    path("<uuid:public_id>/undo/", bulk.act_undo, name="undo"),
    path("<uuid:public_id>/refused/", bulk.act_refused, name="refused"),
]

export_patterns = [
    path("", exports.export_list, name="list"),
    path("new/", exports.export_new, name="new"),
    path("<int:pk>/download/", exports.export_download, name="download"),
]

urlpatterns = [
    path("jobs/", include((job_patterns, "jobs"))),
    path("bulk/", include((bulk_patterns, "bulk"))),
    path("exports/", include((export_patterns, "exports"))),
    path("notifications/", notifications.notification_list, name="notification_list"),
    path("notifications/count/", notifications.notification_count, name="notification_count"),
    path("notifications/mark/", notifications.notification_mark, name="notification_mark"),
    path("notifications/preferences/", notifications.notification_preferences, name="notification_preferences"),
    path("notifications/<int:pk>/open/", notifications.notification_open, name="notification_open"),
]
