"""The API of a segment's members, and of what people decided about them by hand."""

from typing import Any

from django.http import Http404, StreamingHttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from .. import serializers as shapes
from ..queries import memberships_visible_to, overrides_visible_to
from ..services import overrides
from .history import AT, HistoryActions
from .streams import STREAMS, CSVStream, LineStream, member_stream


class MemberActions(HistoryActions):
    """Who is in, and who was put in or kept out."""

    def get_renderers(self) -> list[Any]:
        """Let members also be asked for as a stream."""
        return [*super().get_renderers(), *([CSVStream(), LineStream()] if self.action == "members" else [])]

    @extend_schema(responses=shapes.MemberSerializer(many=True), filters=False, parameters=[AT])
    @action(detail=True, methods=["get"], filterset_class=None)
    def members(self, request: Request, pk: str | None = None) -> Response | StreamingHttpResponse:
        """List the members that the caller may see: the stored ones, or with `at` those of a past moment.

        `format=csv` and `format=ndjson` answer with all stored members at once, as a stream.
        """
        shape = request.accepted_renderer.format
        if shape in STREAMS:
            self.refuse_unknown_parameters()
            return member_stream(self.get_object(), request.user, shape)
        if "at" in request.query_params:
            return self.members_then(request, self.get_object(), request.query_params["at"])
        rows = memberships_visible_to(self.get_object(), request.user).order_by("pk")
        return self.page_of(rows, shapes.MemberSerializer)

    @extend_schema(
        request=shapes.OverrideWriteSerializer, responses=shapes.OverrideSerializer(many=True), filters=False
    )
    @action(detail=True, methods=["get", "post"], filterset_class=None)
    def overrides(self, request: Request, pk: str | None = None) -> Response:
        """List or take decisions by hand: always in, never in."""
        segment = self.get_object()
        if request.method == "GET":
            rows = overrides_visible_to(segment, request.user).order_by("-pk")
            return self.page_of(rows, shapes.OverrideSerializer)
        body = shapes.OverrideWriteSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        values = body.validated_data
        made, _ = overrides.set_override(request.user, segment, values["record"], values["mode"], values["reason"])
        return Response(shapes.OverrideSerializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(responses={204: None})
    @action(detail=True, methods=["delete"], url_path="overrides/(?P<override_id>[0-9]{1,18})")
    def override(self, request: Request, pk: str | None = None, override_id: str = "") -> Response:
        """Let the rule decide about the record again."""
        segment = self.get_object()
        found = overrides_visible_to(segment, request.user).filter(pk=int(override_id)).first()
        if found is None:
            raise Http404
        overrides.remove_override(request.user, segment, found)
        return Response(status=status.HTTP_204_NO_CONTENT)
