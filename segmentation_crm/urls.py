"""All routes of the product."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path

from . import views
from .metrics import metrics
from .search import search

admin.site.site_header = admin.site.site_title = "Segmentation CRM: admin"
admin.site.index_title = "All records and settings"
# The admin's own log-in page would go round lock-out and the second factor.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

urlpatterns = [
    path("", views.home, name="home"),
    path("search/", search, name="search"),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("admin/", admin.site.urls),
    path("account/", include("allauth.urls")),
    path("", include("segmentation_crm.common.urls")),
    path("", include("segmentation_crm.common.urls_people")),
    path("", include("accounts.urls")),
    path("segments/", include("segments.urls")),
    path("api/", include("segmentation_crm.api_urls")),
    path("metrics", metrics, name="metrics"),
]
