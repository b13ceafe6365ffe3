"""Routes of records and of imports."""

from importlib.util import find_spec

from django.urls import URLPattern, URLResolver, include, path

from .views import accounts, activities, contacts, opportunities, options

app_name = "accounts"

urlpatterns: list[URLPattern | URLResolver] = [
    path("accounts/", accounts.account_list, name="account_list"),
    path("accounts/new/", accounts.account_edit, name="account_new"),
    path("accounts/<int:pk>/", accounts.account_detail, name="account_detail"),
    path("accounts/<int:pk>/edit/", accounts.account_edit, name="account_edit"),
    path("contacts/", contacts.contact_list, name="contact_list"),
    path("contacts/new/", contacts.contact_edit, name="contact_new"),
    path("contacts/<int:pk>/", contacts.contact_detail, name="contact_detail"),
    path("contacts/<int:pk>/edit/", contacts.contact_edit, name="contact_edit"),
    path("opportunities/", opportunities.opportunity_list, name="opportunity_list"),
    path("opportunities/new/", opportunities.opportunity_edit, name="opportunity_new"),
    path("opportunities/<int:pk>/", opportunities.opportunity_detail, name="opportunity_detail"),
    path("opportunities/<int:pk>/edit/", opportunities.opportunity_edit, name="opportunity_edit"),
    path("activities/", activities.activity_list, name="activity_list"),
    path("options/<slug:kind>/", options.options, name="options"),
]

if find_spec("accounts.urls_imports"):
    urlpatterns.append(path("imports/", include("accounts.urls_imports")))
