"""Versions over HTTP: `ETag` on every record, `If-None-Match` on reading, `If-Match` on writing."""

import hashlib
import json
from typing import Any

from django.db.models import Model
from rest_framework.request import Request
from rest_framework.utils.encoders import JSONEncoder

from .errors import Stale


def etag_of(instance: Any, representation: Any = None) -> str:
    """Return the record's ETag: its version, else its time of change, else a digest of what is shown."""
    version = getattr(instance, "version", None)
    if version is not None:
        return f'"{version}"'
    updated_at = getattr(instance, "updated_at", None)
    if updated_at is not None:
        return f'"{updated_at:%Y%m%dT%H%M%S%f}"'
    text = json.dumps(representation, sort_keys=True, cls=JSONEncoder)
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def tags_in(header: str) -> list[str]:
    """Return the entity tags of an If-Match or If-None-Match header; a proxy's weak mark is ignored."""
    return [tag.strip().removeprefix("W/") for tag in header.split(",") if tag.strip()]


def matches(header: str, etag: str) -> bool:
    """Tell whether the header names this version; `*` names any."""
    tags = tags_in(header)
    return "*" in tags or etag in tags


class ConditionalMixin:
    """For viewsets: give `ETag`, answer 304 to `If-None-Match`, refuse a stale `If-Match` with 412."""

    request: Request

    def etag(self, instance: Any) -> str:
        """Return the ETag of a record as this view shows it."""
        shown = None
        if getattr(instance, "version", None) is None and getattr(instance, "updated_at", None) is None:
            shown = self.get_serializer(instance).data  # type: ignore[attr-defined]
        return etag_of(instance, shown)

    def check_if_match(self, instance: Model) -> None:
        """Compare the request's If-Match, if any, with the record, which the caller holds locked.

        Raises Stale (412) with the record as it stands.
        """
        header = self.request.headers.get("If-Match")
        if header is None:
            return
        current = self.etag(instance)
        if not matches(header, current):
            raise Stale(self.get_serializer(instance).data, current)  # type: ignore[attr-defined]
