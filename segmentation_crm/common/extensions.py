"""Extension points: how an upper app adds to a lower one, by name; filled in `AppConfig.ready()`, then frozen."""

from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class ExtensionPoint(Generic[T]):
    """An ordered list of contributions under one name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._items: list[T] = []
        self._frozen = False

    def add(self, item: T) -> T:
        """Add a contribution; usable as a decorator.

        Raises RuntimeError once the points are frozen.
        """
        if self._frozen:
            raise RuntimeError(f"Extension point {self.name} is frozen: add in AppConfig.ready().")
        self._items.append(item)
        return item

    def freeze(self) -> None:
        """Close the point."""
        self._frozen = True

    def __iter__(self) -> Iterator[T]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)


# (record prefix, record, user) -> {"title", "template", "context"} or None: a panel on a record's page.
record_panels: ExtensionPoint[Callable[..., dict[str, Any] | None]] = ExtensionPoint("record_panels")
# () -> anything, called after an import has written its last row.
after_import: ExtensionPoint[Callable[[], object]] = ExtensionPoint("after_import")
# () -> anything, called in the transaction that renamed, moved or merged words kept by users.
after_vocabulary_change: ExtensionPoint[Callable[[], object]] = ExtensionPoint("after_vocabulary_change")
# A `common.finding.RecordFinder`: a kind of record that search, the palette and "opened lately" know.
search_providers: ExtensionPoint[Any] = ExtensionPoint("search_providers")
# A `common.timeline.TimelineSource`: events that an upper app adds to the timeline of a record's page.
timeline_sources: ExtensionPoint[Any] = ExtensionPoint("timeline_sources")
# () -> anything, called in the transaction that ends a bulk act or its undo.
after_bulk_act: ExtensionPoint[Callable[[], object]] = ExtensionPoint("after_bulk_act")
# `common.bulk.ListAction`s: what one can do to many records of a list.
list_actions: ExtensionPoint[Any] = ExtensionPoint("list_actions")
# A handler of `common.services.users.Handover`: what a user holds open, and who takes it over.
handovers: ExtensionPoint[Any] = ExtensionPoint("handovers")
# A `common.settings_area.SettingsPage`: an entry of the settings area.
settings_pages: ExtensionPoint[Any] = ExtensionPoint("settings_pages")
# (names of changed settings, user) -> a Job or None: what a change of the organisation's settings sets going.
after_organisation_change: ExtensionPoint[Callable[..., Any]] = ExtensionPoint("after_organisation_change")
# (kind, key) -> list of (name, address): what names a custom field, term or catalogue entry in a rule.
rule_users: ExtensionPoint[Callable[[str, str], list[tuple[str, str]]]] = ExtensionPoint("rule_users")
# (segment) -> list of (kind, name, address): what depends on a segment, "" as address where there is no page.
segment_dependents: ExtensionPoint[Callable[[Any], list[tuple[str, str, str]]]] = ExtensionPoint("segment_dependents")
# (notification) -> list of `common.services.mailing.Section`: what its e-mail says beyond title and text.
mail_sections: ExtensionPoint[Callable[..., list[Any]]] = ExtensionPoint("mail_sections")
# (user, account ids, since) -> {"title", "rows": [{"label", "url", "sub", "at"}]} or None: what changed, on My day.
my_day_panels: ExtensionPoint[Callable[..., dict[str, Any] | None]] = ExtensionPoint("my_day_panels")

# (record_type, kept id, gone id) -> anything, called in the transaction that merged two records or undid it.
merge_handlers: ExtensionPoint[Callable[[str, int, int], object]] = ExtensionPoint("merge_handlers")
# (segment id, ids of its new runs) -> anything, called in the transaction that changed a segment's members.
after_membership_change: ExtensionPoint[Callable[[int, list[int]], object]] = ExtensionPoint("after_membership_change")

ALL_POINTS: tuple[ExtensionPoint[Any], ...] = (
    record_panels,
    after_import,
    merge_handlers,
    after_vocabulary_change,
    search_providers,
    timeline_sources,
    list_actions,
    after_bulk_act,
    handovers,
    mail_sections,
    my_day_panels,
    settings_pages,
    after_organisation_change,
    rule_users,
    segment_dependents,
    after_membership_change,
)


def tell(point: ExtensionPoint[Callable[[], object]]) -> None:
    """Call every contribution of a point that takes no argument, in order."""
    for contribution in point:
        contribution()


def freeze_all() -> None:
    """Close every extension point; called by the project's AppConfig, the last to get ready."""
    for point in ALL_POINTS:
        point.freeze()
