"""What a user chose: small values under a key."""

from collections.abc import Iterable
from typing import Any

from ..access import AnyUser
from ..models import User, UserPreference

# By key: what holds for who never chose.
DEFAULTS: dict[str, dict[str, Any]] = {
    "email.reminders": {"on": True},
    "email.mentions": {"on": True},
    "email.digest": {"on": False},
}


def preference(user: AnyUser, key: str) -> dict[str, Any]:
    """Return the user's choice under a key, else its default, else {} (1 query)."""
    if not isinstance(user, User):
        return dict(DEFAULTS.get(key, {}))
    found = UserPreference.objects.filter(user=user, key=key).values_list("value", flat=True).first()
    return found if isinstance(found, dict) else dict(DEFAULTS.get(key, {}))


def is_on(user: AnyUser, key: str) -> bool:
    """Tell whether the user switched something on, or left it on (1 query)."""
    return bool(preference(user, key).get("on"))


def users_with(key: str, user_ids: Iterable[int]) -> set[int]:
    """Return those of the users who have something switched on (1 query)."""
    ids = set(user_ids)
    chosen = dict(UserPreference.objects.filter(user_id__in=ids, key=key).values_list("user_id", "value"))
    default = DEFAULTS.get(key, {})
    return {pk for pk in ids if (value if isinstance(value := chosen.get(pk, default), dict) else default).get("on")}


def prefer(user: User, key: str, value: dict[str, Any]) -> None:
    """Keep a choice (2 queries)."""
    UserPreference.objects.update_or_create(user=user, key=key, defaults={"value": value})
