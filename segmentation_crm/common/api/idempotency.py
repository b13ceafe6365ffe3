"""`Idempotency-Key` on POST: the same call sent again gets the first answer instead of a second record.

Answers are kept for a day in the cache, under the user, the address and the key. While the first call runs, others
are told to wait; when its process dies, the key is free again after 60 s.
"""

import hashlib
import json
import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.cache import cache
from rest_framework.exceptions import APIException, ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.encoders import JSONEncoder

from .errors import RETRY_AFTER_SECONDS, Conflict

logger = logging.getLogger(__name__)

LEASE_SECONDS = 60
KEPT_SECONDS = 24 * 3600


class KeyInUse(Conflict):
    """The first call with this key still runs (409 with Retry-After)."""

    default_detail = "A call with this Idempotency-Key is still running; try again shortly."
    wait = 1


class KeysUnavailable(APIException):
    """The keys cannot be looked up, so that running the call could double it (503)."""

    status_code = 503
    default_code = "unavailable"
    default_detail = "Idempotency keys cannot be checked just now; try again shortly."
    wait = RETRY_AFTER_SECONDS


def idempotent(method: Callable[..., Response]) -> Callable[..., Response]:
    """Let a viewset's POST method honour `Idempotency-Key` (3–5 cache calls with the header, none without).

    Raises KeyInUse, Conflict (the key came with another body), KeysUnavailable, ValidationError (a bad key).
    """

    @wraps(method)
    def wrapper(self: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        key = request.headers.get("Idempotency-Key")
        if key is None:
            return method(self, request, *args, **kwargs)
        name, body = _name(request, key), _digest(request.data)
        found = _kept(name, body)
        if found is not None:
            return found
        if not _asked(lambda: cache.add(f"{name}:lease", body, LEASE_SECONDS)):
            raise KeyInUse
        try:
            found = _kept(name, body)  # the first call may have ended between the two looks
            if found is not None:
                return found
            answer = method(self, request, *args, **kwargs)
            _keep(name, body, answer)
            return answer
        finally:
            _free(name)

    return wrapper


def _name(request: Request, key: str) -> str:
    if not 1 <= len(key) <= 200 or not key.isascii() or not key.isprintable():
        message = "Send 1 to 200 printable ASCII characters."
        raise ValidationError({"Idempotency-Key": [ErrorDetail(message, "invalid")]})
    return "idempotency:" + _digest([request.user.pk, request.method, request.path, key])


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, cls=JSONEncoder).encode()).hexdigest()


def _kept(name: str, body: str) -> Response | None:
    found = _asked(lambda: cache.get(name))
    if found is None:
        return None
    if found["body"] != body:
        raise Conflict("This Idempotency-Key was used with another body.")
    headers = {**found["headers"], "Idempotent-Replayed": "true"}
    return Response(json.loads(found["data"]), status=found["status"], headers=headers)


def _keep(name: str, body: str, answer: Response) -> None:
    """Keep a successful answer; a refused call changed nothing and may be sent again."""
    if answer.status_code >= 300:
        return
    kept = {
        "body": body,
        "status": answer.status_code,
        "data": json.dumps(answer.data, cls=JSONEncoder),
        "headers": {"ETag": answer["ETag"]} if "ETag" in answer else {},
    }
    try:
        cache.set(name, kept, KEPT_SECONDS)
    except Exception as error:
        logger.warning("An idempotent answer could not be kept: %s", type(error).__name__)


def _free(name: str) -> None:
    try:
        cache.delete(f"{name}:lease")
    except Exception as error:
        logger.warning("An idempotency lease could not be ended: %s", type(error).__name__)


def _asked(question: Callable[[], Any]) -> Any:
    try:
        return question()
    except Exception as error:
        # The backend's errors share no base class.
        logger.warning("Idempotency keys cannot be checked: %s", type(error).__name__)
        raise KeysUnavailable from None
