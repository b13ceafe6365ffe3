from django.apps import AppConfig


class SegmentsConfig(AppConfig):
    default_auto_field = "django.db.models.BigAutoField"
    name = "segments"

    def ready(self) -> None:
        """Add what segments bring to the apps below."""
        from segmentation_crm.common import extensions, lists, rule_engine

        from .handovers import handovers
        from .list_actions import list_actions
        from .lists import LIST
        from .my_day import entered_segments
        from .panels import SEGMENT_FINDER, segment_panel
        from .services.collecting import ring_for_refresh
        from .services.dependents import own_dependents
        from .services.list_rules import ListRules
        from .services.rule_users import users_of
        from .services.sentences import follow_vocabulary
        from .settings_entries import ENTRIES
        from .timeline import SOURCES
        from .webhooks.events import tell_webhooks
        from .worklist import FAMILY, worklist_of

        rule_engine.provide(ListRules())
        lists.register(LIST)
        lists.register_family(FAMILY, worklist_of)
        for handover in handovers():
            extensions.handovers.add(handover)
        for action in list_actions():
            extensions.list_actions.add(action)
        extensions.after_bulk_act.add(ring_for_refresh)
        extensions.record_panels.add(segment_panel)
        for source in SOURCES:
            extensions.timeline_sources.add(source)
        extensions.after_import.add(ring_for_refresh)
        extensions.merge_handlers.add(lambda *_: ring_for_refresh())
        extensions.after_vocabulary_change.add(follow_vocabulary)
        extensions.search_providers.add(SEGMENT_FINDER)
        extensions.my_day_panels.add(entered_segments)
        extensions.rule_users.add(users_of)
        extensions.segment_dependents.add(own_dependents)
        extensions.after_membership_change.add(tell_webhooks)
        for entry in ENTRIES:
            extensions.settings_pages.add(entry)
