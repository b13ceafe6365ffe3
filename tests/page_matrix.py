"""Which page answers whom with what; a route that is not listed fails the test. Written by hand on purpose.

Answers to GET by role: a status, or "login" for a redirect to the log-in page. A rep's own and foreign record are
`own` and `foreign`. POST-only routes answer 405 to GET and, without a CSRF token, 403 to POST.
"""

from dataclasses import dataclass

ROLES = ("admin", "marketing_manager", "sales_manager", "sales_rep", "analyst", "viewer", "integration")
WRITERS = ("admin", "marketing_manager", "sales_manager", "sales_rep", "integration")
MANAGERS = ("admin", "marketing_manager", "sales_manager")
SEGMENT_WRITERS = (*MANAGERS, "integration")
IMPORTERS = (*MANAGERS, "integration")
EXPORTERS = (*MANAGERS, "sales_rep", "analyst", "integration")
ADMIN = ("admin",)
LOGIN = "login"


@dataclass(frozen=True)
class Page:
    """What GET answers: `granted` to the roles, `refused` to the others, `anonymous` to who is not signed in.

    posts: roles that may POST where the route takes nothing else. Objects are somebody else's.
    """

    roles: tuple[str, ...] = ROLES
    granted: int | str = 200
    refused: int | str = 403
    anonymous: int | str = LOGIN
    posts: tuple[str, ...] | None = None


def post_only(roles: tuple[str, ...]) -> Page:
    """Return the page of a route that only takes POST."""
    return Page(roles=(), refused=405, posts=roles)


LIST, FORM, EDIT = Page(), Page(roles=WRITERS), Page(roles=WRITERS)
OWN_IMPORT = Page(roles=ADMIN, refused=404)

PAGES: dict[str, Page] = {
    "home": LIST,
    "search": LIST,
    "healthz": Page(anonymous=200),
    "readyz": Page(anonymous=200),
    "metrics": Page(roles=ADMIN, refused=404, anonymous=404),
    "api_docs": LIST,
    "profile": LIST,
    # Shows the form only after the password was entered again.
    "token_create": Page(granted=302, anonymous=LOGIN),
    "token_revoke": post_only(()),
    "user_list": Page(roles=ADMIN),
    "user_new": Page(roles=ADMIN),
    "user_edit": Page(roles=ADMIN),
    "user_deactivate": Page(roles=ADMIN),
    "jobs:list": LIST,
    "jobs:detail": Page(roles=ADMIN, refused=404),
    "jobs:progress": Page(roles=ADMIN, refused=404),
    "jobs:cancel": post_only(ADMIN),
    "accounts:account_list": LIST,
    "accounts:account_new": FORM,
    "accounts:account_detail": LIST,
    "accounts:account_edit": EDIT,
    "accounts:contact_list": LIST,
    "accounts:contact_new": FORM,
    "accounts:contact_detail": LIST,
    "accounts:contact_edit": EDIT,
    "accounts:opportunity_list": LIST,
    "accounts:opportunity_new": FORM,
    "accounts:opportunity_detail": LIST,
    "accounts:opportunity_edit": EDIT,
    "accounts:activity_list": LIST,
    "accounts:options": LIST,
    "accounts:import_list": Page(roles=IMPORTERS),
    "accounts:import_new": Page(roles=IMPORTERS),
    "segments:list": LIST,
    "segments:new": Page(roles=SEGMENT_WRITERS),
    "segments:detail": LIST,
    "segments:edit": Page(roles=SEGMENT_WRITERS),
    "segments:rebuild": post_only(SEGMENT_WRITERS),
    "segments:archive": post_only(SEGMENT_WRITERS),
    "segments:restore": post_only(SEGMENT_WRITERS),
    "segments:duplicate": post_only(SEGMENT_WRITERS),
    "segments:export": post_only(EXPORTERS),
    "segments:override_add": post_only(SEGMENT_WRITERS),
    "segments:override_remove": post_only(SEGMENT_WRITERS),
}
# Of an import: its maker and admins see it; who may import but did not make it gets 404, the others 403.
IMPORT_PAGES = {
    "accounts:import_detail": 302,  # an upload not run yet leads to its mapping
    "accounts:import_state": 200,
    "accounts:import_map": 200,
    "accounts:import_preview": 200,
    "accounts:import_errors": 200,
    "accounts:import_discard": 405,
}
# Log-in, password, e-mail, second factor (allauth): anonymous -> signed in.
ENTRANCE: dict[str, tuple[int | str, int | str]] = {
    "account_login": (200, 302),
    "account_logout": (302, 200),
    "account_inactive": (200, 200),
    "account_signup": (200, 302),
    "account_reauthenticate": (LOGIN, 200),
    "account_email": (LOGIN, 200),
    "account_confirm_email": (200, 200),
    "account_email_verification_sent": (200, 200),
    "account_change_password": (LOGIN, 200),
    "account_set_password": (LOGIN, 302),
    "account_reset_password": (200, 200),
    "account_reset_password_done": (200, 200),
    "account_reset_password_from_key": (200, 200),
    "account_reset_password_from_key_done": (200, 200),
    "mfa_index": (LOGIN, 200),
    "mfa_authenticate": (LOGIN, 302),
    "mfa_reauthenticate": (LOGIN, 302),
    "mfa_activate_totp": (LOGIN, 302),
    "mfa_deactivate_totp": (LOGIN, 404),
    "mfa_view_recovery_codes": (LOGIN, 404),
    "mfa_generate_recovery_codes": (LOGIN, 302),
    "mfa_download_recovery_codes": (LOGIN, 404),
    "socialaccount_connections": (LOGIN, 200),
    "socialaccount_login_cancelled": (200, 200),
    "socialaccount_login_error": (401, 401),
    "socialaccount_signup": (LOGIN, LOGIN),
}
# Routes without a page of ours: log-in codes by mail are not switched on; the catch-all of the API.
CLOSED = {"account_confirm_login_code", ""}
