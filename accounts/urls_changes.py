"""Routes of changing records in place: the log of changes, facts, merging, deleting and restoring."""

from django.urls import path

from .views import changes, deleting, fact_edit, merging

NOUNS = (("account", "accounts"), ("contact", "contacts"), ("opportunity", "opportunities"))

urlpatterns = [
    path("changes/<int:pk>/undo/", changes.change_undo, name="change_undo"),
    path("merges/<int:pk>/undo/", merging.merge_undo, name="merge_undo"),
    path("deleted/", deleting.deleted_list, name="deleted_list"),
]
for noun, nouns in NOUNS:
    kind = {"record_type": noun}
    urlpatterns += [
        path(f"{nouns}/<int:pk>/changes/", changes.record_changes, kind, name=f"{noun}_changes"),
        path(f"{nouns}/<int:pk>/facts/<slug:name>/", fact_edit.fact_edit, kind, name=f"{noun}_fact"),
        path(f"{nouns}/<int:pk>/delete/", deleting.record_delete, kind, name=f"{noun}_delete"),
        path(f"{nouns}/<int:pk>/restore/", deleting.record_restore, kind, name=f"{noun}_restore"),
        path(f"{nouns}/merge/", merging.merge, kind, name=f"{noun}_merge"),
    ]
