from django.apps import AppConfig


class AccountsConfig(AppConfig):
    default_auto_field = "django.db.models.BigAutoField"
    name = "accounts"

    def ready(self) -> None:
        """Declare what rules can read and what a user holds open."""
        from django.core.checks import Tags, register
        from django.db.models.signals import post_migrate, pre_migrate

        from segmentation_crm.common import extensions
        from segmentation_crm.common.fields import registry
        from segmentation_crm.common.services import settings_audit

        from . import capture, checks, history
        from .fields import declare
        from .handovers import handovers
        from .list_actions import list_actions
        from .lists import register_lists
        from .search import FINDERS
        from .services import defaults, saving
        from .services.matching import queue_matching
        from .services.recomputing import follow_organisation
        from .services.reminders import digest_sections
        from .settings_entries import ENTRIES, WATCHED

        declare(registry)
        extensions.mail_sections.add(digest_sections)
        for entry in ENTRIES:
            extensions.settings_pages.add(entry)
        for model in WATCHED:
            settings_audit.watch(model)
        extensions.after_organisation_change.add(follow_organisation)
        register_lists()
        extensions.after_import.add(queue_matching)
        for handover in handovers():
            extensions.handovers.add(handover)
        for action in list_actions():
            extensions.list_actions.add(action)
        for finder in FINDERS:
            extensions.search_providers.add(finder)
        pre_migrate.connect(history.drop_before_migrations, sender=self, dispatch_uid="accounts.history.drop")
        post_migrate.connect(history.install_after_migrations, sender=self, dispatch_uid="accounts.history.install")
        register(history.check_triggers, Tags.database)
        register(checks.check_xml_guard, Tags.security)
        post_migrate.connect(defaults.install_defaults, sender=self, dispatch_uid="accounts.defaults.install")
        # After the defaults: what every installation begins with is no change.
        pre_migrate.connect(capture.drop_before_migrations, sender=self, dispatch_uid="accounts.capture.drop")
        post_migrate.connect(capture.install_after_migrations, sender=self, dispatch_uid="accounts.capture.install")
        register(capture.check_triggers, Tags.database)
        saving.connect_signals()
