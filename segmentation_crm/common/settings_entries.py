"""The settings pages of this app, as the area's menu lists them."""

from .settings_area import SettingsPage

ENTRIES = (
    SettingsPage(
        "Organisation", "Organisation", "building-community", "settings_organisation", "settings.write",
        "Name, time zone, currency, fiscal year, size classes",
        "size limits micro small mid-market enterprise reporting purchase active days month",
    ),
    SettingsPage(
        "People", "Users", "users", "user_list", "users.write",
        "Who works here, in which role and team", "invite deactivate hand over password role",
    ),
    SettingsPage(
        "People", "Teams", "briefcase", "settings_teams", "users.write", "People who work and see records together",
        "members sales manager",
    ),
    SettingsPage(
        "People", "Roles", "shield-lock", "settings_roles", "users.write", "What each of the seven roles may do",
        "permissions capabilities rights matrix access",
    ),
    SettingsPage(
        "Security", "API tokens", "key", "settings_tokens", "users.write", "Everybody's tokens: scopes, use, revoke",
        "integration api access",
    ),
    SettingsPage(
        "Security", "Audit log", "history", "settings_audit", "settings.write",
        "Who changed which setting, from what to what", "log security history changes",
    ),
)  # fmt: skip
