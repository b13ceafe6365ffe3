"""Routes of records and of imports."""

from importlib.util import find_spec

from django.urls import URLPattern, URLResolver, include, path

from .views import (
    account_page,
    accounts,
    contact_page,
    contacts,
    filter_options,
    matching,
    opportunities,
    opportunity_page,
    options,
    record_lists,
)

app_name = "accounts"

urlpatterns: list[URLPattern | URLResolver] = [
    path("accounts/", record_lists.account_list, name="account_list"),
    path("accounts/new/", accounts.account_edit, name="account_new"),
    path("accounts/<int:pk>/", account_page.account_detail, name="account_detail"),
    path("accounts/<int:pk>/edit/", accounts.account_edit, name="account_edit"),
    path("contacts/", record_lists.contact_list, name="contact_list"),
    path("contacts/new/", contacts.contact_edit, name="contact_new"),
    path("contacts/unmatched/", matching.unmatched_contacts, name="unmatched"),
    path("contacts/unmatched/proposals/", matching.decide_proposals, name="decide_proposals"),
    path("contacts/unmatched/domain/", matching.give_domain, name="give_domain"),
    path("contacts/<int:pk>/", contact_page.contact_detail, name="contact_detail"),
    path("contacts/<int:pk>/edit/", contacts.contact_edit, name="contact_edit"),
    path("opportunities/", record_lists.opportunity_list, name="opportunity_list"),
    path("", include("accounts.urls_pipeline")),
    path("opportunities/new/", opportunities.opportunity_edit, name="opportunity_new"),
    path("opportunities/<int:pk>/", opportunity_page.opportunity_detail, name="opportunity_detail"),
    path("opportunities/<int:pk>/edit/", opportunities.opportunity_edit, name="opportunity_edit"),
    path("activities/", record_lists.activity_list, name="activity_list"),
    path("tasks/", record_lists.task_list, name="task_list"),
    path("options/filters/<slug:kind>/", filter_options.filter_options, name="filter_options"),
    path("options/<slug:kind>/", options.options, name="options"),
]

urlpatterns.append(path("", include("accounts.urls_work")))
urlpatterns.append(path("", include("accounts.urls_records")))

urlpatterns.append(path("settings/", include("accounts.urls_settings")))
urlpatterns.append(path("", include("accounts.urls_changes")))
if find_spec("accounts.urls_imports"):
    urlpatterns.append(path("imports/", include("accounts.urls_imports")))
