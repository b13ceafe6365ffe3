"""Routes of the import pages."""

from django.urls import path

from .views import import_fixing, imports

urlpatterns = [
    path("", imports.import_list, name="import_list"),
    path("new/", imports.import_new, name="import_new"),
    path("<uuid:public_id>/", imports.import_detail, name="import_detail"),
    path("<uuid:public_id>/state/", imports.import_state, name="import_state"),
    path("<uuid:public_id>/map/", imports.import_map, name="import_map"),
    path("<uuid:public_id>/preview/", imports.import_preview, name="import_preview"),
    path("<uuid:public_id>/rejected.csv", imports.import_errors, name="import_errors"),
    path("<uuid:public_id>/fix/", import_fixing.import_fix, name="import_fix"),
    path("<uuid:public_id>/undo/", imports.import_undo, name="import_undo"),
    path("<uuid:public_id>/discard/", imports.import_discard, name="import_discard"),
]
