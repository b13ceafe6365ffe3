"""The API of segments: preview, fields, values; segments with members, versions and decisions by hand."""

import json
from datetime import date, datetime
from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from django.utils.dateparse import parse_date, parse_datetime
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.exceptions import APIException, Throttled, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter

from segmentation_crm.common.access import AnyUser
from segmentation_crm.common.api.errors import Conflict, ExpectedErrors, PreconditionRequired, Stale
from segmentation_crm.common.api.pagination import KeysetPagination
from segmentation_crm.common.api.parsers import PathError
from segmentation_crm.common.api.viewsets import IF_MATCH, ReadViewSet

from . import serializers as shapes
from .choices import RunCause
from .filters import SegmentFilter
from .models import Segment
from .queries import (
    find_segment,
    memberships_visible_to,
    overrides_visible_to,
    segments_visible_to,
)
from .rules.deadline import RuleTooExpensive
from .rules.nodes import InvalidRule
from .rules.parse import MAX_BYTES
from .rules.schema import fields_schema
from .services import overrides, previewing, saving
from .values import search_values, values_named

REFERENCE = "Id or slug of the segment."


class TooExpensive(APIException):
    """The rule cannot be counted in time (422)."""

    status_code = 422
    default_code = "rule_too_expensive"
    default_detail = RuleTooExpensive.message


class BodyTooLarge(APIException):
    """The rule is larger than 256 KiB (413)."""

    status_code = 413
    default_code = "body_too_large"
    default_detail = "A rule has at most 256 KiB."


def invalid_rule(problem: InvalidRule) -> ExpectedErrors:
    """Return the 400 of a rule, every error with its path inside `rules`."""
    return ExpectedErrors([error.as_dict() for error in problem.errors], "The rule is not valid; see errors.")


def check_size(rules: Any) -> None:
    """Refuse a rule of more than 256 KiB.

    Raises BodyTooLarge.
    """
    if len(json.dumps(rules, ensure_ascii=False, separators=(",", ":")).encode()) > MAX_BYTES:
        raise BodyTooLarge


def moment_of(text: str) -> date | datetime:
    """Return the moment or day written as ISO.

    Raises ValidationError naming as_of.
    """
    try:
        found = parse_date(text) if len(text) <= 10 else parse_datetime(text)
    except ValueError:
        found = None
    if found is None:
        raise ValidationError({"as_of": "Write a date (2026-03-31) or a moment (2026-03-31T12:00:00Z)."})
    return found


