"""The API of segments: make, change, archive, compute; the rules they have had."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from segmentation_crm.common.api.errors import Conflict, PreconditionRequired, Stale
from segmentation_crm.common.api.viewsets import IF_MATCH

from .. import serializers as shapes
from ..choices import RunCause
from ..rules.nodes import InvalidRule
from ..services import saving
from .definitions import DefinitionActions
from .evidence import EvidenceActions
from .impact import ImpactActions
from .members import MemberActions
from .overlap import OverlapActions
from .rules import check_size, invalid_rule


class SegmentViewSet(ImpactActions, MemberActions, OverlapActions, EvidenceActions, DefinitionActions):
    """Segments: saved queries over accounts or contacts. `{id}` takes an id or a slug."""

    @extend_schema(request=shapes.SegmentWriteSerializer, responses={201: shapes.SegmentSerializer})
    def create(self, request: Request) -> Response:
        """Save a new segment; a job computes its members."""
        body = shapes.SegmentWriteSerializer(data=request.data, context=self.get_serializer_context())
        body.is_valid(raise_exception=True)
        check_size(body.validated_data.get("rules"))
        try:
            segment, job = saving.create_segment(request.user, **body.validated_data)
        except InvalidRule as problem:
            raise invalid_rule(problem) from None
        return self.shown(segment, status.HTTP_201_CREATED, job)

    @extend_schema(request=shapes.SegmentPatchSerializer, responses=shapes.SegmentSerializer, parameters=[IF_MATCH])
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Change the fields sent; a rule needs If-Match (428 without, 412 where somebody saved in between)."""
        segment = self.get_object()
        body = shapes.SegmentPatchSerializer(data=request.data, context=self.get_serializer_context())
        body.is_valid(raise_exception=True)
        if "rules" in body.validated_data:
            check_size(body.validated_data["rules"])
            if "If-Match" not in request.headers:
                raise PreconditionRequired
        self.check_if_match(segment)
        expected = segment.version if "If-Match" in request.headers else None
        try:
            saved, job = saving.update_segment(request.user, segment, body.validated_data, expected)
        except InvalidRule as problem:
            raise invalid_rule(problem) from None
        except saving.StaleVersion as stale:
            raise Stale(self.get_serializer(stale.current).data, self.etag(stale.current)) from None
        return self.shown(saved, status.HTTP_200_OK, job)

    @extend_schema(parameters=[IF_MATCH], responses={204: None})
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Archive the segment; refused (409) while other segments read it."""
        segment = self.get_object()
        self.check_if_match(segment)
        try:
            saving.archive_segment(request.user, segment)
        except saving.SegmentInUse as used:
            raise Conflict(str(used)) from None
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=None, responses={202: shapes.RebuildSerializer})
    @action(detail=True, methods=["post"])
    def rebuild(self, request: Request, pk: str | None = None) -> Response:
        """Compute the members anew, in the background."""
        job = saving.queue_rebuild(self.get_object(), request.user, RunCause.REBUILD)
        return Response({"job": str(job.public_id)}, status=status.HTTP_202_ACCEPTED)
