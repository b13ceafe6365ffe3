from django.apps import AppConfig


class SegmentsConfig(AppConfig):
    default_auto_field = "django.db.models.BigAutoField"
    name = "segments"

    def ready(self) -> None:
        """Add what segments bring to the apps below."""
        from segmentation_crm.common import extensions

        from .handovers import handovers

        for handover in handovers():
            extensions.handovers.add(handover)
