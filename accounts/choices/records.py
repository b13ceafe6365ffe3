"""Closed lists that span records: their types, vocabularies, code systems, sources."""

from django.db import models


class RecordType(models.TextChoices):
    """Kinds of record, as external ids, history and provenance name them."""

    ACCOUNT = "account", "Account"
    CONTACT = "contact", "Contact"
    OPPORTUNITY = "opportunity", "Opportunity"
    ACTIVITY = "activity", "Activity"
    PRODUCT = "product", "Product"
    PURCHASE = "purchase", "Purchase"
    CONTRACT = "contract", "Contract"
    SUPPORT_CASE = "support_case", "Support case"
    TECHNOLOGY = "technology", "Technology"
    NEED = "need", "Need"
    LINE_ITEM = "line_item", "Line item"
    CONTACT_ROLE = "contact_role", "Contact role"
    CONTACT_ACCOUNT = "contact_account", "Contact account"
    SURVEY_ANSWER = "survey_answer", "Survey answer"
    CONSENT = "consent", "Consent"
    CONTENT = "content", "Content"
    CAMPAIGN = "campaign", "Campaign"
    TASK = "task", "Task"
    NOTE = "note", "Note"
    USER = "user", "User"


class MemberRecord(models.TextChoices):
    """Kinds of record that carry custom fields."""

    ACCOUNT = "account", "Account"
    CONTACT = "contact", "Contact"
    OPPORTUNITY = "opportunity", "Opportunity"


class Vocabulary(models.TextChoices):
    """The open vocabularies; the first five are trees."""

    INDUSTRY = "industry", "Industry"
    SALES_REGION = "sales_region", "Sales region"
    NEED = "need", "Need"
    TOPIC = "topic", "Topic"
    PRODUCT_CATEGORY = "product_category", "Product category"
    TECHNOLOGY_CATEGORY = "technology_category", "Technology category"
    PRODUCT_APPLICATION = "product_application", "Product application"
    OPERATING_TRAIT = "operating_trait", "Operating trait"
    TAG = "tag", "Tag"
    CHURN_REASON = "churn_reason", "Churn reason"
    REJECT_REASON = "reject_reason", "Reject reason"
    LOST_REASON = "lost_reason", "Lost reason"
    TRIGGER = "trigger", "Buying trigger"
    OBJECTION = "objection", "Objection"
    COMPETITOR = "competitor", "Competitor"
    LEAD_SOURCE = "lead_source", "Lead source"
    CONSENT_TOPIC = "consent_topic", "Consent topic"
    LIKES = "likes", "Likes"
    DISLIKES = "dislikes", "Dislikes"
    ATTITUDES = "attitudes", "Attitudes"
    VALUES = "values", "Values"
    BELIEFS = "beliefs", "Beliefs"
    TRAITS = "traits", "Traits"


class CatalogueKind(models.TextChoices):
    """Catalogues whose entries users add, rename and merge."""

    PRODUCT = "product", "Product"
    VENDOR = "vendor", "Vendor"
    TECHNOLOGY_PRODUCT = "technology_product", "Technology product"
    PIPELINE = "pipeline", "Pipeline"
    STAGE = "stage", "Stage"
    PERSONA = "persona", "Persona"
    CAMPAIGN = "campaign", "Campaign"


class CodeSystem(models.TextChoices):
    """Public classifications of industries."""

    SIC = "sic", "SIC 1987"
    NAICS = "naics", "NAICS 2022"


class CustomFieldType(models.TextChoices):
    """Types of custom fields."""

    TEXT = "text", "Text"
    ENUM = "enum", "Choice"
    INTEGER = "integer", "Integer"
    DECIMAL = "decimal", "Decimal"
    PERCENT = "percent", "Percent"
    MONEY = "money", "Money"
    BOOLEAN = "boolean", "Boolean"
    DATE = "date", "Date"
    DATETIME = "datetime", "Date and time"
    MULTI = "multi", "Several choices"


class SourceType(models.TextChoices):
    """Whether we asked ourselves or read it elsewhere."""

    PRIMARY = "primary", "Primary"
    SECONDARY = "secondary", "Secondary"


class SourceKind(models.TextChoices):
    """By what means a value became known."""

    SURVEY = "survey", "Survey"
    INTERVIEW = "interview", "Interview"
    FOCUS_GROUP = "focus_group", "Focus group"
    FEEDBACK_FORM = "feedback_form", "Feedback form"
    REVIEW = "review", "Review"
    TESTIMONIAL = "testimonial", "Testimonial"
    CASE_STUDY = "case_study", "Case study"
    REPORT = "report", "Report"
    RESEARCH = "research", "Research"
    TRADE_PRESS = "trade_press", "Trade press"
    DATABASE = "database", "Database"
    WEBSITE = "website", "Website"
    SOCIAL = "social", "Social"


TREE_VOCABULARIES = frozenset(
    {
        Vocabulary.INDUSTRY,
        Vocabulary.SALES_REGION,
        Vocabulary.NEED,
        Vocabulary.TOPIC,
        Vocabulary.PRODUCT_CATEGORY,
    }
)


class EvidenceKind(models.TextChoices):
    """What was heard; each kind is a vocabulary of the same name."""

    NEED = "need", "Need"
    TRIGGER = "trigger", "Buying trigger"
    OBJECTION = "objection", "Objection"
    COMPETITOR = "competitor", "Competitor"


class ChangeAction(models.TextChoices):
    """What an act did to a record."""

    CREATED = "created", "Created"
    UPDATED = "updated", "Changed"
    DELETED = "deleted", "Deleted"
    RESTORED = "restored", "Restored"
    MERGED = "merged", "Merged"
    UNMERGED = "unmerged", "Merge undone"
    UNDONE = "undone", "Change undone"
    ERASED = "erased", "Erased"


class ChangeVia(models.TextChoices):
    """By which way an act came."""

    PAGE = "page", "a page"
    API = "api", "the API"
    ADMIN = "admin", "the admin"
    IMPORT = "import", "an import"
    BULK = "bulk", "a bulk edit"
    SYSTEM = "system", "the system"
