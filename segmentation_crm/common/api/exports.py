"""Exports over the API: ask for a file, follow it, fetch it. All with the scope "export"."""

from typing import Any

from django.db.models import QuerySet
from django.http import FileResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.exceptions import ErrorDetail, Throttled, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from .. import exports, lists
from ..access import AnyUser
from ..exports.downloads import download
from ..exports.limits import AN_HOUR
from ..exports.requests import MOST_IDS
from ..models import Export
from .conditional import etag_of
from .idempotency import idempotent
from .saved_views import RECORDS
from .serializers import StrictSerializer
from .viewsets import IDEMPOTENCY_KEY, ReadViewSet


class ExportSerializer(serializers.ModelSerializer):
    """An export of the caller's own; `state` is its job's, and "expired" once the file is gone."""

    state = serializers.SerializerMethodField()
    error = serializers.SerializerMethodField(help_text='Why it failed, in words; "" otherwise.')
    progress = serializers.SerializerMethodField(help_text="Share done, 0 to 1; null while the total is unknown.")

    class Meta:
        model = Export
        fields = [
            "id", "record", "title", "format", "columns", "state", "progress", "error", "rows", "size", "created_at",
            "finished_at", "expires_at",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field({"type": "string"})
    def get_state(self, export: Export) -> str:
        """Return where the export stands."""
        if not export.path or (export.expires_at and export.expires_at <= timezone.now()):
            return "expired"
        if export.finished_at is not None:
            return "done"
        return str(export.job.state) if export.job else "failed"

    @extend_schema_field({"type": "string"})
    def get_error(self, export: Export) -> str:
        """Return why the job failed."""
        return export.job.error if export.job else ""

    @extend_schema_field({"type": "number", "minimum": 0, "maximum": 1, "nullable": True})
    def get_progress(self, export: Export) -> float | None:
        """Return the share done."""
        return 1.0 if export.finished_at else export.job.progress if export.job else None


class ExportRequestSerializer(StrictSerializer):
    """What to export: a list with its filters (as in its address), or only the rows of `ids`."""

    record = serializers.ChoiceField(choices=RECORDS)
    format = serializers.ChoiceField(choices=Export.Format.choices, default=Export.Format.CSV)
    query = serializers.DictField(
        child=serializers.CharField(max_length=300_000),
        required=False,
        help_text='The list\'s parameters: search, filters, ordering, rules (JSON text), columns ("name,country").',
    )
    ids = serializers.ListField(child=serializers.IntegerField(min_value=1), required=False, max_length=MOST_IDS)


class ExportViewSet(ReadViewSet[Export]):
    """The caller's own exports; nobody reads those of others. A file lives for 24 hours; 10 an hour."""

    serializer_class = ExportSerializer
    default_ordering = ("-id",)
    http_method_names = ["get", "post", "head", "options"]
    read_capability = write_capability = "records.export"
    read_scope = write_scope = "export"

    def visible_to(self, user: AnyUser) -> QuerySet[Export]:
        """Return the user's own exports."""
        return exports.exports_of(user)

    def etag(self, instance: Any) -> str:
        """Return a digest of what is shown: an export changes without a version."""
        return etag_of(None, self.get_serializer(instance).data)

    @extend_schema(request=ExportRequestSerializer, responses={201: ExportSerializer}, parameters=[IDEMPOTENCY_KEY])
    @idempotent
    def create(self, request: Request) -> Response:
        """Queue a file; follow it by its id until `state` is "done", then fetch `download/`."""
        body = ExportRequestSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        user: Any = request.user
        try:
            export = exports.request_export(
                user, given["record"], given["format"], params=given.get("query"), ids=given.get("ids", ())
            )
        except exports.TooManyExports as error:
            raise Throttled(wait=AN_HOUR, detail=str(error)) from None
        except exports.ExportRefused as error:
            raise ValidationError({"query": [ErrorDetail(str(error), "invalid")]}) from None
        except lists.UnknownList:
            raise ValidationError({"record": [ErrorDetail("There is no such list.", "invalid_choice")]}) from None
        return Response(self.get_serializer(export).data, status=status.HTTP_201_CREATED)

    @extend_schema(responses={200: OpenApiResponse(OpenApiTypes.BINARY, description="The file.")})
    @action(detail=True, methods=["get"])
    def download(self, request: Request, pk: str) -> FileResponse:
        """Send the file; 404 while it is not written, and once it is over."""
        return download(self.get_object())
