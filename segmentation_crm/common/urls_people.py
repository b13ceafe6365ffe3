"""Routes of the profile page, of users and of this app's settings."""

from django.urls import path
from django.views.generic import RedirectView

from .views import profile, settings, settings_audit, users

urlpatterns = [
    path("profile/", profile.profile, name="profile"),
    path("profile/tokens/new/", profile.token_create, name="token_create"),
    path("profile/tokens/<str:token_key>/revoke/", profile.token_revoke, name="token_revoke"),
    path("settings/users/", users.user_list, name="user_list"),
    path("settings/users/new/", users.user_edit, name="user_new"),
    path("settings/users/<int:pk>/", users.user_edit, name="user_edit"),
    path("settings/users/<int:pk>/deactivate/", users.user_deactivate, name="user_deactivate"),
    path("settings/users/<int:pk>/invite/", users.user_invite, name="user_invite"),
    path("users/", RedirectView.as_view(pattern_name="user_list"), name="users_moved_list"),
    path("settings/", settings.home, name="settings"),
    path("settings/organisation/", settings.organisation, name="settings_organisation"),
    path("settings/teams/", settings.team_list, name="settings_teams"),
    path("settings/teams/new/", settings.team_edit, name="settings_team_new"),
    path("settings/teams/<int:pk>/", settings.team_edit, name="settings_team"),
    path("settings/teams/<int:pk>/delete/", settings.team_delete, name="settings_team_delete"),
    path("settings/roles/", settings.roles, name="settings_roles"),
    path("settings/tokens/", settings.token_list, name="settings_tokens"),
    path("settings/tokens/<str:token_key>/revoke/", settings.token_end, name="settings_token_revoke"),
    path("settings/audit/", settings_audit.audit_log, name="settings_audit"),
]
