"""The API of evidence: why a record is in a segment or not, and who misses it narrowly."""

from typing import Any

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from segmentation_crm.common.keys import key_of

from ..evidence import Explanation, explain
from ..evidence.past import PastExplanation, explain_at
from ..evidence.serving import misses_of
from ..queries import records_visible_to
from ..rules.clock import Clock
from ..rules.deadline import RuleTooExpensive
from ..rules.nodes import InvalidRule
from .base import SegmentBase
from .history import moment_param
from .rules import TooExpensive, invalid_rule

MEMBER = OpenApiParameter("member", int, required=True, description="Id of the account or contact.")
AT = OpenApiParameter("at", str, description="A past moment; a date means the end of that local day. Default: now.")


class NamedSerializer(serializers.Serializer):
    """The record asked about."""

    id = serializers.IntegerField()
    name = serializers.CharField()


class NamedSegmentSerializer(NamedSerializer):
    """The segment asked about."""

    slug = serializers.CharField()


class EditSerializer(serializers.Serializer):
    """One field to change: on which record, from what, to what, in words."""

    field = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    record = serializers.CharField()
    record_id = serializers.IntegerField()
    to = serializers.CharField()

    def get_fields(self) -> dict[str, Any]:
        """Return the fields; "from" is no name that Python takes."""
        return {**super().get_fields(), "from": serializers.CharField()}


class RunOfMoveSerializer(serializers.Serializer):
    """The run that moved the record last before a past moment, and why."""

    id = serializers.IntegerField()
    at = serializers.DateTimeField()
    cause = serializers.CharField()
    version = serializers.IntegerField()
    change = serializers.ChoiceField(choices=["entered", "left"])
    words = serializers.CharField()


class ExplanationSerializer(serializers.Serializer):
    """Why a record is in or not. With `at` it has `sentence`, `run` and `history_begins_at` instead of edits."""

    segment = NamedSegmentSerializer()
    member = NamedSerializer()
    at = serializers.DateTimeField(allow_null=True)
    as_of = serializers.DateTimeField(required=False)
    verdict = serializers.ChoiceField(choices=["in", "out", "not_recorded"], help_text="By the stored members.")
    expected = serializers.ChoiceField(
        choices=["in", "out"], allow_null=True, required=False, help_text="By the rule and all above it, as of now."
    )
    rule_holds = serializers.BooleanField(allow_null=True, required=False)
    version = serializers.IntegerField(allow_null=True, help_text="Of the rule that is told.")
    entered_at = serializers.DateTimeField(allow_null=True, required=False)
    manual = serializers.BooleanField(required=False)
    decided = serializers.CharField(required=False, help_text="What stands above the rule and decides; else empty.")
    tree = serializers.JSONField(
        allow_null=True,
        help_text=(
            "A node: {path, kind, words, field, holds, state (true, false, unknown, not_recorded), value, rows_inside, "
            "rows: {count, total, hidden, figure, shown: [{id, words, url}]} or null, nodes: [node, …]}."
        ),
    )
    changes = serializers.ListField(
        child=EditSerializer(many=True),
        required=False,
        help_text="Sets of edits; making all edits of any one set flips the verdict.",
    )
    no_change = serializers.CharField(required=False, help_text="Why no edit flips it; empty where one does.")
    sentence = serializers.CharField(required=False)
    run = RunOfMoveSerializer(allow_null=True, required=False)
    history_begins_at = serializers.DateTimeField(allow_null=True, required=False)


class MissSerializer(serializers.Serializer):
    """A record outside: how many conditions keep it out, and the lines of the rule that it does not meet."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    turns = serializers.IntegerField()
    fails = serializers.ListField(child=serializers.CharField())


class MissesSerializer(serializers.Serializer):
    """The nearest misses, those first that the fewest conditions keep out."""

    results = MissSerializer(many=True)


class EvidenceActions(SegmentBase):
    """Why."""

    @extend_schema(responses=ExplanationSerializer, filters=False, parameters=[MEMBER, AT])
    @action(detail=True, methods=["get"], pagination_class=None, filterset_class=None)
    def explain(self, request: Request, pk: str | None = None) -> Response:
        """Say why a record is in the segment or not: every node with what it read, and the edits that flip it.

        With `at`: the verdict of that moment, the rule and the run of then, and what was recorded. Answers 404 for a
        record that the caller may not see.
        """
        self.refuse_unknown_parameters(["member", "at"])
        segment, query = self.get_object(), request.query_params
        if "member" not in query:
            raise ValidationError({"member": f"Name the {segment.member_type} by its id."})
        key = key_of(query["member"])
        record = records_visible_to(segment.member_type, request.user).filter(pk=key).first() if key else None
        if record is None:
            raise Http404
        if "at" in query:
            clock = Clock.at()
            moment = moment_param(query["at"], "at", clock)
            if moment < clock.as_of:
                return Response(past_body(explain_at(segment, record, moment, request.user)))
        return Response(explanation_body(explain(segment, record, request.user)))

    @extend_schema(responses=MissesSerializer, filters=False)
    @action(detail=True, methods=["get"], pagination_class=None, filterset_class=None, url_path="nearest-misses")
    def nearest_misses(self, request: Request, pk: str | None = None) -> Response:
        """List the records outside that the fewest conditions keep out, at most 20 that the caller may see."""
        self.refuse_unknown_parameters()
        segment = self.get_object()
        try:
            found = misses_of(segment, request.user)
        except InvalidRule as problem:
            raise invalid_rule(problem) from None
        except RuleTooExpensive:
            raise TooExpensive from None
        names = records_visible_to(segment.member_type, request.user).in_bulk([one.key for one in found])
        rows = [
            {"id": one.key, "name": str(names[one.key]), "turns": one.turns, "fails": list(one.fails)}
            for one in found
            if one.key in names
        ]
        return Response({"results": rows})


def _about(segment: Any, key: int, name: str) -> dict[str, Any]:
    return {
        "segment": {"id": segment.pk, "slug": segment.slug, "name": segment.name},
        "member": {"id": key, "name": name},
    }


def explanation_body(found: Explanation) -> dict[str, Any]:
    """Return the JSON of an explanation of now."""
    standing = found.standing
    return {
        **_about(found.segment, found.key, found.name),
        "at": None,
        "as_of": found.as_of.isoformat(),
        "verdict": "in" if standing.is_member else "out",
        "expected": None if standing.expected is None else "in" if standing.expected else "out",
        "rule_holds": found.tree.holds if found.tree else None,
        "version": found.segment.rules_version,
        "entered_at": standing.entered_at.isoformat() if standing.entered_at else None,
        "manual": standing.manual,
        "decided": standing.decided,
        "tree": found.tree.as_dict() if found.tree else None,
        "changes": [[edit.as_dict() for edit in change.edits] for change in found.changes],
        "no_change": found.no_change,
    }


def past_body(found: PastExplanation) -> dict[str, Any]:
    """Return the JSON of an explanation of a past moment."""
    move = found.move
    return {
        **_about(found.segment, found.key, found.name),
        "at": found.at.isoformat(),
        "verdict": "not_recorded" if found.was_in is None else "in" if found.was_in else "out",
        "history_begins_at": found.begins.isoformat() if found.begins else None,
        "version": found.version,
        "sentence": found.sentence,
        "run": None
        if move is None
        else {
            "id": move.run_id,
            "at": move.at.isoformat(),
            "cause": move.cause,
            "version": move.version,
            "change": "entered" if move.entered else "left",
            "words": found.words,
        },
        "tree": found.tree.as_dict() if found.tree else None,
    }
