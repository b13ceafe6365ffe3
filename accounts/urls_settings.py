"""Routes of this app's settings."""

from django.urls import path

from .views import (
    settings_catalogues,
    settings_fields,
    settings_money,
    settings_people,
    settings_pipelines,
    settings_vocabularies,
)

ENTRY = "catalogues/<slug:kind>/<int:pk>/"

urlpatterns = [
    path("rates/", settings_money.rate_list, name="settings_rates"),
    path("rates/new/", settings_money.rate_edit, name="settings_rate_new"),
    path("rates/paste/", settings_money.rate_paste, name="settings_rates_paste"),
    path("rates/<int:pk>/", settings_money.rate_edit, name="settings_rate"),
    path("rates/<int:pk>/delete/", settings_money.rate_delete, name="settings_rate_delete"),
    path("free-mail/", settings_money.free_mail, name="settings_free_mail"),
    path("free-mail/reset/", settings_money.free_mail_reset, name="settings_free_mail_reset"),
    path("territories/", settings_people.territory_list, name="settings_territories"),
    path("territories/new/", settings_people.territory_edit, name="settings_territory_new"),
    path("territories/<int:pk>/", settings_people.territory_edit, name="settings_territory"),
    path("territories/<int:pk>/delete/", settings_people.territory_delete, name="settings_territory_delete"),
    path("role-templates/", settings_people.template_list, name="settings_role_templates"),
    path("role-templates/new/", settings_people.template_edit, name="settings_role_template_new"),
    path("role-templates/<int:pk>/", settings_people.template_edit, name="settings_role_template"),
    path("role-templates/<int:pk>/delete/", settings_people.template_delete, name="settings_role_template_delete"),
    path("pipelines/", settings_pipelines.pipeline_list, name="settings_pipelines"),
    path("pipelines/new/", settings_pipelines.pipeline_new, name="settings_pipeline_new"),
    path("pipelines/<int:pk>/", settings_pipelines.pipeline, name="settings_pipeline"),
    path("pipelines/<int:pk>/delete/", settings_pipelines.pipeline_delete, name="settings_pipeline_delete"),
    path("pipelines/<int:pk>/order/", settings_pipelines.stage_order, name="settings_stage_order"),
    path("pipelines/<int:pk>/stages/new/", settings_pipelines.stage_new, name="settings_stage_new"),
    path("pipelines/stages/<int:pk>/", settings_pipelines.stage_edit, name="settings_stage"),
    path("pipelines/stages/<int:pk>/merge/", settings_pipelines.stage_merge, name="settings_stage_merge"),
    path("pipelines/stages/<int:pk>/delete/", settings_pipelines.stage_delete, name="settings_stage_delete"),
    path("vocabularies/", settings_vocabularies.vocabulary_list, name="settings_vocabularies"),
    path("vocabularies/<slug:vocabulary>/", settings_vocabularies.vocabulary, name="settings_vocabulary"),
    path("vocabularies/<slug:vocabulary>/new/", settings_vocabularies.term_new, name="settings_term_new"),
    path("vocabularies/words/<int:pk>/", settings_vocabularies.term_edit, name="settings_term"),
    path("vocabularies/words/<int:pk>/merge/", settings_vocabularies.term_merge, name="settings_term_merge"),
    path("vocabularies/words/<int:pk>/delete/", settings_vocabularies.term_delete, name="settings_term_delete"),
    path("catalogues/", settings_catalogues.catalogues, name="settings_catalogues"),
    path("catalogues/<slug:kind>/", settings_catalogues.catalogue, name="settings_catalogue"),
    path("catalogues/<slug:kind>/new/", settings_catalogues.entry_edit, name="settings_entry_new"),
    path(ENTRY, settings_catalogues.entry_edit, name="settings_entry"),
    path(f"{ENTRY}merge/", settings_catalogues.entry_merge, name="settings_entry_merge"),
    path(f"{ENTRY}delete/", settings_catalogues.entry_delete, name="settings_entry_delete"),
    path("fields/", settings_fields.field_list, name="settings_fields"),
    path("fields/new/", settings_fields.field_edit, name="settings_field_new"),
    path("fields/<int:pk>/", settings_fields.field_edit, name="settings_field"),
    path("fields/<int:pk>/retire/", settings_fields.field_retire, name="settings_field_retire"),
    path("fields/<int:pk>/restore/", settings_fields.field_restore, name="settings_field_restore"),
    path("fields/<int:pk>/delete/", settings_fields.field_delete, name="settings_field_delete"),
]
