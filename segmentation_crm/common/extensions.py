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
# (user, text, limit) -> list of {"label", "sub", "url", "kind"}: what global search finds.
search_providers: ExtensionPoint[Callable[..., list[dict[str, Any]]]] = ExtensionPoint("search_providers")
# A handler of `common.services.users.Handover`: what a user holds open, and who takes it over.
handovers: ExtensionPoint[Any] = ExtensionPoint("handovers")

ALL_POINTS: tuple[ExtensionPoint[Any], ...] = (
    record_panels,
    after_import,
    after_vocabulary_change,
    search_providers,
    handovers,
)


def tell(point: ExtensionPoint[Callable[[], object]]) -> None:
    """Call every contribution of a point that takes no argument, in order."""
    for contribution in point:
        contribution()


def freeze_all() -> None:
    """Close every extension point; called by the project's AppConfig, the last to get ready."""
    for point in ALL_POINTS:
        point.freeze()
