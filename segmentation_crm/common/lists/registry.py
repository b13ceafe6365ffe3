"""The lists there are, by key; each app registers its own in `AppConfig.ready()`."""

from collections.abc import Callable

from .definition import ListDefinition

_lists: dict[str, ListDefinition] = {}
_families: dict[str, Callable[[str], ListDefinition | None]] = {}


class UnknownList(KeyError):
    """There is no list of this key."""


def register(definition: ListDefinition) -> ListDefinition:
    """Add a list; called in AppConfig.ready().

    Raises ValueError where another one has the key.
    """
    if _lists.setdefault(definition.key, definition) is not definition:
        raise ValueError(f"Another list is registered as {definition.key}.")
    return definition


def register_family(name: str, make: Callable[[str], ListDefinition | None]) -> None:
    """Add lists of one kind, one for each of many things: the key `name:rest` gives make(rest), None for no such list.

    Called in AppConfig.ready(). Raises ValueError where another family has the name.
    """
    if _families.setdefault(name, make) is not make:
        raise ValueError(f"Another family of lists is registered as {name}.")


def get(key: str) -> ListDefinition:
    """Return the list of a key: account, contact, opportunity, activity, segment, task, or one of a family.

    Raises UnknownList.
    """
    family, _, rest = key.partition(":")
    found = _families[family](rest) if rest and family in _families else _lists.get(key)
    if found is None:
        raise UnknownList(key)
    return found


def keys() -> list[str]:
    """Return the keys of all lists."""
    return list(_lists)
