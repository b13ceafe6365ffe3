"""What the API shows and takes of dry runs, pasted members, partitions and splits."""

from typing import Any

from rest_framework import serializers

from segmentation_crm.common.api.serializers import StrictSerializer

from .choices import MemberType
from .models import Partition, PartitionPart, Split, SplitGroup
from .queries import visible_member_count
from .serializers import SegmentReference
from .services.pasting import LONGEST_LINE, MOST_LINES


class DryRunRequestSerializer(StrictSerializer):
    """A rule to try."""

    rules = serializers.JSONField()


class NamedRecordSerializer(serializers.Serializer):
    """One record."""

    id = serializers.IntegerField()
    name = serializers.CharField()

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """Return the pair of key and name as an object."""
        return {"id": instance[0], "name": instance[1]}


class SideSerializer(serializers.Serializer):
    """Who would enter, or leave."""

    count = serializers.IntegerField()
    sample = NamedRecordSerializer(many=True)
    list_url = serializers.CharField(help_text="The list of all, by the rule alone; empty where a list cannot say it.")


class DependentSerializer(serializers.Serializer):
    """One thing that depends on the segment."""

    kind = serializers.CharField()
    name = serializers.CharField()
    url = serializers.CharField(help_text="Its page, or empty.")


class DryRunSerializer(serializers.Serializer):
    """What saving a rule would change, in numbers of records that the caller may see."""

    sentence = serializers.CharField()
    member_count = serializers.IntegerField()
    after = serializers.IntegerField()
    entered = SideSerializer()
    left = SideSerializer()
    by_hand = serializers.IntegerField(help_text="Decisions by hand, which the counts heed and the lists do not.")
    narrowed = serializers.BooleanField(help_text="Whether the caller sees a part of the records only.")
    dependents = DependentSerializer(many=True)
    duration_ms = serializers.FloatField()


class PasteSerializer(StrictSerializer):
    """Records to put into a static segment."""

    values = serializers.ListField(
        child=serializers.CharField(max_length=LONGEST_LINE), min_length=1, max_length=MOST_LINES
    )
    reason = serializers.CharField(max_length=500, required=False, allow_blank=True)


class UnmatchedSerializer(serializers.Serializer):
    """An entry that named no record, or several."""

    line = serializers.IntegerField(help_text="Its place in `values`, from 1.")
    text = serializers.CharField()
    why = serializers.CharField()


class PasteReportSerializer(serializers.Serializer):
    """What came of the entries."""

    added = serializers.IntegerField()
    already = serializers.IntegerField()
    kept_out = serializers.IntegerField()
    outside_parent = serializers.IntegerField()
    unmatched = UnmatchedSerializer(many=True)


# --- partitions and splits ---


class _Counted(serializers.ModelSerializer):
    segment: serializers.SlugRelatedField = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    member_count = serializers.SerializerMethodField()

    def get_member_count(self, part: PartitionPart | SplitGroup) -> int:
        """Return how many members the caller may see."""
        return visible_member_count(part.segment, self.context["request"].user)


class PartSerializer(_Counted):
    """One part: the segment that fills it (null: the rest group), and the segment that holds its members."""

    source: serializers.SlugRelatedField = serializers.SlugRelatedField(  # type: ignore[assignment]
        slug_field="slug", read_only=True
    )

    class Meta:
        model = PartitionPart
        fields = ["position", "name", "source", "segment", "member_count"]
        read_only_fields = fields


class PartitionSerializer(serializers.ModelSerializer):
    """A partition as it is read; the rest group is its last part."""

    base: serializers.SlugRelatedField = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    owner: serializers.SlugRelatedField = serializers.SlugRelatedField(slug_field="username", read_only=True)
    parts = PartSerializer(many=True, read_only=True)

    class Meta:
        model = Partition
        fields = [
            "id",
            "slug",
            "name",
            "description",
            "member_type",
            "base",
            "parts",
            "owner",
            "version",
            "created_at",
            "updated_at",
        ]
        read_only_fields = fields


class PartWriteSerializer(StrictSerializer):
    """One part to make: its name and the segment that fills it."""

    name = serializers.CharField(max_length=60)
    source = SegmentReference()  # type: ignore[assignment]


class PartitionPatchSerializer(StrictSerializer):
    """What may be changed of a partition; `parts` replaces all parts, in their order."""

    name = serializers.CharField(max_length=120, required=False)
    description = serializers.CharField(required=False, allow_blank=True, max_length=2000)
    base = SegmentReference(required=False, allow_null=True)
    parts = PartWriteSerializer(many=True, required=False)
    rest = serializers.CharField(max_length=60, required=False, help_text="Name of the rest group.")


class PartitionWriteSerializer(PartitionPatchSerializer):
    """A partition to make."""

    name = serializers.CharField(max_length=120)
    member_type = serializers.ChoiceField(choices=MemberType.choices)
    parts = PartWriteSerializer(many=True)


class GroupSerializer(_Counted):
    """One group with its share, and the segment that holds its members."""

    share = serializers.SerializerMethodField(help_text="In percent.")

    class Meta:
        model = SplitGroup
        fields = ["position", "name", "share", "segment", "member_count"]
        read_only_fields = fields

    def get_share(self, group: SplitGroup) -> float:
        """Return the share in percent."""
        return group.percent


class SplitSerializer(serializers.ModelSerializer):
    """A split as it is read."""

    base: serializers.SlugRelatedField = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    owner: serializers.SlugRelatedField = serializers.SlugRelatedField(slug_field="username", read_only=True)
    groups = GroupSerializer(many=True, read_only=True)

    class Meta:
        model = Split
        fields = [
            "id",
            "slug",
            "name",
            "description",
            "member_type",
            "base",
            "seed",
            "groups",
            "owner",
            "version",
            "created_at",
            "updated_at",
        ]
        read_only_fields = fields


class GroupWriteSerializer(StrictSerializer):
    """One group to make."""

    name = serializers.CharField(max_length=60)
    share = serializers.DecimalField(max_digits=5, decimal_places=2, help_text="In percent.")


class SplitPatchSerializer(StrictSerializer):
    """What may be changed of a split; what is split and the seed stay."""

    name = serializers.CharField(max_length=120, required=False)
    description = serializers.CharField(required=False, allow_blank=True, max_length=2000)
    groups = GroupWriteSerializer(many=True, required=False)


class SplitWriteSerializer(SplitPatchSerializer):
    """A split to make."""

    name = serializers.CharField(max_length=120)
    base = SegmentReference()
    groups = GroupWriteSerializer(many=True)
    seed = serializers.CharField(max_length=64, required=False, allow_blank=True)
