"""Closed lists of activities, content and channels."""

from django.db import models


class ActivityType(models.TextChoices):
    """What happened."""

    PAGE_VIEW = "page_view", "Page view"
    CONTENT_VIEW = "content_view", "Content view"
    CONTENT_DOWNLOAD = "content_download", "Content download"
    FORM_SUBMIT = "form_submit", "Form submit"
    EMAIL_SENT = "email_sent", "E-mail sent"
    EMAIL_DELIVERED = "email_delivered", "E-mail delivered"
    EMAIL_OPEN = "email_open", "E-mail open"
    EMAIL_CLICK = "email_click", "E-mail click"
    EMAIL_REPLY = "email_reply", "E-mail reply"
    EMAIL_BOUNCE = "email_bounce", "E-mail bounce"
    UNSUBSCRIBE = "unsubscribe", "Unsubscribe"
    WEBINAR_REGISTERED = "webinar_registered", "Webinar registered"
    WEBINAR_ATTENDED = "webinar_attended", "Webinar attended"
    EVENT_REGISTERED = "event_registered", "Event registered"
    EVENT_ATTENDED = "event_attended", "Event attended"
    AD_CLICK = "ad_click", "Ad click"
    MEETING = "meeting", "Meeting"
    CALL = "call", "Call"
    DEMO = "demo", "Demo"
    PRODUCT_LOGIN = "product_login", "Product login"
    FEATURE_USED = "feature_used", "Feature used"
    SUPPORT_CONTACT = "support_contact", "Support contact"
    SURVEY_RESPONSE = "survey_response", "Survey response"
    REVIEW = "review", "Review"
    INTENT_SURGE = "intent_surge", "Intent surge"


class Direction(models.TextChoices):
    """From whom it came."""

    INBOUND = "inbound", "Inbound"
    OUTBOUND = "outbound", "Outbound"
    SYSTEM = "system", "System"


class Channel(models.TextChoices):
    """The channels of campaigns and activities."""

    EMAIL = "email", "E-mail"
    PAID_SEARCH = "paid_search", "Paid search"
    PAID_SOCIAL = "paid_social", "Paid social"
    DISPLAY = "display", "Display"
    ORGANIC_SEARCH = "organic_search", "Organic search"
    ORGANIC_SOCIAL = "organic_social", "Organic social"
    EVENT = "event", "Event"
    WEBINAR = "webinar", "Webinar"
    PHONE = "phone", "Phone"
    DIRECT_MAIL = "direct_mail", "Direct mail"
    PARTNER = "partner", "Partner"
    REFERRAL = "referral", "Referral"


class ContentFormat(models.TextChoices):
    """The form of a content item."""

    ARTICLE = "article", "Article"
    WHITEPAPER = "whitepaper", "Whitepaper"
    CASE_STUDY = "case_study", "Case study"
    VIDEO = "video", "Video"
    WEBINAR = "webinar", "Webinar"
    DEMO = "demo", "Demo"
    CALCULATOR = "calculator", "Calculator"
    EVENT = "event", "Event"


class Party(models.TextChoices):
    """Whose observation an intent signal is."""

    FIRST = "first", "First party"
    THIRD = "third", "Third party"


# Never a sign of engagement, whatever the direction says; opens count only by a switch of the reader.
ENGAGED_EXCLUDED_TYPES = (
    ActivityType.EMAIL_SENT,
    ActivityType.EMAIL_DELIVERED,
    ActivityType.EMAIL_BOUNCE,
    ActivityType.UNSUBSCRIBE,
    ActivityType.EMAIL_OPEN,
)
