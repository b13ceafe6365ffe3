"""Routes of what one does to lists: saved views, columns, counting."""

from django.urls import include, path

from .views import lists

list_patterns = [
    path("views/<int:pk>/", lists.view_edit, name="view_edit"),
    path("views/<int:pk>/save/", lists.view_save, name="view_save"),
    path("views/<int:pk>/delete/", lists.view_delete, name="view_delete"),
    path("views/restore/", lists.view_restore, name="view_restore"),
    path("<slug:key>/views/", lists.view_new, name="view_new"),
    path("<slug:key>/columns/", lists.columns, name="columns"),
    path("<slug:key>/count/", lists.count, name="count"),
]

urlpatterns = [path("lists/", include((list_patterns, "lists")))]
