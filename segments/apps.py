from django.apps import AppConfig


class SegmentsConfig(AppConfig):
    default_auto_field = "django.db.models.BigAutoField"
    name = "segments"

    def ready(self) -> None:
        """Add what segments bring to the apps below."""
        from segmentation_crm.common import extensions

        from .handovers import handovers
        from .panels import find_segments, segment_panel
        from .services.rebuilding import queue_rebuild_of_all
        from .services.sentences import follow_vocabulary

        for handover in handovers():
            extensions.handovers.add(handover)
        extensions.record_panels.add(segment_panel)
        extensions.after_import.add(queue_rebuild_of_all)
        extensions.after_vocabulary_change.add(follow_vocabulary)
        extensions.search_providers.add(find_segments)
