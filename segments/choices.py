"""Closed lists of the segments app."""

from django.db import models


class MemberType(models.TextChoices):
    """What a segment's members are."""

    ACCOUNT = "account", "Accounts"
    CONTACT = "contact", "Contacts"


class SegmentUse(models.TextChoices):
    """What a segment is for."""

    WORKING_LIST = "working_list", "Working list"
    STRATEGIC = "strategic", "Strategic segment"


class SegmentObjective(models.TextChoices):
    """What a strategic segment is to bring (GLOSSARY §6)."""

    LEAD_QUALITY = "lead_quality", "Better leads"
    CONVERSION = "conversion", "Higher conversion"
    HIGH_VALUE_ACCOUNTS = "high_value_accounts", "High-value accounts"
    PERSONALISATION = "personalisation", "Personalisation"
    NEW_MARKETS = "new_markets", "New markets"


class SegmentStatus(models.TextChoices):
    """Where a segment stands in its life."""

    DRAFT = "draft", "Draft"
    ACTIVE = "active", "Active"
    BROKEN = "broken", "Broken"
    ARCHIVED = "archived", "Archived"


class SegmentKind(models.TextChoices):
    """How members come in: by the rule, by hand, or by the rule once."""

    DYNAMIC = "dynamic", "Dynamic: follows its rule"
    STATIC = "static", "Static: kept by hand"
    SNAPSHOT = "snapshot", "Snapshot: the rule once, then fixed"


class OverrideMode(models.TextChoices):
    """What a manual override does to a record."""

    INCLUDE = "include", "Always in"
    EXCLUDE = "exclude", "Never in"


class RunCause(models.TextChoices):
    """Why a run changed the membership."""

    DATA = "data", "Changed records"
    TIME = "time", "Time passing"
    DEFINITION = "definition", "A changed rule"
    MANUAL = "manual", "By hand"
    REBUILD = "rebuild", "Rebuilt whole"
