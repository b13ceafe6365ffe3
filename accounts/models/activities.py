"""The event stream: activities, and the content and campaigns they refer to."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from segmentation_crm.common.folding import FoldedField

from ..choices import ActivityType, Channel, ContentFormat, Direction, Party
from .accounts import Account
from .columns import ImportedModel, closed, token, within
from .contacts import Contact
from .vocabularies import Term


class ContentItem(ImportedModel):
    """Something people read, watch or visit."""

    title = models.CharField(max_length=255)
    title_folded = FoldedField("title", max_length=500)
    format = token(ContentFormat)
    topics = models.ManyToManyField(
        Term, blank=True, related_name="content_items", limit_choices_to={"vocabulary": "topic"}
    )
    url = models.CharField(max_length=1000, blank=True, default="")
    url_folded = FoldedField("url", max_length=1000)

    class Meta:
        ordering = ["title"]
        constraints = [*closed("contentitem", format=ContentFormat)]
        indexes = [models.Index(fields=["title_folded"], name="accounts_contentitem_title")]

    def __str__(self) -> str:
        return self.title


class CampaignRef(ImportedModel):
    """The campaign that activities and opportunities point to; `campaigns.Campaign` is one-to-one with it."""

    name = models.CharField(max_length=200)
    name_folded = FoldedField("name", max_length=400)
    slug = models.SlugField(max_length=120, unique=True, allow_unicode=True)
    external_id = models.CharField(max_length=200, blank=True, default="")
    channel = token(Channel)

    class Meta:
        ordering = ["name"]
        constraints = [
            *closed("campaignref", channel=Channel),
            models.UniqueConstraint(fields=["name_folded"], name="accounts_campaignref_name_unique"),
            models.UniqueConstraint(
                fields=["source", "external_id"],
                condition=~Q(external_id=""),
                name="accounts_campaignref_external_unique",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Activity(ImportedModel):
    """One event: what happened, when, to whom.

    `account` is the account as resolved when it happened; a later job change does not move it. `contact` may be
    empty: intent of an account, an anonymous visit.
    """

    type = token(ActivityType)
    direction = token(Direction)
    occurred_at = models.DateTimeField()
    contact = models.ForeignKey(
        Contact, null=True, blank=True, on_delete=models.CASCADE, related_name="activities", db_index=False
    )
    account = models.ForeignKey(
        Account, null=True, blank=True, on_delete=models.SET_NULL, related_name="activities", db_index=False
    )
    opportunity = models.ForeignKey(
        "accounts.Opportunity",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="activities",
        db_index=False,
    )
    campaign = models.ForeignKey(
        CampaignRef, null=True, blank=True, on_delete=models.PROTECT, related_name="activities", db_index=False
    )
    content = models.ForeignKey(
        ContentItem, null=True, blank=True, on_delete=models.PROTECT, related_name="activities", db_index=False
    )
    topic = models.ForeignKey(
        Term,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        limit_choices_to={"vocabulary": "topic"},
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="activities",
        db_index=False,
        help_text="Who of us called, met or wrote",
    )
    channel = token(Channel)
    subject = models.CharField(max_length=255, blank=True, default="")
    subject_folded = FoldedField("subject", max_length=500)
    text = models.TextField(blank=True, default="")
    visitor_id = models.CharField(max_length=80, blank=True, default="")
    visitor_id_folded = FoldedField("visitor_id", max_length=160)
    url_path = models.CharField(max_length=1000, blank=True, default="")
    url_path_folded = FoldedField("url_path", max_length=1000)
    entry_page = models.CharField(max_length=1000, blank=True, default="")
    entry_page_folded = FoldedField("entry_page", max_length=1000)
    referrer = models.CharField(max_length=1000, blank=True, default="")
    referrer_folded = FoldedField("referrer", max_length=1000)
    utm_source = models.CharField(max_length=200, blank=True, default="")
    utm_source_folded = FoldedField("utm_source", max_length=400)
    utm_medium = models.CharField(max_length=200, blank=True, default="")
    utm_medium_folded = FoldedField("utm_medium", max_length=400)
    utm_campaign = models.CharField(max_length=200, blank=True, default="")
    utm_campaign_folded = FoldedField("utm_campaign", max_length=400)
    utm_term = models.CharField(max_length=200, blank=True, default="")
    utm_term_folded = FoldedField("utm_term", max_length=400)
    utm_content = models.CharField(max_length=200, blank=True, default="")
    utm_content_folded = FoldedField("utm_content", max_length=400)
    duration_s = models.PositiveIntegerField(null=True, blank=True)
    value = models.DecimalField(max_digits=20, decimal_places=4, null=True, blank=True)
    provider = models.CharField(max_length=120, blank=True, default="", help_text="Who reported the intent")
    provider_folded = FoldedField("provider", max_length=240)
    party = token(Party)
    intent_score = models.DecimalField(max_digits=7, decimal_places=3, null=True, blank=True)
    baseline = models.DecimalField(max_digits=7, decimal_places=3, null=True, blank=True)
    nps = models.PositiveSmallIntegerField(null=True, blank=True)
    bot_suspected = models.BooleanField(default=False)

    class Meta:
        ordering = ["-occurred_at", "-id"]
        verbose_name_plural = "activities"
        constraints = [
            *closed("activity", direction=Direction, channel=Channel, party=Party),
            models.CheckConstraint(
                condition=Q(type__in=ActivityType.values),
                name="accounts_activity_type_known",
                violation_error_message="type must be one of the activity types of the data dictionary.",
            ),
            *within("activity", 0, 100, "intent_score", "baseline"),
            *within("activity", 0, 10, "nps"),
        ]
        indexes = [
            models.Index(fields=["contact", "type", "occurred_at"], name="accounts_activity_contact_type"),
            models.Index(fields=["account", "type", "occurred_at"], name="accounts_activity_account_type"),
            models.Index(fields=["contact", "occurred_at"], name="accounts_activity_contact_at"),
            models.Index(fields=["account", "occurred_at"], name="accounts_activity_account_at"),
            # Whose the rows are stands at the end of both: rules over a window of time read the index alone.
            models.Index(fields=["type", "occurred_at", "contact", "account"], name="accounts_activity_type_whose"),
            # … and the list, newest first, finds what one sees of it without reading the rows between.
            models.Index(
                fields=["occurred_at", "id", "contact", "account", "opportunity", "user"],
                name="accounts_activity_at_seen",
            ),
            # Who engaged with an account, and how many.
            models.Index(
                fields=["account", "occurred_at", "type", "contact"],
                condition=Q(bot_suspected=False, direction=Direction.INBOUND),
                name="accounts_activity_engaged",
            ),
            models.Index(
                fields=["opportunity", "occurred_at"],
                condition=Q(opportunity__isnull=False),
                name="accounts_activity_opportunity",
            ),
            models.Index(
                fields=["campaign", "occurred_at"],
                condition=Q(campaign__isnull=False),
                name="accounts_activity_campaign",
            ),
            models.Index(fields=["content"], condition=Q(content__isnull=False), name="accounts_activity_content"),
            models.Index(fields=["topic"], condition=Q(topic__isnull=False), name="accounts_activity_topic"),
            models.Index(fields=["user"], condition=Q(user__isnull=False), name="accounts_activity_user"),
            models.Index(fields=["visitor_id"], condition=~Q(visitor_id=""), name="accounts_activity_visitor"),
        ]

    def __str__(self) -> str:
        return f"{self.get_type_display()} {self.occurred_at:%Y-%m-%d %H:%M}"
