from django.apps import AppConfig


class ProjectConfig(AppConfig):
    """The top of the import direction: pages and commands that span the apps, and the demo data."""

    name = "segmentation_crm"
    label = "project"
