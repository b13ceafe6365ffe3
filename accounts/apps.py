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

        from . import checks, history
        from .fields import declare
        from .handovers import handovers
        from .search import find_accounts, find_contacts, find_opportunities
        from .services import defaults, saving

        declare(registry)
        for handover in handovers():
            extensions.handovers.add(handover)
        for provider in (find_accounts, find_contacts, find_opportunities):
            extensions.search_providers.add(provider)
        pre_migrate.connect(history.drop_before_migrations, sender=self, dispatch_uid="accounts.history.drop")
        post_migrate.connect(history.install_after_migrations, sender=self, dispatch_uid="accounts.history.install")
        register(history.check_triggers, Tags.database)
        register(checks.check_xml_guard, Tags.security)
        post_migrate.connect(defaults.install_defaults, sender=self, dispatch_uid="accounts.defaults.install")
        saving.connect_signals()
