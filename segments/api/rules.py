"""The API of one rule: preview, fields, values; and the answers to a rule that cannot be taken."""

import json
from datetime import date, datetime
from typing import Any

from django.utils.dateparse import parse_date, parse_datetime
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import APIException, Throttled, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from segmentation_crm.common.api.errors import ExpectedErrors
from segmentation_crm.common.api.parsers import PathError

from .. import serializers as shapes
from ..rules.deadline import RuleTooExpensive
from ..rules.nodes import InvalidRule
from ..rules.parse import MAX_BYTES
from ..rules.schema import fields_schema
from ..rules.sessions import BadSession
from ..services import previewing, saving
from ..values import search_values, values_named
from .base import SegmentBase


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


class RuleActions(SegmentBase):
    """What one asks about a rule before it is a segment."""

    def get_throttles(self) -> list[Any]:
        """Count previews apart from the other calls."""
        self.throttle_scope = "preview" if self.action == "preview" else "api"
        return super().get_throttles()

    def handle_exception(self, exc: Exception) -> Response:
        """Answer an exception; a fault inside a rule is named from the rule's root, as every error of rules is."""
        if isinstance(exc, PathError) and len(exc.path) > 1 and exc.path[0] == "rules":
            exc.path = exc.path[1:]
        return super().handle_exception(exc)

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
            found = previewing.count_rule(
                rule, request.user, as_of, undecided=values.get("undecided", False), session=values.get("session", "")
            )
        except InvalidRule as problem:
            raise invalid_rule(problem) from None
        except BadSession as problem:
            raise ValidationError({"session": problem.message}) from None
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


def preview_body(found: previewing.Preview) -> dict[str, Any]:
    """Return the JSON of a preview."""
    return {
        **found.result.as_dict(),
        "methods": found.methods,
        "caution": found.caution,
        "sentence_parts": found.parts,
        "sample_lines": found.sample_lines,
        "duration_ms": found.duration_ms,
    }
