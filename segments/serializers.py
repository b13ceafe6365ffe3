"""What the API shows and takes of segments."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from segmentation_crm.common.api.serializers import StrictSerializer
from segmentation_crm.common.models import User

from .choices import MemberType, OverrideMode, RunCause, SegmentKind, SegmentObjective, SegmentStatus, SegmentUse
from .models import Segment, SegmentMembership, SegmentOverride, SegmentVersion
from .queries import find_segment, visible_member_count
from .sentences import sentence_for


class SegmentSerializer(serializers.ModelSerializer):
    """A segment as it is read. `member_count` is of the members that the caller may see."""

    sentence = serializers.SerializerMethodField()
    member_count = serializers.SerializerMethodField()
    owner: serializers.SlugRelatedField = serializers.SlugRelatedField(slug_field="username", read_only=True)
    parent: serializers.SlugRelatedField = serializers.SlugRelatedField(  # type: ignore[assignment]
        slug_field="slug", read_only=True
    )
    job = serializers.SerializerMethodField()

    class Meta:
        model = Segment
        fields = [
            "id",
            "slug",
            "name",
            "description",
            "member_type",
            "rules",
            "sentence",
            "version",
            "rules_version",
            "built_version",
            "kind",
            "kind_of_use",
            "objective",
            "parent",
            "status",
            "owner",
            "member_count",
            "last_built_at",
            "last_duration_ms",
            "last_error",
            "job",
            "created_at",
            "updated_at",
        ]
        read_only_fields = fields

    def get_sentence(self, segment: Segment) -> str:
        """Return the rule in words; records that the caller may not see are not named."""
        return sentence_for(segment, self.context["request"].user)

    def get_member_count(self, segment: Segment) -> int:
        """Return how many members the caller may see."""
        return visible_member_count(segment, self.context["request"].user)

    def get_job(self, segment: Segment) -> str | None:
        """Return the id of the job that computes the members, where this answer comes from a change."""
        job = self.context.get("job")
        return str(job.public_id) if job else None


@extend_schema_field({"oneOf": [{"type": "integer"}, {"type": "string"}], "description": "Id or slug of a segment"})
class SegmentReference(serializers.RelatedField):
    """A segment that the caller sees, by id or slug; shown as slug."""

    default_error_messages = {"unknown": "There is no such segment; send the id or slug of one."}

    def __init__(self, **options: Any) -> None:
        super().__init__(queryset=Segment.objects.all(), **options)

    def to_internal_value(self, data: Any) -> Segment:
        """Return the segment."""
        found = None
        if isinstance(data, str | int) and not isinstance(data, bool):
            found = find_segment(self.context["request"].user, str(data))
        if found is None:
            self.fail("unknown")
        return found

    def to_representation(self, value: Any) -> str:
        """Return the slug."""
        return str(value.slug)


class SegmentWriteSerializer(StrictSerializer):
    """What may be sent on creating a segment."""

    name = serializers.CharField(max_length=200)
    member_type = serializers.ChoiceField(choices=MemberType.choices)
    rules = serializers.JSONField(required=False)
    description = serializers.CharField(required=False, allow_blank=True, max_length=5000)
    kind = serializers.ChoiceField(choices=SegmentKind.choices, required=False)
    kind_of_use = serializers.ChoiceField(choices=SegmentUse.choices, required=False)
    objective = serializers.ChoiceField(choices=SegmentObjective.choices, allow_blank=True, required=False)
    parent = SegmentReference(required=False, allow_null=True)  # type: ignore[assignment]
    status = serializers.ChoiceField(choices=[SegmentStatus.DRAFT, SegmentStatus.ACTIVE], required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Ask for a rule wherever members come by one."""
        if attrs.get("kind") != SegmentKind.STATIC and "rules" not in attrs:
            raise serializers.ValidationError({"rules": "Send the rule, or kind static."})
        return attrs


class SegmentPatchSerializer(StrictSerializer):
    """What may be changed later; what members are and how they come in stays."""

    name = serializers.CharField(max_length=200, required=False)
    rules = serializers.JSONField(required=False)
    description = serializers.CharField(required=False, allow_blank=True, max_length=5000)
    kind_of_use = serializers.ChoiceField(choices=SegmentUse.choices, required=False)
    objective = serializers.ChoiceField(choices=SegmentObjective.choices, allow_blank=True, required=False)
    parent = SegmentReference(required=False, allow_null=True)  # type: ignore[assignment]
    status = serializers.ChoiceField(choices=[SegmentStatus.DRAFT, SegmentStatus.ACTIVE], required=False)
    owner = serializers.SlugRelatedField(
        slug_field="username", queryset=User.objects.filter(is_active=True), allow_null=True, required=False
    )


class MemberSerializer(serializers.Serializer):
    """One member."""

    id = serializers.IntegerField(source="record_id")
    name = serializers.SerializerMethodField()
    entered_at = serializers.DateTimeField()
    manual = serializers.BooleanField()

    def get_name(self, row: SegmentMembership) -> str:
        """Return the record's name."""
        return str(row.account or row.contact)


