"""How long a log-in lasts and what a browser keeps of the pages behind it; refusals go to the audit log."""

import time
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.signals import user_logged_in
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from .models import User
from .services import audit

BEGAN, SEEN = "began_at", "seen_at"
# The session is written at most this often, so that reading pages stays reading.
GRAIN = 300
DENIAL_GRAIN = 60
PROBES = ("/healthz", "/readyz")


def begin(sender: Any, request: HttpRequest | None, user: Any, **kwargs: Any) -> None:
    """Note when the log-in happened."""
    session = getattr(request, "session", None)
    if session is not None:
        session[BEGAN] = session[SEEN] = int(time.time())


def connect_signals() -> None:
    """Have every log-in noted, whichever way it came."""
    user_logged_in.connect(begin, dispatch_uid="session-begin")


class SessionLimits:
    """End a session after 8 idle hours and after 7 days in all; keep signed-in pages out of every cache."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info in PROBES:
            # They answer without a database, whatever cookie comes along.
            return self.get_response(request)
        signed_in = request.user.is_authenticated
        if signed_in:
            self._check(request)
        response = self.get_response(request)
        if signed_in or request.user.is_authenticated:
            # After logging out, "back" must not show what was there.
            response.headers.setdefault("Cache-Control", "private, no-store")
        return response

    def _check(self, request: HttpRequest) -> None:
        now = int(time.time())
        began, seen = request.session.get(BEGAN), request.session.get(SEEN)
        if not isinstance(began, int) or not isinstance(seen, int):
            # A session from before these times were kept counts from its next request.
            request.session[BEGAN] = request.session[SEEN] = now
        elif now - seen > settings.SESSION_IDLE_SECONDS or now - began > settings.SESSION_COOKIE_AGE:
            logout(request)
        elif now - seen > GRAIN:
            request.session[SEEN] = now

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        """Note a refusal by a page; the page itself answers as always."""
        if isinstance(exception, PermissionDenied):
            record_denial(request, request.user)


def record_denial(request: HttpRequest, user: Any) -> None:
    """Append "access.denied" for a signed-in user, once a minute for each user, method and path (1 query)."""
    if not isinstance(user, User):
        return
    key = f"denied:{user.pk}:{request.method}:{sha256(request.path.encode()).hexdigest()}"
    try:
        is_first = cache.add(key, 1, timeout=DENIAL_GRAIN)
    except Exception:
        is_first = True  # without a cache rather an entry too many
    if is_first:
        audit.record(user, "access.denied", method=str(request.method), path=request.path[:300])
