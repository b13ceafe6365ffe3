"""Errors under /api/ are JSON: `{"detail"}`, and `errors: [{path, field, code, message}]` for bad input."""

import logging
from decimal import InvalidOperation
from typing import Any

from django.core.exceptions import (
    NON_FIELD_ERRORS,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
)
from django.core.exceptions import ValidationError as ModelValidationError
from django.core.signals import got_request_exception
from django.db import DataError, IntegrityError, InterfaceError, OperationalError
from django.db.models import ProtectedError, RestrictedError
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import set_rollback

from ..sessions import record_denial
from .parsers import PathError

logger = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = 5
INVALID = "Some of the input is not valid; see errors."

PLAIN_DETAILS = {
    400: "The request is not valid.",
    401: "Log in, or send an API token.",
    403: "Not allowed.",
    404: "Not found.",
    405: "This method is not allowed here.",
    413: "The body is too large.",
    500: "Something went wrong on our side; it has been logged.",
    503: "The service is busy or being restarted; try again shortly.",
}


class Conflict(exceptions.APIException):
    """The request contradicts the present state (409)."""

    status_code = 409
    default_code = "conflict"
    default_detail = "The request contradicts the present state."


class PreconditionRequired(exceptions.APIException):
    """The route needs `If-Match` (428)."""

    status_code = 428
    default_code = "precondition_required"
    default_detail = "Send If-Match with the ETag of the version you read."


class Stale(exceptions.APIException):
    """`If-Match` names an old version (412); `current` is the record as it stands."""

    status_code = 412
    default_code = "stale"
    default_detail = "The record has changed since you read it; current holds it as it stands."

    def __init__(self, current: Any, etag: str = "") -> None:
        super().__init__()
        self.current, self.etag = current, etag


class ExpectedErrors(exceptions.APIException):
    """400 with ready-made entries `{path, field, code, message}`, for callers that validate by themselves."""

    status_code = 400
    default_code = "invalid"

    def __init__(self, errors: list[dict[str, Any]], detail: str = INVALID) -> None:
        super().__init__(detail)
        self.errors = errors


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Return the JSON answer for an exception of an API view; what is not expected is logged and answers 500."""
    headers: dict[str, str] = {}
    error = _translated(error)
    if isinstance(error, OperationalError | InterfaceError):
        logger.warning("API: database unavailable or too slow: %s", error)
        set_rollback()
        busy = {"detail": PLAIN_DETAILS[503], "code": "unavailable"}
        return Response(busy, status=503, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})
    if not isinstance(error, exceptions.APIException):
        logger.error("API: unexpected error", exc_info=error)
        got_request_exception.send(sender=exception_handler, request=getattr(context.get("request"), "_request", None))
        set_rollback()
        return Response({"detail": PLAIN_DETAILS[500], "code": "error"}, status=500)
    if getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = error.auth_header  # type: ignore[attr-defined]
    if getattr(error, "wait", None):
        headers["Retry-After"] = str(int(error.wait))  # type: ignore[attr-defined]
    if isinstance(error, Stale) and error.etag:
        headers["ETag"] = error.etag
    set_rollback()
    if isinstance(error, exceptions.PermissionDenied) and (request := context.get("request")) is not None:
        record_denial(request, request.user)
    return Response(body_of(error), status=error.status_code, headers=headers)


def _translated(error: Exception) -> Exception:
    """Return the API's own exception for one of Django's."""
    if isinstance(error, Http404):
        return exceptions.NotFound()
    if isinstance(error, PermissionDenied):
        return exceptions.PermissionDenied()
    if isinstance(error, RequestDataTooBig | TooManyFieldsSent):
        too_large = exceptions.APIException(PLAIN_DETAILS[413], "body_too_large")
        too_large.status_code = 413
        return too_large
    if isinstance(error, SuspiciousOperation):
        return exceptions.ParseError()
    if isinstance(error, ModelValidationError):
        return exceptions.ValidationError(model_errors(error))
    if isinstance(error, ProtectedError | RestrictedError):
        held = ", ".join(sorted({str(row._meta.verbose_name_plural) for row in list(_rows_of(error))[:50]}))
        return Conflict(f"It is still used by {held}; change those first.")
    if isinstance(error, OverflowError | DataError | InvalidOperation):
        logger.warning("API: a value did not fit a column: %s", error)
        return exceptions.ValidationError("A number or date is out of range.", "out_of_range")
    if isinstance(error, IntegrityError):
        logger.warning("API: constraint refused a write: %s", error)
        return Conflict("The change breaks a rule of the database or collides with a change made just now.")
    return error


def _rows_of(error: ProtectedError | RestrictedError) -> Any:
    return error.protected_objects if isinstance(error, ProtectedError) else error.restricted_objects


def model_errors(error: ModelValidationError) -> dict[str, list[Any]]:
    """Return a model's validation error as DRF's mapping of field to messages."""
    if hasattr(error, "error_dict"):
        mapping = error.error_dict
    else:
        mapping = {NON_FIELD_ERRORS: error.error_list}
    key = api_settings.NON_FIELD_ERRORS_KEY
    return {
        (key if field == NON_FIELD_ERRORS else field): [
            exceptions.ErrorDetail(message, item.code or "invalid") for item in items for message in item.messages
        ]
        for field, items in mapping.items()
    }


def body_of(error: exceptions.APIException) -> dict[str, Any]:
    """Return the JSON body of an API exception."""
    if isinstance(error, ExpectedErrors):
        return {"detail": str(error.detail), "code": "invalid", "errors": error.errors}
    if isinstance(error, PathError):
        message = error.detail[0] if isinstance(error.detail, list) else error.detail
        return {"detail": INVALID, "code": "invalid", "errors": [entry(error.path, message)]}
    if isinstance(error, exceptions.ValidationError):
        return {"detail": INVALID, "code": "invalid", "errors": flatten(error.detail)}
    detail = error.detail
    body = {"detail": str(detail), "code": getattr(detail, "code", error.default_code)}
    if isinstance(error, Stale):
        body["current"] = error.current
    return body


def flatten(detail: Any, path: tuple[Any, ...] = ()) -> list[dict[str, Any]]:
    """Return DRF's tree of error details as a flat list with paths."""
    if isinstance(detail, dict):
        result = []
        for key, value in detail.items():
            inner = path if key == api_settings.NON_FIELD_ERRORS_KEY else (*path, key)
            result += flatten(value, inner)
        return result
    if isinstance(detail, list | tuple):
        result = []
        for index, value in enumerate(detail):
            nested = isinstance(value, dict | list)
            result += flatten(value, (*path, index) if nested else path)
        return result
    return [entry(list(path), detail)]


def entry(path: list[Any], message: Any) -> dict[str, Any]:
    """Return one error entry; `field` is the first name of the path, "" for the whole body."""
    field = next((str(part) for part in path if isinstance(part, str)), "")
    return {"path": list(path), "field": field, "code": getattr(message, "code", "invalid"), "message": str(message)}


def json_error(request: HttpRequest, status: int, detail: str = "") -> JsonResponse:
    """Return a JSON error outside the API's views (unknown routes, refused hosts)."""
    return JsonResponse({"detail": detail or PLAIN_DETAILS.get(status, "Error.")}, status=status)
