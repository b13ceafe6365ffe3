from django.apps import AppConfig


class CommonConfig(AppConfig):
    """The leaf app: users and access, jobs, the field registry, extension points."""

    default_auto_field = "django.db.models.BigAutoField"
    name = "segmentation_crm.common"
    label = "common"

    def ready(self) -> None:
        """Give every SQLite connection the functions that triggers use; audit settings; keep the audit log safe."""
        from django.core.checks import Tags, register
        from django.db.models.signals import post_migrate, pre_migrate

        from . import append_only, database, extensions, sessions
        from .models import Organisation, Team, Territory, User
        from .services import settings_audit
        from .settings_entries import ENTRIES

        database.connect_signals()
        sessions.connect_signals()
        settings_audit.watch(Organisation, made_by_product=True)
        for model in (Team, Territory, User):
            settings_audit.watch(model)
        for entry in ENTRIES:
            extensions.settings_pages.add(entry)
        pre_migrate.connect(append_only.drop_before_migrations, sender=self, dispatch_uid="common.append_only.drop")
        post_migrate.connect(
            append_only.install_after_migrations, sender=self, dispatch_uid="common.append_only.install"
        )
        register(append_only.check_triggers, Tags.database)
