"""The lists there are, by key; each app registers its own in `AppConfig.ready()`."""

from .definition import ListDefinition

_lists: dict[str, ListDefinition] = {}


class UnknownList(KeyError):
    """There is no list of this key."""


def register(definition: ListDefinition) -> ListDefinition:
    """Add a list; called in AppConfig.ready().

    Raises ValueError where another one has the key.
    """
    if _lists.setdefault(definition.key, definition) is not definition:
        raise ValueError(f"Another list is registered as {definition.key}.")
    return definition


def get(key: str) -> ListDefinition:
    """Return the list of a key: account, contact, opportunity, activity, segment, task.

    Raises UnknownList.
    """
    try:
        return _lists[key]
    except KeyError:
        raise UnknownList(key) from None


def keys() -> list[str]:
    """Return the keys of all lists."""
    return list(_lists)
