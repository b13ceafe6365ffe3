"""How many exports a user may make."""

from django.core.cache import cache

from ..access import AnyUser

AN_HOUR = 3600
EXPORTS_AN_HOUR = 10


class TooManyExports(Exception):
    """The user has made 10 exports within the hour."""

    words = f"You have made {EXPORTS_AN_HOUR} exports within the hour. Try again later."

    def __str__(self) -> str:
        return self.words


def count_export(user: AnyUser) -> None:
    """Count one export of the user, of whatever kind.

    Raises TooManyExports beyond 10 within the hour.
    """
    key = f"exports:{user.pk}"
    cache.add(key, 0, timeout=AN_HOUR)
    if cache.incr(key) > EXPORTS_AN_HOUR:
        raise TooManyExports
