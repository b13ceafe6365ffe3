"""Divisions: ordered partitions and random splits, whose parts are segments of their own."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from ..choices import MemberType
from .segments import Segment

# Shares are kept in hundredths of a percent.
WHOLE = 10_000


class Division(models.Model):
    """What a partition and a split share: a name, what is divided, who keeps it, and the version that people saved."""

    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=120, unique=True)
    description = models.TextField(blank=True, default="")
    member_type = models.CharField(max_length=10, choices=MemberType.choices)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name


class Partition(Division):
    """An ordered list of segments that divides records into exclusive parts: the first that holds a record wins.

    Divides the members of `base`, or all records of the member type. Each part, the rest group included, is a
    segment with a rule of its own, kept by the partition.
    """

    base = models.ForeignKey(Segment, null=True, blank=True, on_delete=models.PROTECT, related_name="partitions")

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="segments_partition_name_not_empty"),
            models.CheckConstraint(
                condition=Q(member_type__in=MemberType.values), name="segments_partition_type_known"
            ),
        ]

    def get_absolute_url(self) -> str:
        """Return the address of the partition's page."""
        return reverse("segments:partition_detail", args=[self.slug])


class PartitionPart(models.Model):
    """One part: `source` is the segment that fills it, None for the rest group; `segment` holds its members."""

    partition = models.ForeignKey(Partition, on_delete=models.CASCADE, related_name="parts")
    position = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=60)
    source = models.ForeignKey(Segment, null=True, blank=True, on_delete=models.PROTECT, related_name="feeds_parts")
    segment = models.OneToOneField(Segment, on_delete=models.PROTECT, related_name="partition_part")

    class Meta:
        ordering = ["partition", "position"]
        constraints = [
            models.UniqueConstraint(fields=["partition", "position"], name="segments_part_position_unique"),
            models.UniqueConstraint(
                fields=["partition", "source"], condition=Q(source__isnull=False), name="segments_part_source_unique"
            ),
            models.UniqueConstraint(
                fields=["partition"], condition=Q(source__isnull=True), name="segments_part_one_rest"
            ),
            models.CheckConstraint(condition=~Q(name=""), name="segments_part_name_not_empty"),
            models.CheckConstraint(
                condition=Q(source__isnull=True) | ~Q(source=models.F("segment")), name="segments_part_not_own_source"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.partition}: {self.name}"


class Split(Division):
    """The members of `base`, drawn by lot into groups with shares.

    Which group a record falls into depends on `seed` and the record's key alone, so it never changes while the
    groups stand, however often they are computed and however many records come.
    """

    base = models.ForeignKey(Segment, on_delete=models.PROTECT, related_name="splits")
    seed = models.CharField(max_length=64)

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="segments_split_name_not_empty"),
            models.CheckConstraint(condition=~Q(seed=""), name="segments_split_seed_not_empty"),
            models.CheckConstraint(condition=Q(member_type__in=MemberType.values), name="segments_split_type_known"),
        ]

    def get_absolute_url(self) -> str:
        """Return the address of the split's page."""
        return reverse("segments:split_detail", args=[self.slug])


class SplitGroup(models.Model):
    """One group of a split: the records whose lot lies in [start, start + share), of 10,000."""

    split = models.ForeignKey(Split, on_delete=models.CASCADE, related_name="groups")
    position = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=60)
    start = models.PositiveIntegerField()
    share = models.PositiveIntegerField(help_text="In hundredths of a percent")
    segment = models.OneToOneField(Segment, on_delete=models.PROTECT, related_name="split_group")

    class Meta:
        ordering = ["split", "position"]
        constraints = [
            models.UniqueConstraint(fields=["split", "position"], name="segments_group_position_unique"),
            models.UniqueConstraint(fields=["split", "start"], name="segments_group_start_unique"),
            models.CheckConstraint(
                condition=Q(share__gte=1) & Q(share__lte=WHOLE - models.F("start")), name="segments_group_share_fits"
            ),
            models.CheckConstraint(condition=~Q(name=""), name="segments_group_name_not_empty"),
        ]

    def __str__(self) -> str:
        return f"{self.split}: {self.name}"

    @property
    def percent(self) -> float:
        """Return the share in percent."""
        return self.share / 100


class SnapshotKeys(models.Model):
    """Whom a snapshot's rule chose when it was taken: `keys` is a serialised roaring bitmap of record keys."""

    segment = models.OneToOneField(Segment, on_delete=models.CASCADE, related_name="snapshot_keys")
    keys = models.BinaryField()
    rules_version = models.PositiveIntegerField()
    taken_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.segment} at {self.taken_at:%Y-%m-%d %H:%M}"
