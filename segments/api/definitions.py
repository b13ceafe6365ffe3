"""The API of definitions: segments as a document, out and in."""

from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from segmentation_crm.common.api.errors import ExpectedErrors
from segmentation_crm.common.api.serializers import StrictSerializer

from ..definitions import CONFLICTS, FORMATS, BadDocument, CannotExport, document_of, dumped, import_document, loaded
from .base import SegmentBase

TYPES = {"json": "application/json", "yaml": "application/yaml"}
PARAMETERS = [
    OpenApiParameter("segments", str, description="Slugs or ids with commas between; none: every segment in use."),
    OpenApiParameter("as", str, enum=list(FORMATS), description="Text to answer with; json where it is left out."),
]


class DefinitionsSerializer(StrictSerializer):
    """A document to take in: as JSON, or as YAML in a text."""

    document = serializers.JSONField(required=False)
    yaml = serializers.CharField(required=False)
    on_conflict = serializers.ChoiceField(choices=CONFLICTS, required=False, default="skip")
    dry_run = serializers.BooleanField(required=False, default=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Ask for one of the two."""
        if ("document" in attrs) == ("yaml" in attrs):
            raise serializers.ValidationError({"document": "Send either document or yaml."})
        return attrs


class DefinitionActions(SegmentBase):
    """Definitions in and out."""

    @extend_schema(request=DefinitionsSerializer, responses={200: dict}, filters=False, parameters=PARAMETERS)
    @action(detail=False, methods=["get", "post"], pagination_class=None, filterset_class=None)
    def definitions(self, request: Request) -> HttpResponseBase:
        """Answer the definitions of segments and of what they read; or make and change segments by a document.

        All of a document or nothing; `dry_run` does the same and takes it back. Errors (400) carry paths from the
        document's root.
        """
        if request.method == "GET":
            return self._definitions_out(request)
        body = DefinitionsSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        values = body.validated_data
        try:
            document = values["document"] if "document" in values else loaded(values["yaml"], "yaml")
        except BadDocument as problem:
            raise ValidationError({"yaml": str(problem)}) from None
        found = import_document(request.user, document, on_conflict=values["on_conflict"], dry_run=values["dry_run"])
        if not found.ok:
            raise ExpectedErrors(found.all_errors, "The document cannot be taken in; see errors. Nothing was changed.")
        shown = [{"slug": item.slug, "name": item.name, "action": item.action} for item in found.items]
        return Response({"dry_run": found.dry_run, "segments": shown})

    def _definitions_out(self, request: Request) -> HttpResponse:
        self.refuse_unknown_parameters(["segments", "as"])
        named = [text.strip() for text in request.query_params.get("segments", "").split(",") if text.strip()]
        try:
            chosen = request.query_params.get("as", "json")
            text = dumped(document_of(request.user, named), chosen)
        except CannotExport as problem:
            raise ValidationError({"segments": str(problem)}) from None
        except BadDocument as problem:
            raise ValidationError({"as": str(problem)}) from None
        return HttpResponse(text, content_type=f"{TYPES[chosen]}; charset=utf-8")
