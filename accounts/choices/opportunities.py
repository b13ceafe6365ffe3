"""Closed lists of opportunities, contracts, support and tasks."""

from django.db import models


class OpportunityType(models.TextChoices):
    """What kind of business the opportunity is."""

    NEW_BUSINESS = "new_business", "New business"
    EXPANSION = "expansion", "Expansion"
    CROSS_SELL = "cross_sell", "Cross-sell"
    RENEWAL = "renewal", "Renewal"


class ForecastCategory(models.TextChoices):
    """How sure the forecast is."""

    OMITTED = "omitted", "Omitted"
    PIPELINE = "pipeline", "Pipeline"
    BEST_CASE = "best_case", "Best case"
    COMMIT = "commit", "Commit"
    CLOSED = "closed", "Closed"


class Stance(models.TextChoices):
    """How a person stands to this purchase."""

    SUPPORTER = "supporter", "Supporter"
    NEUTRAL = "neutral", "Neutral"
    SCEPTIC = "sceptic", "Sceptic"
    OPPOSED = "opposed", "Opposed"


class ContractStatus(models.TextChoices):
    """Where a contract stands."""

    DRAFT = "draft", "Draft"
    ACTIVE = "active", "Active"
    RENEWED = "renewed", "Renewed"
    EXPIRED = "expired", "Expired"
    CANCELLED = "cancelled", "Cancelled"


class Severity(models.TextChoices):
    """How grave a support case is."""

    LOW = "low", "Low"
    MEDIUM = "medium", "Medium"
    HIGH = "high", "High"
    CRITICAL = "critical", "Critical"


class TaskType(models.TextChoices):
    """What is to be done."""

    CALL = "call", "Call"
    EMAIL = "email", "E-mail"
    MEETING = "meeting", "Meeting"
    FOLLOW_UP = "follow_up", "Follow-up"
    DEMO = "demo", "Demo"
    PROPOSAL = "proposal", "Proposal"
    OTHER = "other", "Other"
