"""The API of versions and their impact: the rules that a segment has had, restoring one, the dry run of a new one."""

from typing import Any

from django.core.exceptions import ValidationError as ModelValidationError
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.response import Response

from segmentation_crm.common.api.errors import PreconditionRequired, Stale
from segmentation_crm.common.api.viewsets import IF_MATCH

from .. import serializers as shapes
from .. import serializers_kinds as kinds
from ..rules.deadline import RuleTooExpensive
from ..rules.nodes import InvalidRule
from ..services import impact, pasting, previewing, saving, snapshots, versions
from .rules import RuleActions, TooExpensive, check_size, invalid_rule


class ImpactActions(RuleActions):
    """What a changed rule would do, and going back to an old one."""

    @extend_schema(responses=shapes.VersionSerializer(many=True), filters=False)
    @action(detail=True, methods=["get"], filterset_class=None)
    def versions(self, request: Request, pk: str | None = None) -> Response:
        """List the rules that the segment has had, newest first."""
        rows = self.get_object().versions.select_related("created_by").order_by("-number")
        return self.page_of(rows, shapes.VersionSerializer)

    @extend_schema(request=None, responses=shapes.SegmentSerializer, parameters=[IF_MATCH])
    @action(detail=True, methods=["post"], url_path="versions/(?P<number>[0-9]{1,9})/restore")
    def restore_version(self, request: Request, pk: str | None = None, number: str = "") -> Response:
        """Make an old version's rule the rule again, as a new version; needs If-Match (428 without, 412 if stale)."""
        segment = self.get_object()
        if "If-Match" not in request.headers:
            raise PreconditionRequired
        self.check_if_match(segment)
        try:
            saved, job = versions.restore_version(request.user, segment, int(number), segment.version)
        except InvalidRule as problem:
            raise invalid_rule(problem) from None
        except saving.StaleVersion as stale:
            raise Stale(self.get_serializer(stale.current).data, self.etag(stale.current)) from None
        return self.shown(saved, status.HTTP_200_OK, job)

    @extend_schema(request=kinds.DryRunRequestSerializer, responses=kinds.DryRunSerializer, filters=False)
    @action(detail=True, methods=["post"], url_path="dry-run", filterset_class=None, pagination_class=None)
    def dry_run(self, request: Request, pk: str | None = None) -> Response:
        """Say who would enter and leave if this rule were saved, of the records one may see; nothing is written."""
        segment = self.get_object()
        body = kinds.DryRunRequestSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        check_size(body.validated_data["rules"])
        try:
            found = impact.dry_run(request.user, segment, body.validated_data["rules"])
        except InvalidRule as problem:
            raise invalid_rule(problem) from None
        except RuleTooExpensive:
            raise TooExpensive from None
        except previewing.TooManyPreviews:
            raise Throttled(wait=1, detail="Two previews of yours are running already.") from None
        return Response(kinds.DryRunSerializer(found).data)

    @extend_schema(request=None, responses={202: shapes.RebuildSerializer})
    @action(detail=True, methods=["post"], url_path="take-again")
    def take_again(self, request: Request, pk: str | None = None) -> Response:
        """Ask a snapshot's rule again, in the background."""
        job = snapshots.take_again(request.user, self.get_object())
        return Response({"job": str(job.public_id)}, status=status.HTTP_202_ACCEPTED)

    @extend_schema(request=kinds.PasteSerializer, responses=kinds.PasteReportSerializer, filters=False)
    @action(detail=True, methods=["post"], filterset_class=None, pagination_class=None)
    def paste(self, request: Request, pk: str | None = None) -> Response:
        """Put records into a static segment by id, e-mail, domain or name; entries that fit nothing are named."""
        segment = self.get_object()
        body = kinds.PasteSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        values: dict[str, Any] = body.validated_data
        try:
            report = pasting.paste_members(request.user, segment, "\n".join(values["values"]), values.get("reason", ""))
        except ModelValidationError as error:
            if "text" in error.message_dict:
                raise ModelValidationError({"values": error.message_dict["text"]}) from None
            raise
        return Response(kinds.PasteReportSerializer(report).data)
