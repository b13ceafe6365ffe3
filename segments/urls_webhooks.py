"""Pages of webhooks, in the settings area."""

from django.urls import path

from .views import webhooks

app_name = "webhooks"
urlpatterns = [
    path("", webhooks.webhook_list, name="list"),
    path("new/", webhooks.webhook_new, name="new"),
    path("<int:pk>/", webhooks.webhook_detail, name="detail"),
    path("<int:pk>/edit/", webhooks.webhook_edit, name="edit"),
    path("<int:pk>/test/", webhooks.webhook_test, name="test"),
    path("<int:pk>/rotate/", webhooks.webhook_rotate, name="rotate"),
    path("<int:pk>/switch/", webhooks.webhook_switch, name="switch"),
    path("<int:pk>/delete/", webhooks.webhook_delete, name="delete"),
    path("<int:pk>/messages/<int:delivery>/", webhooks.webhook_delivery, name="delivery"),
    path("<int:pk>/messages/<int:delivery>/again/", webhooks.webhook_redeliver, name="redeliver"),
]
