"""Routes of the profile page and of users."""

from django.urls import path

from .views import profile, users

urlpatterns = [
    path("profile/", profile.profile, name="profile"),
    path("profile/tokens/new/", profile.token_create, name="token_create"),
    path("profile/tokens/<str:token_key>/revoke/", profile.token_revoke, name="token_revoke"),
    path("users/", users.user_list, name="user_list"),
    path("users/new/", users.user_edit, name="user_new"),
    path("users/<int:pk>/", users.user_edit, name="user_edit"),
    path("users/<int:pk>/deactivate/", users.user_deactivate, name="user_deactivate"),
]
