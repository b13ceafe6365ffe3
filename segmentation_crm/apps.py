from django.apps import AppConfig


class ProjectConfig(AppConfig):
    """The top of the import direction: pages and commands that span the apps, and the demo data."""

    name = "segmentation_crm"
    label = "project"

    def ready(self) -> None:
        """Close the registries: every app below has declared by now."""
        from segmentation_crm.common.extensions import freeze_all
        from segmentation_crm.common.fields import registry

        registry.freeze()
        freeze_all()