class PastMemberSerializer(serializers.Serializer):
    """One member of a past moment. `entered_at` is the latest entry before it."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    entered_at = serializers.DateTimeField(allow_null=True)
    manual = serializers.BooleanField()


class MoveSerializer(serializers.Serializer):
    """One record that entered or left; `words` say why, `field`, `old` and `new` what changed where it was recorded."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    change = serializers.ChoiceField(choices=["entered", "left"])
    at = serializers.DateTimeField()
    cause = serializers.ChoiceField(choices=RunCause.choices)
    words = serializers.CharField()
    field = serializers.CharField()
    old = serializers.CharField()
    new = serializers.CharField()
    version = serializers.IntegerField(help_text="The rule's version that the run read.")
    run = serializers.IntegerField()


class VersionSerializer(serializers.ModelSerializer):
    """One rule that the segment has had."""

    sentence = serializers.SerializerMethodField()
    created_by: serializers.SlugRelatedField = serializers.SlugRelatedField(slug_field="username", read_only=True)

    class Meta:
        model = SegmentVersion
        fields = ["number", "rules", "sentence", "created_by", "created_at"]
        read_only_fields = fields

    def get_sentence(self, version: SegmentVersion) -> str:
        """Return the rule in words; records that the caller may not see are not named."""
        return sentence_for(version, self.context["request"].user)


class OverrideSerializer(serializers.ModelSerializer):
    """A decision by hand."""

    record = serializers.IntegerField(source="record_id", read_only=True)
    by: serializers.SlugRelatedField = serializers.SlugRelatedField(slug_field="username", read_only=True)

    class Meta:
        model = SegmentOverride
        fields = ["id", "record", "mode", "reason", "by", "at"]
        read_only_fields = fields


class OverrideWriteSerializer(StrictSerializer):
    """A decision to take."""

    record = serializers.IntegerField(min_value=1, max_value=2**63 - 1)
    mode = serializers.ChoiceField(choices=OverrideMode.choices)
    reason = serializers.CharField(max_length=500)


class RebuildSerializer(serializers.Serializer):
    """The answer to a rebuild: the job to ask for."""

    job = serializers.UUIDField()


class PreviewRequestSerializer(StrictSerializer):
    """A rule to count."""

    member_type = serializers.ChoiceField(choices=["account", "contact", "opportunity", "activity"])
    rules = serializers.JSONField()
    as_of = serializers.CharField(required=False)
    undecided = serializers.BooleanField(required=False, help_text="Also count whom missing data decide.")
    session = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=100,
        help_text="The last answer's `session`: count at its moment and over its data, so that edits are quick.",
    )


class NodeCountSerializer(serializers.Serializer):
    """How many member records one node alone selects."""

    path = serializers.ListField(child=serializers.JSONField())
    count = serializers.IntegerField()
    unit = serializers.CharField()


class SampleSerializer(serializers.Serializer):
    """One record that the rule selects."""

    id = serializers.IntegerField()
    name = serializers.CharField()


class GapSerializer(serializers.Serializer):
    """A field that undecided records lack: how many lack it, and how many it alone would settle."""

    field = serializers.CharField()
    missing = serializers.IntegerField()
    settles = serializers.IntegerField()


class UndecidedSerializer(serializers.Serializer):
    """The records whose missing data decide; at most so many where upper_bound."""

    count = serializers.IntegerField()
    upper_bound = serializers.BooleanField()
    fields = GapSerializer(many=True)  # type: ignore[assignment]


class PreviewSerializer(serializers.Serializer):
    """The answer to a preview."""

    count = serializers.IntegerField()
    total = serializers.IntegerField()
    nodes = NodeCountSerializer(many=True)
    sentence = serializers.CharField()
    sample = SampleSerializer(many=True)
    undecided = UndecidedSerializer(allow_null=True, help_text="Whom missing data decide; null where not asked for.")
    as_of = serializers.DateTimeField()
    note = serializers.CharField(help_text="A caution where as_of lies in the past, else empty.")
    methods = serializers.ListField(
        child=serializers.CharField(), help_text="The families of the fields that the rule names."
    )
    caution = serializers.CharField(help_text="Where the rule says only who they are: what to add. Else empty.")
    funnel = serializers.ListField(
        child=serializers.JSONField(), help_text="How many remain after each rule of the root, in its order."
    )
    session = serializers.CharField(help_text="Send it with the next preview of the same edit.")
    data_changed = serializers.BooleanField(help_text="The data changed since the session began; leave it out to see.")
    sentence_parts = serializers.ListField(
        child=serializers.JSONField(), help_text="The sentence in parts: {text, kind}."
    )
    sample_lines = serializers.ListField(
        child=serializers.CharField(), help_text="A second line for each record of the sample."
    )
    duration_ms = serializers.FloatField()
