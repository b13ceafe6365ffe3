"""Members as a stream: CSV, or a line of JSON for each."""

import json
from collections.abc import Iterator
from typing import Any

from django.http import StreamingHttpResponse
from rest_framework.renderers import BaseRenderer

from segmentation_crm.common.access import AnyUser

from ..models import Segment
from ..services.streaming import csv_lines, member_rows


class _Stream(BaseRenderer):
    """Names a format in the negotiation; the answer is streamed past it, and errors are written as JSON."""

    charset = "utf-8"

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        """Return an error as JSON."""
        return json.dumps(data, default=str).encode()


class CSVStream(_Stream):
    """format=csv"""

    media_type, format = "text/csv", "csv"


class LineStream(_Stream):
    """format=ndjson"""

    media_type, format = "application/x-ndjson", "ndjson"


STREAMS = {one.format: one.media_type for one in (CSVStream, LineStream)}


def member_stream(segment: Segment, user: AnyUser, shape: str) -> StreamingHttpResponse:
    """Answer with every member that the user may see, as it is read."""
    rows = member_rows(segment, user)
    lines = csv_lines(rows) if shape == "csv" else _json_lines(rows)
    response = StreamingHttpResponse(lines, content_type=f"{STREAMS[shape]}; charset=utf-8")
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response


def _json_lines(rows: Iterator[dict[str, Any]]) -> Iterator[str]:
    for row in rows:
        yield json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n"
