"""All routes of the product."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path

from . import views
from .admin_pages import tidy_admin
from .demo_page import demo_story
from .finding.views import opened, palette, search
from .metrics import metrics

admin.site.site_header = admin.site.site_title = "Segmentation CRM: admin"
admin.site.index_title = "All records and settings"
# The admin's own log-in page would go round lock-out and the second factor.
tidy_admin()
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

urlpatterns = [
    path("", views.home, name="home"),
    path("favicon.ico", views.favicon, name="favicon"),
    path("home/figures/", views.home_figures, name="home_figures"),
    path("search/", search, name="search"),
    path("find/", palette, name="palette"),
    path("opened/", opened, name="opened"),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("admin/", admin.site.urls),
    path("account/", include("allauth.urls")),
    path("", include("segmentation_crm.common.urls")),
    path("", include("segmentation_crm.common.urls_people")),
    path("", include("segmentation_crm.common.urls_lists")),
    path("", include("accounts.urls")),
    path("segments/", include("segments.urls")),
    path("settings/webhooks/", include("segments.urls_webhooks")),
    path("api/", include("segmentation_crm.api_urls")),
    path("settings/demo/", demo_story, name="settings_demo"),
    path("metrics", metrics, name="metrics"),
]
