"""Which columns a list shows, in which order: by the address, else the view, else the user, else the usual ones."""

from collections.abc import Sequence

from django.http import QueryDict

from ..access import AnyUser
from ..models import User, UserPreference
from .definition import Column

MAX_COLUMNS = 40


def preference_key(record: str) -> str:
    """Return the key under which a user's columns of a list are kept."""
    return f"columns:{record}"


def keys_wanted(record: str, user: AnyUser, params: QueryDict) -> list[str]:
    """Return the keys that are chosen, in order; none for the usual ones (1 query unless the parameters say)."""
    text = params.get("columns", "")
    if text:
        return [key for key in text.split(",") if key][:MAX_COLUMNS]
    if not isinstance(user, User):
        return []
    stored = UserPreference.objects.filter(user=user, key=preference_key(record)).values_list("value", flat=True)
    value = stored.first()
    found = value.get("keys") if isinstance(value, dict) else None
    return [str(key) for key in found][:MAX_COLUMNS] if isinstance(found, list) else []


def chosen(columns: Sequence[Column], wanted: Sequence[str]) -> list[Column]:
    """Return the columns of these keys in that order; the first of all stays first, keys that are gone are left out."""
    by_key = {column.key: column for column in columns}
    picked = [by_key[key] for key in dict.fromkeys(wanted) if key in by_key]
    if not picked:
        return [column for column in columns if column.default]
    first = columns[0]
    return [first, *(column for column in picked if column is not first)]


def remember(record: str, user: User, keys: Sequence[str]) -> None:
    """Keep the user's columns of a list; none returns to the usual ones (2 queries)."""
    if not keys:
        UserPreference.objects.filter(user=user, key=preference_key(record)).delete()
        return
    UserPreference.objects.update_or_create(
        user=user, key=preference_key(record), defaults={"value": {"keys": list(keys)[:MAX_COLUMNS]}}
    )
