from django.apps import AppConfig


class ProjectConfig(AppConfig):
    """The top of the import direction: pages and commands that span the apps, and the demo data."""

    name = "segmentation_crm"
    label = "project"

    def ready(self) -> None:
        """Close the registries: every app below has declared by now."""
        from segmentation_crm.common.extensions import freeze_all, settings_pages
        from segmentation_crm.common.fields import registry
        from segmentation_crm.common.settings_area import SettingsPage

        settings_pages.add(
            SettingsPage(
                "Organisation", "Demo story", "stars", "settings_demo", "settings.write",
                "What the demo brought, and how to remove it", "sample example data delete remove",
            )
        )  # fmt: skip
        registry.freeze()
        freeze_all()
