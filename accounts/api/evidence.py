"""Evidence over the API: what was heard, by term."""

from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from ..choices import EvidenceKind
from ..filters.evidence import EvidenceFilter
from ..models import Evidence, Term
from ..queries.evidence import evidence_visible_to
from ..services.evidence import record_evidence
from .base import AccountsSerializer, DetailViewSet
from .details import STAMPS
from .fields import ReferenceField


class EvidenceSerializer(AccountsSerializer):
    """One thing heard once: a term of the kind's vocabulary, from whom and when.

    Give the account or the contact. Objections and competitors of an opportunity also become values of it, needs
    stated needs.
    """

    kind = serializers.ChoiceField(choices=EvidenceKind.choices)
    term = ReferenceField(queryset=Term.objects.filter(vocabulary__in=EvidenceKind.values, is_active=True))
    said_at = serializers.DateTimeField(required=False)

    class Meta:
        model = Evidence
        fields = [
            "id",
            "kind",
            "term",
            "account",
            "contact",
            "opportunity",
            "activity",
            "note",
            "quote",
            "source_type",
            "source_kind",
            "said_at",
            "recorded_by",
            *STAMPS,
        ]
        read_only_fields = ["activity", "note", "source_type", "recorded_by", *STAMPS]

    def create(self, validated_data: dict[str, Any]) -> Evidence:
        """Keep what was heard, by the caller.

        Raises ValidationError naming the field that breaks a rule.
        """
        values = dict(validated_data)
        kind, term = values.pop("kind"), values.pop("term")
        if term.vocabulary != kind:
            raise ValidationError({"term": f"“{term.name}” is no word of the vocabulary “{kind}”."})
        return record_evidence(kind, [term], by=self.context["request"].user, **values)[0]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Take a changed term only of the row's kind.

        Raises ValidationError for another.
        """
        if self.instance is not None and "kind" in attrs and attrs["kind"] != self.instance.kind:
            raise ValidationError({"kind": "What kind it is cannot change; delete it and record it anew."})
        term = attrs.get("term")
        if self.instance is not None and term is not None and term.vocabulary != self.instance.kind:
            raise ValidationError({"term": f"“{term.name}” is no word of the vocabulary “{self.instance.kind}”."})
        return attrs


class EvidenceViewSet(DetailViewSet[Evidence]):
    """What was heard in calls, meetings, notes and interviews."""

    visible = staticmethod(evidence_visible_to)
    serializer_class = EvidenceSerializer
    filterset_class = EvidenceFilter
    parents = "an account or contact"
