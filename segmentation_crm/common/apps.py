from django.apps import AppConfig


class CommonConfig(AppConfig):
    """The leaf app: users and access, jobs, the field registry, extension points."""

    default_auto_field = "django.db.models.BigAutoField"
    name = "segmentation_crm.common"
    label = "common"

    def ready(self) -> None:
        """Give every SQLite connection the functions that triggers use."""
        from . import database, sessions

        database.connect_signals()
        sessions.connect_signals()
