"""Pages of segments."""

from django.urls import path

from . import views

app_name = "segments"
urlpatterns = [
    path("", views.segment_list, name="list"),
    path("new/", views.segment_new, name="new"),
    path("new/rule/<slug:record>/", views.list_rule, name="list_rule"),
    path("<slug:slug>/", views.segment_detail, name="detail"),
    path("<slug:slug>/edit/", views.segment_edit, name="edit"),
    path("<slug:slug>/rebuild/", views.segment_rebuild, name="rebuild"),
    path("<slug:slug>/archive/", views.segment_archive, name="archive"),
    path("<slug:slug>/restore/", views.segment_restore, name="restore"),
    path("<slug:slug>/duplicate/", views.segment_duplicate, name="duplicate"),
    path("<slug:slug>/export/", views.segment_export, name="export"),
    path("<slug:slug>/overrides/", views.override_add, name="override_add"),
    path("<slug:slug>/overrides/<int:pk>/remove/", views.override_remove, name="override_remove"),
]
