"""Which page answers whom with what; a route that is not listed fails the test. Written by hand on purpose.

Answers to GET by role: a status, or "login" for a redirect to the log-in page. A rep's own and foreign record are
`own` and `foreign`. POST-only routes answer 405 to GET and, without a CSRF token, 403 to POST.
"""

from dataclasses import dataclass

ROLES = ("admin", "marketing_manager", "sales_manager", "sales_rep", "analyst", "viewer", "integration")
WRITERS = ("admin", "marketing_manager", "sales_manager", "sales_rep", "integration")
MANAGERS = ("admin", "marketing_manager", "sales_manager")
# The managers who see everybody's records.
SEEING_MANAGERS = ("admin", "marketing_manager")
SEGMENT_WRITERS = (*MANAGERS, "integration")
IMPORTERS = (*MANAGERS, "integration")
EXPORTERS = (*MANAGERS, "sales_rep", "analyst", "integration")
ADMIN = ("admin",)
# Of those who write, these see every record, and so somebody else's.
SEE_ALL_AND_WRITE = ("admin", "marketing_manager", "integration")
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
    "home_figures": LIST,
    "favicon": Page(granted=302, anonymous=302),
    "search": LIST,
    "palette": LIST,
    "opened": post_only(ROLES),
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
    "user_invite": post_only(ADMIN),
    "users_moved_list": Page(granted=302, anonymous=302),
    "settings": Page(roles=MANAGERS),
    "settings_organisation": Page(roles=ADMIN),
    "settings_teams": Page(roles=ADMIN),
    "settings_team_new": Page(roles=ADMIN),
    "settings_team": Page(roles=ADMIN),
    "settings_team_delete": Page(roles=ADMIN),
    "settings_roles": Page(roles=ADMIN),
    "settings_tokens": Page(roles=ADMIN),
    "settings_token_revoke": post_only(()),
    "settings_audit": Page(roles=ADMIN),
    "settings_demo": Page(roles=ADMIN),
    "accounts:settings_catalogues": Page(roles=MANAGERS, granted=302),
    "accounts:settings_rates": Page(roles=ADMIN),
    "accounts:settings_rate_new": Page(roles=ADMIN),
    "accounts:settings_rates_paste": Page(roles=ADMIN),
    "accounts:settings_rate": Page(roles=ADMIN),
    "accounts:settings_rate_delete": Page(roles=ADMIN),
    "accounts:settings_free_mail": Page(roles=ADMIN),
    "accounts:settings_free_mail_reset": post_only(ADMIN),
    "accounts:settings_territories": Page(roles=ADMIN),
    "accounts:settings_territory_new": Page(roles=ADMIN),
    "accounts:settings_territory": Page(roles=ADMIN),
    "accounts:settings_territory_delete": Page(roles=ADMIN),
    "accounts:settings_role_templates": Page(roles=MANAGERS),
    "accounts:settings_role_template_new": Page(roles=MANAGERS),
    "accounts:settings_role_template": Page(roles=MANAGERS),
    "accounts:settings_role_template_delete": Page(roles=MANAGERS),
    "accounts:settings_pipelines": Page(roles=MANAGERS),
    "accounts:settings_pipeline_new": Page(roles=MANAGERS),
    "accounts:settings_pipeline": Page(roles=MANAGERS),
    "accounts:settings_pipeline_delete": Page(roles=MANAGERS),
    "accounts:settings_stage_order": post_only(MANAGERS),
    "accounts:settings_stage_new": Page(roles=MANAGERS),
    "accounts:settings_stage": Page(roles=MANAGERS),
    "accounts:settings_stage_merge": Page(roles=MANAGERS),
    "accounts:settings_stage_delete": Page(roles=MANAGERS),
    "accounts:settings_vocabularies": Page(roles=MANAGERS),
    "accounts:settings_vocabulary": Page(roles=MANAGERS),
    "accounts:settings_term_new": Page(roles=MANAGERS),
    "accounts:settings_term": Page(roles=MANAGERS),
    "accounts:settings_term_merge": Page(roles=MANAGERS),
    "accounts:settings_term_delete": Page(roles=MANAGERS),
    "accounts:settings_catalogue": Page(roles=MANAGERS),
    "accounts:settings_entry_new": Page(roles=MANAGERS),
    "accounts:settings_entry": Page(roles=MANAGERS),
    "accounts:settings_entry_merge": Page(roles=MANAGERS),
    "accounts:settings_entry_delete": Page(roles=MANAGERS),
    "accounts:settings_fields": Page(roles=MANAGERS),
    "accounts:settings_field_new": Page(roles=MANAGERS),
    "accounts:settings_field": Page(roles=MANAGERS),
    "accounts:settings_field_retire": post_only(MANAGERS),
    "accounts:settings_field_restore": post_only(MANAGERS),
    "accounts:settings_field_delete": Page(roles=MANAGERS),
    "jobs:list": LIST,
    "jobs:detail": Page(roles=ADMIN, refused=404),
    "jobs:progress": Page(roles=ADMIN, refused=404),
    "jobs:cancel": post_only(ADMIN),
    # Saved views: somebody else's private one is not there for anybody. A GET of the form leads to the list.
    "lists:view_new": Page(granted=302, posts=ROLES),
    "lists:view_edit": Page(roles=(), refused=404),
    "lists:view_save": post_only(()),
    "lists:view_delete": post_only(()),
    "lists:view_restore": post_only(()),
    "lists:columns": post_only(ROLES),
    "lists:count": LIST,
    "segments:list_rule": LIST,
    # One's own open tasks: by their filters in the address.
    "accounts:task_list": Page(granted=302),
    "accounts:filter_options": LIST,
    # Without a list, without ids: 404 for every role. Acts and exports are their maker's alone.
    "bulk:choose": post_only(()),
    "bulk:act": Page(roles=(), refused=404),
    "bulk:undo": post_only(()),
    "bulk:refused": Page(roles=(), refused=404),
    "exports:list": Page(roles=EXPORTERS),
    "exports:new": post_only(()),
    "exports:download": Page(roles=(), refused=404),
    "accounts:account_list": LIST,
    "accounts:account_new": FORM,
    "accounts:account_detail": LIST,
    "accounts:account_edit": EDIT,
    "accounts:contact_list": LIST,
    "accounts:unmatched": LIST,
    "accounts:decide_proposals": post_only(WRITERS),
    "accounts:give_domain": post_only(WRITERS),
    "accounts:contact_new": FORM,
    "accounts:contact_detail": LIST,
    "accounts:contact_edit": EDIT,
    "accounts:opportunity_list": LIST,
    "accounts:opportunity_new": FORM,
    "accounts:opportunity_detail": LIST,
    "accounts:opportunity_edit": EDIT,
    "accounts:board": LIST,
    # Without the stage that it asks for.
    "accounts:board_column": Page(granted=404),
    "accounts:forecast": LIST,
    "accounts:contact_job_edit": EDIT,
    "accounts:opportunity_next_step": post_only(("admin", "marketing_manager", "integration")),
    "accounts:opportunity_said": post_only(("admin", "marketing_manager", "integration")),
    # Refuse an empty form: who may post is tested with the deal's page.
    "accounts:opportunity_move": Page(roles=(), refused=405),
    "accounts:deal_line_new": Page(roles=(), refused=405),
    "accounts:deal_line": Page(roles=(), refused=405),
    "accounts:deal_line_remove": Page(roles=(), refused=405),
    "accounts:deal_amount_from_lines": Page(roles=(), refused=405),
    "accounts:deal_person_new": Page(roles=(), refused=405),
    "accounts:deal_person": Page(roles=(), refused=405),
    "accounts:deal_person_remove": Page(roles=(), refused=405),
    "accounts:activity_list": LIST,
    "accounts:my_day": LIST,
    "accounts:quick_log": FORM,
    "accounts:quick_log_records": LIST,
    "accounts:quick_log_terms": LIST,
    # Somebody else's form; who may log gets 404.
    "accounts:quick_log_undo": post_only(()),
    "accounts:task_new": FORM,
    "accounts:task_edit": EDIT,
    # Of those who write only these see every record, and so another's task; the first deletes it.
    "accounts:task_complete": post_only(("admin", "marketing_manager", "integration")),
    "accounts:task_reopen": post_only(("admin", "marketing_manager", "integration")),
    "accounts:task_postpone": post_only(("admin", "marketing_manager", "integration")),
    "accounts:task_delete": post_only(ADMIN),
    "accounts:evidence": LIST,
    "accounts:evidence_rows": LIST,
    # Everybody's own.
    "notification_list": LIST,
    "notification_count": LIST,
    "notification_mark": post_only(ROLES),
    "notification_preferences": post_only(ROLES),
    "notification_open": post_only(()),
    "accounts:account_around": LIST,
    "accounts:contact_around": LIST,
    "accounts:opportunity_around": LIST,
    "accounts:opportunity_lines": LIST,
    "accounts:opportunity_people": LIST,
    "accounts:closing_dialog": FORM,
    "accounts:account_timeline": LIST,
    "accounts:account_timeline_day": LIST,
    "accounts:contact_timeline": LIST,
    "accounts:contact_timeline_day": LIST,
    "accounts:opportunity_timeline": LIST,
    "accounts:opportunity_timeline_day": LIST,
    "accounts:contact_role_add": post_only(SEE_ALL_AND_WRITE),
    "accounts:contact_role_remove": post_only(SEE_ALL_AND_WRITE),
    "accounts:account_needs": post_only(SEE_ALL_AND_WRITE),
    "accounts:contact_needs": post_only(SEE_ALL_AND_WRITE),
    "accounts:account_technologies": post_only(SEE_ALL_AND_WRITE),
    "accounts:needs_edit": LIST,
    "accounts:needs_remove": post_only(SEE_ALL_AND_WRITE),
    "accounts:technologies_edit": LIST,
    "accounts:technologies_remove": post_only(ADMIN),
    # Without what one removed oneself there is nothing to bring back.
    "accounts:needs_restore": post_only(()),
    "accounts:technologies_restore": post_only(()),
    "accounts:account_files": post_only(SEE_ALL_AND_WRITE),
    "accounts:contact_files": post_only(SEE_ALL_AND_WRITE),
    "accounts:opportunity_files": post_only(SEE_ALL_AND_WRITE),
    "accounts:file_download": LIST,
    # The first takes it away, or brings it back; then it is gone, or back.
    "accounts:file_remove": post_only(ADMIN),
    "accounts:file_restore": post_only(ADMIN),
    # Somebody else's note.
    "accounts:note_edit": Page(roles=()),
    "accounts:note_remove": post_only(()),
    "accounts:note_restore": post_only(()),
    "accounts:account_survey": FORM,
    "accounts:contact_survey": FORM,
    "accounts:survey_questions": FORM,
    "accounts:options": LIST,
    **{
        f"accounts:{noun}_{act}": page
        for noun in ("account", "contact", "opportunity")
        for act, page in (
            ("changes", LIST),
            # Without htmx the edit page takes over.
            ("fact", Page(roles=WRITERS, granted=302)),
            ("delete", Page(roles=MANAGERS)),
            ("restore", post_only(SEEING_MANAGERS)),
            # Names no record: leads to the list.
            ("merge", Page(roles=MANAGERS, granted=302)),
        )
    },
    "accounts:change_undo": post_only((*SEEING_MANAGERS, "integration")),
    "accounts:merge_undo": post_only(SEEING_MANAGERS),
    "accounts:deleted_list": Page(roles=MANAGERS),
    "accounts:import_list": Page(roles=IMPORTERS),
    "accounts:import_new": Page(roles=IMPORTERS),
    "webhooks:list": Page(roles=ADMIN),
    "webhooks:new": Page(roles=ADMIN),
    "webhooks:detail": Page(roles=ADMIN),
    "webhooks:edit": Page(roles=ADMIN),
    "webhooks:delivery": Page(roles=ADMIN),
    "webhooks:test": post_only(ADMIN),
    # Answers with the secret itself, once.
    "webhooks:rotate": post_only(ADMIN),
    "webhooks:switch": post_only(ADMIN),
    "webhooks:redeliver": post_only(ADMIN),
    "webhooks:delete": post_only(ADMIN),
    "segments:list": LIST,
    "segments:new": Page(roles=SEGMENT_WRITERS),
    "segments:detail": LIST,
    "segments:overlaps": LIST,
    "segments:why_index": LIST,
    "segments:why": LIST,
    "segments:undecided_rule": LIST,
    "segments:undecided": LIST,
    "segments:undecided_export": post_only(EXPORTERS),
    "segments:templates": Page(roles=SEGMENT_WRITERS),
    "segments:definitions": Page(roles=SEGMENT_WRITERS),
    "segments:definitions_export": LIST,
    "segments:overlap": LIST,
    "segments:history": LIST,
    "segments:history_export": post_only(EXPORTERS),
    "segments:edit": Page(roles=SEGMENT_WRITERS),
    "segments:versions": LIST,
    "segments:version_restore": post_only(SEGMENT_WRITERS),
    "segments:conflict": post_only(SEGMENT_WRITERS),
    "segments:paste": Page(roles=SEGMENT_WRITERS, granted=302),
    "segments:take_again": post_only(SEGMENT_WRITERS),
    "segments:place": post_only(SEGMENT_WRITERS),
    "segments:static_new": Page(roles=SEGMENT_WRITERS),
    "segments:divisions": LIST,
    "segments:partition_new": Page(roles=SEGMENT_WRITERS),
    "segments:partition_detail": LIST,
    "segments:partition_edit": Page(roles=SEGMENT_WRITERS),
    "segments:partition_delete": post_only(SEGMENT_WRITERS),
    "segments:split_new": Page(roles=SEGMENT_WRITERS),
    "segments:split_detail": LIST,
    "segments:split_edit": Page(roles=SEGMENT_WRITERS),
    "segments:split_delete": post_only(SEGMENT_WRITERS),
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
    "accounts:import_fix": 302,
    "accounts:import_undo": 405,
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
