"""All routes of the product."""

from django.contrib import admin
from django.urls import include, path

from . import views

urlpatterns = [
    path("", views.home, name="home"),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("admin/", admin.site.urls),
    path("account/", include("allauth.urls")),
    path("", include("segmentation_crm.common.urls")),
    path("", include("accounts.urls")),
    path("segments/", include("segments.urls")),
    path("api/", include("segmentation_crm.api_urls")),
    path("", include("django_prometheus.urls")),
]
