"""Routes of the parts of a record's page."""

from django.urls import path

from .views import (
    account_page,
    committee,
    contact_page,
    files,
    known,
    notes,
    opportunity_page,
    surveys,
    timeline,
)

ACCOUNT, CONTACT = {"kind": "account"}, {"kind": "contact"}
OPPORTUNITY = {"kind": "opportunity"}
NEEDS, TECHNOLOGIES = {"key": "needs"}, {"key": "technologies"}
DAY = "timeline/<slug:day>/"

urlpatterns = [
    path("accounts/<int:pk>/timeline/", timeline.record_timeline, ACCOUNT, name="account_timeline"),
    path(f"accounts/<int:pk>/{DAY}", timeline.timeline_day, ACCOUNT, name="account_timeline_day"),
    path("contacts/<int:pk>/timeline/", timeline.record_timeline, CONTACT, name="contact_timeline"),
    path(f"contacts/<int:pk>/{DAY}", timeline.timeline_day, CONTACT, name="contact_timeline_day"),
    path("opportunities/<int:pk>/timeline/", timeline.record_timeline, OPPORTUNITY, name="opportunity_timeline"),
    path(f"opportunities/<int:pk>/{DAY}", timeline.timeline_day, OPPORTUNITY, name="opportunity_timeline_day"),
    path("accounts/<int:pk>/around/", account_page.account_around, name="account_around"),
    path("contacts/<int:pk>/around/", contact_page.contact_around, name="contact_around"),
    path("opportunities/<int:pk>/around/", opportunity_page.opportunity_around, name="opportunity_around"),
    path("opportunities/<int:pk>/parts/lines/", opportunity_page.lines_part, name="opportunity_lines"),
    path("opportunities/<int:pk>/parts/people/", opportunity_page.people_part, name="opportunity_people"),
    path("opportunities/closing/", opportunity_page.closing_dialog, name="closing_dialog"),
    path("contacts/<int:pk>/roles/add/", committee.contact_role_add, name="contact_role_add"),
    path("contacts/<int:pk>/roles/remove/", committee.contact_role_remove, name="contact_role_remove"),
    path("accounts/<int:pk>/needs/", known.known_add, {**ACCOUNT, **NEEDS}, name="account_needs"),
    path("contacts/<int:pk>/needs/", known.known_add, {**CONTACT, **NEEDS}, name="contact_needs"),
    path("accounts/<int:pk>/technologies/", known.known_add, {**ACCOUNT, **TECHNOLOGIES}, name="account_technologies"),
    path("needs/<int:pk>/", known.known_edit, NEEDS, name="needs_edit"),
    path("needs/<int:pk>/remove/", known.known_remove, NEEDS, name="needs_remove"),
    path("needs/restore/", known.known_restore, NEEDS, name="needs_restore"),
    path("technologies/<int:pk>/", known.known_edit, TECHNOLOGIES, name="technologies_edit"),
    path("technologies/<int:pk>/remove/", known.known_remove, TECHNOLOGIES, name="technologies_remove"),
    path("technologies/restore/", known.known_restore, TECHNOLOGIES, name="technologies_restore"),
    path("accounts/<int:pk>/files/", files.file_upload, ACCOUNT, name="account_files"),
    path("contacts/<int:pk>/files/", files.file_upload, CONTACT, name="contact_files"),
    path("opportunities/<int:pk>/files/", files.file_upload, OPPORTUNITY, name="opportunity_files"),
    path("files/<int:pk>/", files.file_download, name="file_download"),
    path("files/<int:pk>/remove/", files.file_remove, name="file_remove"),
    path("files/<int:pk>/restore/", files.file_restore, name="file_restore"),
    path("notes/<int:pk>/edit/", notes.note_edit, name="note_edit"),
    path("notes/<int:pk>/remove/", notes.note_remove, name="note_remove"),
    path("notes/<int:pk>/restore/", notes.note_restore, name="note_restore"),
    path("accounts/<int:pk>/survey/", surveys.survey_new, ACCOUNT, name="account_survey"),
    path("contacts/<int:pk>/survey/", surveys.survey_new, CONTACT, name="contact_survey"),
    path("surveys/questions/", surveys.survey_questions, name="survey_questions"),
]
