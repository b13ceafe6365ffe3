"""Who is in a segment now, and what people decided by hand."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from ..choices import OverrideMode
from .segments import Segment

ONE_RECORD = Q(account__isnull=False, contact__isnull=True) | Q(account__isnull=True, contact__isnull=False)


class SegmentMembership(models.Model):
    """One current member: an account or a contact, since when, and whether it was put in by hand.

    Rows are added and removed by difference, so `entered_at` tells when the record came in.
    """

    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="memberships")
    account = models.ForeignKey(
        "accounts.Account",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="segment_memberships",
    )
    contact = models.ForeignKey(
        "accounts.Contact",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="segment_memberships",
    )
    entered_at = models.DateTimeField()
    manual = models.BooleanField(default=False)

    class Meta:
        ordering = ["segment", "id"]
        indexes = [
            models.Index(fields=["segment", "-entered_at", "-id"], name="segments_member_entered"),
        ]
        constraints = [
            models.CheckConstraint(condition=ONE_RECORD, name="segments_member_one_record"),
            models.UniqueConstraint(
                fields=["segment", "account"],
                condition=Q(account__isnull=False),
                name="segments_member_account_unique",
            ),
            models.UniqueConstraint(
                fields=["segment", "contact"],
                condition=Q(contact__isnull=False),
                name="segments_member_contact_unique",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.record_id} in {self.segment_id}"

    @property
    def record_id(self) -> int:
        """Return the key of the account or contact."""
        return self.account_id or self.contact_id  # type: ignore[return-value]


class SegmentOverride(models.Model):
    """A record put in or kept out by hand, with the reason; it survives every rebuild."""

    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="overrides")
    account = models.ForeignKey(
        "accounts.Account", null=True, blank=True, on_delete=models.CASCADE, related_name="segment_overrides"
    )
    contact = models.ForeignKey(
        "accounts.Contact", null=True, blank=True, on_delete=models.CASCADE, related_name="segment_overrides"
    )
    mode = models.CharField(max_length=10, choices=OverrideMode.choices)
    reason = models.CharField(max_length=500)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["segment", "-id"]
        constraints = [
            models.CheckConstraint(condition=ONE_RECORD, name="segments_override_one_record"),
            models.CheckConstraint(condition=Q(mode__in=OverrideMode.values), name="segments_override_mode_known"),
            models.CheckConstraint(condition=~Q(reason=""), name="segments_override_reason_given"),
            models.UniqueConstraint(
                fields=["segment", "account"],
                condition=Q(account__isnull=False),
                name="segments_override_account_unique",
            ),
            models.UniqueConstraint(
                fields=["segment", "contact"],
                condition=Q(contact__isnull=False),
                name="segments_override_contact_unique",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_mode_display()}: {self.record_id} in {self.segment_id}"

    @property
    def record_id(self) -> int:
        """Return the key of the account or contact."""
        return self.account_id or self.contact_id  # type: ignore[return-value]
