"""The API of a segment's past: members at a moment, and every coming and going with its cause."""

from datetime import date, datetime, timedelta
from typing import Any

from django.core import signing
from django.db.models import QuerySet
from django.utils.dateparse import parse_date, parse_datetime
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

from segmentation_crm.common.api.pagination import KeysetPagination

from .. import serializers as shapes
from ..history import begins_at, members_at
from ..history.comparing import visible_keys
from ..history.moves import Move, last_moves, moves_of
from ..history.words import CauseWords
from ..models import Segment
from ..queries import records_visible_to
from ..rules.clock import Clock
from ..rules.evaluate import restricted
from ..services.exporting import names_of
from .base import SegmentBase

_SALT = "segments.changes"
_EXPECTED = "Write a date (2026-03-31) or a moment (2026-03-31T12:00:00Z)."
SINCE = OpenApiParameter("since", str, description="From this moment on; a date means its beginning.")
UNTIL = OpenApiParameter("until", str, description="Up to this moment; a date means its end. Default: now.")
AT = OpenApiParameter("at", str, description="The members as they stood then; a date means the end of that local day.")


def moment_param(text: str, name: str, clock: Clock, *, beginning: bool = False) -> datetime:
    """Return the moment that a parameter names; a date means the end of that local day, or its beginning.

    Raises ValidationError naming the parameter.
    """
    found: date | datetime | None
    try:
        found = parse_date(text) if len(text) <= 10 else parse_datetime(text)
    except ValueError:
        found = None
    if found is None:
        raise ValidationError({name: _EXPECTED})
    if isinstance(found, datetime):
        return clock.moment(found)
    if not beginning:
        return clock.last_moment(found)
    start = clock.start_of(found)
    if start is None:
        raise ValidationError({name: _EXPECTED})
    return start


class HistoryActions(SegmentBase):
    """What was, and what changed."""

    @extend_schema(
        responses=shapes.MoveSerializer(many=True),
        filters=False,
        parameters=[SINCE, UNTIL, OpenApiParameter("cursor", str), OpenApiParameter("page_size", int)],
    )
    @action(detail=True, methods=["get"], filterset_class=None, pagination_class=None)
    def changes(self, request: Request, pk: str | None = None) -> Response:
        """List who entered and left, with the cause, the earliest first; only records that the caller may see."""
        self.refuse_unknown_parameters(("since", "until"))
        segment, clock, query = self.get_object(), Clock.at(), request.query_params
        since = until = None
        if "since" in query:
            # The moment itself is included; runs are told apart by the microsecond.
            since = moment_param(query["since"], "since", clock, beginning=True) - timedelta(microseconds=1)
        if "until" in query:
            until = moment_param(query["until"], "until", clock)
        size = KeysetPagination.page_size(request)
        after = _place(query["cursor"], segment) if "cursor" in query else None
        user = request.user
        # Deleted records are shown to nobody, so those who see everything are narrowed too.
        visible = visible_keys(segment.member_type, user)
        moves = moves_of(segment, since=since, until=until, visible=visible, after=after, limit=size + 1)
        more, moves = len(moves) > size, moves[:size]
        names, words = names_of(segment, user, moves), CauseWords(moves, user, segment.member_type)
        rows = [move_body(move, names.get(move.key, ""), words) for move in moves]
        return Response({"next": _next_link(request, segment, moves[-1]) if more else None, "previous": None,
                         "results": rows})  # fmt: skip

    def members_then(self, request: Request, segment: Segment, text: str) -> Response:
        """Answer one page of the members at a past moment.

        Raises ValidationError where the history begins later.
        """
        clock, user = Clock.at(), request.user
        moment = moment_param(text, "at", clock)
        keys = members_at(segment, min(moment, clock.as_of))
        if keys is None:
            begins = begins_at(segment)
            since = f"on {clock.moment(begins).isoformat()}" if begins else "with the first member, who is yet to come"
            raise ValidationError({"at": f"The history of this segment begins {since}; before it nothing is known."})
        rows: QuerySet[Any] = restricted(records_visible_to(segment.member_type, user), keys).order_by("pk")
        self.refuse_unknown_parameters(("at",))
        pages = KeysetPagination()
        page = pages.paginate_queryset(rows, request, None)
        moves = last_moves(segment, [row.pk for row in page], since=None, until=moment, entered=True)
        data = [
            {
                "id": row.pk,
                "name": str(row),
                "entered_at": moves[row.pk].at if row.pk in moves else None,
                "manual": row.pk in moves and moves[row.pk].cause == "manual",
            }
            for row in page
        ]
        return pages.get_paginated_response(shapes.PastMemberSerializer(data, many=True).data)


def move_body(move: Move, name: str, words: CauseWords) -> dict[str, Any]:
    """Return the JSON of a move; what names records that the viewer may not see is left out."""
    hidden = words.hides(move)
    return {
        "id": move.key,
        "name": name,
        "change": "entered" if move.entered else "left",
        "at": move.at,
        "cause": move.cause,
        "words": words.of(move),
        "field": move.field,
        "old": "" if hidden else move.old,
        "new": "" if hidden else move.new,
        "version": move.version,
        "run": move.run_id,
    }


def _next_link(request: Request, segment: Segment, last: Move) -> str:
    cursor = signing.dumps([segment.pk, *last.place], salt=_SALT, compress=True)
    return replace_query_param(remove_query_param(request.build_absolute_uri(), "cursor"), "cursor", cursor)


def _place(text: str, segment: Segment) -> tuple[int, int, int]:
    try:
        segment_id, run, side, key = signing.loads(text, salt=_SALT)
    except signing.BadSignature:
        raise ValidationError({"cursor": "Not a cursor of this list; start without one."}, "invalid") from None
    if segment_id != segment.pk:
        raise ValidationError({"cursor": "The cursor belongs to another segment; start without one."}, "invalid")
    return run, side, key
