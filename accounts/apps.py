from django.apps import AppConfig


class AccountsConfig(AppConfig):
    default_auto_field = "django.db.models.BigAutoField"
    name = "accounts"

    def ready(self) -> None:
        """Declare what rules can read."""
        from segmentation_crm.common.fields import registry

        from .fields import declare

        declare(registry)
