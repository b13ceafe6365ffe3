"""Segments, the saved queries, and the versions of their rules."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.urls import reverse

from ..choices import MemberType, SegmentKind, SegmentObjective, SegmentStatus, SegmentUse


class Segment(models.Model):
    """A named set of accounts or contacts.

    `rules` is the canonical JSON of the rule language ({} for a static segment). `version` counts every change that
    people save (the ETag), `rules_version` only changes of the rule; `built_version` is the rules_version that the
    stored members answer to, and `last_built_at` the moment at which the data behind them was read. `woken_at` is the
    moment up to which time passing has been let in, `thresholds` what "top %" conditions were last compared with. A
    rule that no longer validates makes the segment broken: it keeps its members, and `last_error` says why. Members
    of a segment with a `parent` are always members of the parent too. A strategic segment has an owner and an
    objective as soon as it is active.
    """

    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=120, unique=True)
    description = models.TextField(blank=True, default="")
    member_type = models.CharField(max_length=10, choices=MemberType.choices)
    rules = models.JSONField(default=dict, blank=True)
    sentence = models.TextField(blank=True, default="", help_text="The rule in plain English")
    version = models.PositiveIntegerField(default=1, editable=False)
    rules_version = models.PositiveIntegerField(default=1, editable=False)
    kind = models.CharField(max_length=10, choices=SegmentKind.choices, default=SegmentKind.DYNAMIC)
    kind_of_use = models.CharField(max_length=20, choices=SegmentUse.choices, default=SegmentUse.WORKING_LIST)
    objective = models.CharField(max_length=20, choices=SegmentObjective.choices, blank=True, default="")
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="children")
    status = models.CharField(max_length=10, choices=SegmentStatus.choices, default=SegmentStatus.ACTIVE)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="segments"
    )
    member_count = models.PositiveBigIntegerField(default=0, editable=False)
    last_built_at = models.DateTimeField(null=True, blank=True, editable=False)
    woken_at = models.DateTimeField(null=True, blank=True, editable=False)
    thresholds = models.JSONField(default=dict, blank=True, editable=False)
    last_duration_ms = models.PositiveIntegerField(null=True, blank=True, editable=False)
    last_error = models.TextField(blank=True, default="", editable=False)
    built_version = models.PositiveIntegerField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name", "id"]
        indexes = [
            models.Index(fields=["status", "name"], name="segments_status_name"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(member_type__in=MemberType.values), name="segments_member_type_known"
            ),
            models.CheckConstraint(condition=models.Q(kind__in=SegmentKind.values), name="segments_kind_known"),
            models.CheckConstraint(condition=models.Q(kind_of_use__in=SegmentUse.values), name="segments_use_known"),
            models.CheckConstraint(condition=models.Q(status__in=SegmentStatus.values), name="segments_status_known"),
            models.CheckConstraint(condition=~models.Q(name=""), name="segments_name_not_empty"),
            models.CheckConstraint(
                condition=models.Q(objective__in=["", *SegmentObjective.values]), name="segments_objective_known"
            ),
            models.CheckConstraint(
                condition=models.Q(parent__isnull=True) | ~models.Q(parent=models.F("id")),
                name="segments_parent_is_another",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Return the address of the segment's page."""
        return reverse("segments:detail", args=[self.slug])

    @property
    def is_stale(self) -> bool:
        """Tell whether the stored members answer to an older rule than the saved one."""
        return self.kind == SegmentKind.DYNAMIC and self.built_version != self.rules_version

    def queryset(self, as_of: datetime | None = None) -> "models.QuerySet[Any]":
        """Return the records that the rule selects now: the saved query itself, lazy, without overrides.

        Raises InvalidRule where the stored rule no longer validates.
        """
        from django.utils import timezone

        from ..rules.evaluate import member_queryset
        from ..rules.validate import validate

        rule = validate(self.rules, self.member_type, segment_id=self.pk)
        return member_queryset(rule, as_of or timezone.now())

    def members(self) -> "models.QuerySet[Any]":
        """Return the stored membership rows."""
        return self.memberships.all()


class SegmentVersion(models.Model):
    """One rule that a segment has had, with its sentence."""

    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    rules = models.JSONField(default=dict, blank=True)
    sentence = models.TextField(blank=True, default="")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["segment", "-number"]
        constraints = [models.UniqueConstraint(fields=["segment", "number"], name="segments_version_number_unique")]

    def __str__(self) -> str:
        return f"{self.segment} v{self.number}"
