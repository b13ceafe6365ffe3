from django.apps import AppConfig


class AccountsConfig(AppConfig):
    default_auto_field = "django.db.models.BigAutoField"
    name = "accounts"

    def ready(self) -> None:
        """Declare what rules can read and what a user holds open."""
        from segmentation_crm.common import extensions
        from segmentation_crm.common.fields import registry

        from .fields import declare
        from .handovers import handovers

        declare(registry)
        for handover in handovers():
            extensions.handovers.add(handover)
