"""Who acts and by which way, for whatever is written meanwhile: the log of changes reads it."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse

from .access import AnyUser
from .models import User


@dataclass(frozen=True)
class Acting:
    """The user who acts (none: the system), the way (page, api, admin, import, bulk, system) and the batch."""

    user: User | None = None
    via: str = "system"
    batch: uuid.UUID | None = None


_NOBODY = Acting()
_acting: ContextVar[Acting | None] = ContextVar("acting", default=None)


def acting() -> Acting:
    """Return who acts here (0 queries)."""
    return _acting.get() or _NOBODY


@contextmanager
def acting_as(user: AnyUser | None, via: str = "system", batch: uuid.UUID | None = None) -> Iterator[Acting]:
    """Let everything written inside count as this user's act."""
    now = Acting(user if isinstance(user, User) else None, via, batch)
    token = _acting.set(now)
    try:
        yield now
    finally:
        _acting.reset(token)


class ActingMiddleware:
    """Let what a request writes count as its user's act. The API's user is known only after its authentication."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request with its user as the one who acts."""
        if request.path.startswith("/api/"):
            # `common.api.viewsets` sets the user once the token is checked.
            with acting_as(None, "api"):
                return self.get_response(request)
        with acting_as(getattr(request, "user", None), "admin" if request.path.startswith("/admin/") else "page"):
            return self.get_response(request)


def act_as_api(user: AnyUser | None) -> None:
    """Name the user of an API request, once the token is checked."""
    _acting.set(Acting(user if isinstance(user, User) else None, "api"))