class SegmentViewSet(ReadViewSet[Segment]):
    """Segments: saved queries over accounts or contacts. `{id}` takes an id or a slug."""

    queryset = Segment.objects.none()
    serializer_class = shapes.SegmentSerializer
    filterset_class = SegmentFilter
    default_ordering = ("name",)
    lookup_value_regex = "[-a-zA-Z0-9_]+"
    http_method_names = ["get", "post", "patch", "delete", "head", "options"]
    write_capability = "segments.write"
    delete_capability = "segments.write"
    action_capabilities = {"preview": "segments.preview"}
    action_scopes = {"preview": "read"}
    write_scope = "segments"

    def visible_to(self, user: AnyUser) -> QuerySet[Segment]:
        """Return the segments the user sees."""
        return segments_visible_to(user)

    def get_object(self) -> Segment:
        """Return the segment of the path, by id or slug."""
        found = find_segment(self.request.user, str(self.kwargs["pk"]))
        if found is None:
            raise Http404
        return found

    def get_throttles(self) -> list[Any]:
        """Count previews apart from the other calls."""
        self.throttle_scope = "preview" if self.action == "preview" else "api"
        return super().get_throttles()

    def handle_exception(self, exc: Exception) -> Response:
        """Answer an exception; a fault inside a rule is named from the rule's root, as every error of rules is."""
        if isinstance(exc, PathError) and len(exc.path) > 1 and exc.path[0] == "rules":
            exc.path = exc.path[1:]
        return super().handle_exception(exc)

    def shown(self, segment: Segment, code: int, job: Any = None) -> Response:
        """Answer one segment with its ETag."""
        context = {**self.get_serializer_context(), "job": job}
        data = shapes.SegmentSerializer(segment, context=context).data
        return Response(data, status=code, headers={"ETag": self.etag(segment)})

    # --- one rule ---
    @extend_schema(request=shapes.PreviewRequestSerializer, responses=shapes.PreviewSerializer, filters=False)
    @action(detail=False, methods=["post"], pagination_class=None, filterset_class=None)
    def preview(self, request: Request) -> Response:
        """Count a rule: in all and at every node, with its sentence and a few of the records it selects."""
        body = shapes.PreviewRequestSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        values = body.validated_data
        check_size(values["rules"])
        as_of = moment_of(values["as_of"]) if "as_of" in values else None
        try:
            rule = saving.validated(values["rules"], values["member_type"], request.user)
            found = previewing.count_rule(rule, request.user, as_of)
        except InvalidRule as problem:
            raise invalid_rule(problem) from None
        except RuleTooExpensive:
            raise TooExpensive from None
        except previewing.TooManyPreviews:
            raise Throttled(wait=1, detail="Two previews of yours are running already.") from None
        return Response(preview_body(found))

    @extend_schema(responses={200: dict}, filters=False)
    @action(detail=False, methods=["get"], pagination_class=None, filterset_class=None)
    def fields(self, request: Request) -> Response:
        """Describe what rules can ask: records, relations, fields, their operators and choices."""
        return Response(fields_schema(request.user))

    @extend_schema(
        responses={200: dict},
        filters=False,
        parameters=[
            OpenApiParameter(
                "field", str, required=True, description="Key of the field, `segment`, `account` or `contact`."
            ),
            OpenApiParameter("q", str, description="What the value's name or code contains."),
            OpenApiParameter("value", str, many=True, description="JSON values whose labels are wanted."),
            OpenApiParameter("member_type", str, description="With `segment`: what its members are."),
        ],
    )
    @action(detail=False, methods=["get"], pagination_class=None, filterset_class=None)
    def values(self, request: Request) -> Response:
        """Find values of a field that has no closed list: references, trees, open vocabularies, segments."""
        query = request.query_params
        if "value" in query:
            results = values_named(query.get("field", ""), query.getlist("value"), request.user)
        else:
            results = search_values(
                query.get("field", ""), query.get("q", ""), request.user, query.get("member_type", "")
            )
        return Response({"results": results})

    # --- segments ---
    @extend_schema(request=shapes.SegmentWriteSerializer, responses={201: shapes.SegmentSerializer})
    def create(self, request: Request) -> Response:
        """Save a new segment; a job computes its members."""
        body = shapes.SegmentWriteSerializer(data=request.data)
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
        body = shapes.SegmentPatchSerializer(data=request.data)
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

    @extend_schema(responses=shapes.MemberSerializer(many=True), filters=False)
    @action(detail=True, methods=["get"], filterset_class=None)
    def members(self, request: Request, pk: str | None = None) -> Response:
        """List the stored members that the caller may see, the earliest row first."""
        rows = memberships_visible_to(self.get_object(), request.user).order_by("pk")
        return self.page_of(rows, shapes.MemberSerializer)

    @extend_schema(responses=shapes.VersionSerializer(many=True), filters=False)
    @action(detail=True, methods=["get"], filterset_class=None)
    def versions(self, request: Request, pk: str | None = None) -> Response:
        """List the rules that the segment has had, newest first."""
        rows = self.get_object().versions.select_related("created_by").order_by("-number")
        return self.page_of(rows, shapes.VersionSerializer)

    @extend_schema(request=None, responses={202: shapes.RebuildSerializer})
    @action(detail=True, methods=["post"])
    def rebuild(self, request: Request, pk: str | None = None) -> Response:
        """Compute the members anew, in the background."""
        job = saving.queue_rebuild(self.get_object(), request.user, RunCause.REBUILD)
        return Response({"job": str(job.public_id)}, status=status.HTTP_202_ACCEPTED)

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

    def page_of(self, rows: QuerySet[Any], serializer: Any) -> Response:
        """Answer one page of rows."""
        self._refuse_unknown_parameters()
        pages = KeysetPagination()
        page = pages.paginate_queryset(rows, self.request, None)
        return pages.get_paginated_response(serializer(page, many=True, context={"request": self.request}).data)

    def _refuse_unknown_parameters(self) -> None:
        known = {KeysetPagination.cursor_query_param, KeysetPagination.page_size_query_param, "format"}
        unknown = [name for name in self.request.query_params if name not in known]
        if unknown:
            raise ValidationError({name[:100]: "There is no such parameter here." for name in unknown})


def preview_body(found: previewing.Preview) -> dict[str, Any]:
    """Return the JSON of a preview."""
    return {
        **found.result.as_dict(),
        "sentence_parts": found.parts,
        "sample_lines": found.sample_lines,
        "duration_ms": found.duration_ms,
    }


router = SimpleRouter()
router.register("segments", SegmentViewSet, basename="segment")
urlpatterns = router.urls
