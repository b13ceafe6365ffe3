"""Pages of segments."""

from django.urls import path

from .views import actions, builder, overlap, overrides, segments, templates

app_name = "segments"
urlpatterns = [
    path("", segments.segment_list, name="list"),
    path("new/", builder.segment_new, name="new"),
    path("new/rule/<slug:record>/", builder.list_rule, name="list_rule"),
    path("templates/", templates.templates, name="templates"),
    path("overlap/", overlap.overlap, name="overlaps"),
    path("<slug:slug>/", segments.segment_detail, name="detail"),
    path("<slug:slug>/overlap/", overlap.segment_overlap, name="overlap"),
    path("<slug:slug>/edit/", builder.segment_edit, name="edit"),
    path("<slug:slug>/rebuild/", actions.segment_rebuild, name="rebuild"),
    path("<slug:slug>/archive/", actions.segment_archive, name="archive"),
    path("<slug:slug>/restore/", actions.segment_restore, name="restore"),
    path("<slug:slug>/duplicate/", actions.segment_duplicate, name="duplicate"),
    path("<slug:slug>/export/", actions.segment_export, name="export"),
    path("<slug:slug>/overrides/", overrides.override_add, name="override_add"),
    path("<slug:slug>/overrides/<int:pk>/remove/", overrides.override_remove, name="override_remove"),
]
