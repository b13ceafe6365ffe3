"""The fields of contacts (GLOSSARY §3)."""

from accounts.choices import (
    BuyingRole,
    Channel,
    ContactLifecycle,
    ContentFormat,
    Deliverability,
    Department,
    LeadStatus,
    RiskAppetite,
    RoleGroup,
    Seniority,
)
from segmentation_crm.common.fields import Computed, FieldDef, ValueRows

from .making import DATA, DO, KNOW, NEED, PLACE, FieldMaker
from .places import COUNTRIES

C = FieldMaker("contact")


def _identity() -> list[FieldDef]:
    return [
        C.text("first_name", "First name", PLACE, "identity", personal=True),
        C.text("last_name", "Last name", PLACE, "identity", personal=True),
        C.text("email", "E-mail", PLACE, "identity", personal=True, phrase="e-mail address"),
        C.text("phone", "Phone", PLACE, "identity", personal=True),
        C.text("mobile", "Mobile", PLACE, "identity", personal=True, help="E.164, such as +4915112345678"),
        C.text("linkedin_url", "LinkedIn", PLACE, "identity", personal=True, phrase="LinkedIn address"),
        C.make("enum", "country", "Country", PLACE, "demographic", choices=COUNTRIES),
        C.make("enum", "nationality", "Nationality", PLACE, "demographic", choices=COUNTRIES, personal=True),
        C.text("language", "Language", PLACE, "demographic", help="BCP 47, such as pt-BR"),
        C.text("time_zone", "Time zone", PLACE, "demographic", help="Such as Europe/Berlin"),
        C.reference("owner", "Owner", KNOW, "identity", "user", empty="nobody"),
        C.multi(
            "tags",
            "Tags",
            DATA,
            "identity",
            item="reference",
            target="term:tag",
            source=ValueRows("tags", "term"),
            empty="none",
        ),
        C.reference("account", "Account", PLACE, "identity", "account", help="The primary account"),
        C.text("company_name_given", "Company as given", PLACE, "identity"),
    ]


def _work() -> list[FieldDef]:
    return [
        C.text("job_title", "Job title", KNOW, "buying_role", everyday=True),
        C.enum("seniority", "Seniority", KNOW, "buying_role", Seniority, everyday=True),
        C.enum("department", "Department", KNOW, "buying_role", Department, everyday=True),
        C.reference("persona", "Persona", KNOW, "buying_role", "persona"),
        C.multi(
            "buying_roles",
            "Buying roles",
            KNOW,
            "buying_role",
            item="enum",
            enumeration=BuyingRole,
            source=ValueRows("buying_roles"),
            everyday=True,
        ),
        C.multi(
            "role_group",
            "Groups of buying roles",
            KNOW,
            "buying_role",
            item="enum",
            enumeration=RoleGroup,
            source=Computed("role_groups", ("buying_roles",)),
            help="The groups that the buying roles belong to",
        ),
    ]


def _state() -> list[FieldDef]:
    stages = [
        C.datetime(
            f"became_{stage.value}_at",
            f"Became {stage.label if stage.label.isupper() else stage.label.lower()}",
            DO,
            "behavioural",
            phrase=f"date of becoming {stage.label if stage.label.isupper() else stage.label.lower()}",
            empty="not yet",
        )
        for stage in ContactLifecycle
    ]
    return [
        C.enum(
            "lifecycle_stage",
            "Lifecycle stage",
            DO,
            "behavioural",
            ContactLifecycle,
            history="lifecycle_stage",
            everyday=True,
        ),
        *stages,
        C.enum(
            "lead_status",
            "Lead status",
            DO,
            "behavioural",
            LeadStatus,
            history="lead_status",
            everyday=True,
        ),
        C.reference("reject_reason", "Reject reason", DO, "behavioural", "term:reject_reason", empty="none"),
        C.date("recycle_until", "Recycled until", DO, "behavioural", empty="not recycled"),
        C.datetime(
            "last_engaged_at",
            "Last engaged",
            DO,
            "behavioural",
            source=Computed("last_engaged_at"),
            everyday=True,
            wakes="sliver",
            phrase="last engagement",
            help="The latest inbound activity that is not suspected as bot",
        ),
        C.boolean(
            "engaged_90d",
            "Engaged in 90 days",
            DO,
            "behavioural",
            source=Computed("engaged_within", (90,)),
            everyday=True,
            wakes="sliver",
            phrase="{have} engaged in the last 90 days|{have} not engaged in the last 90 days",
            help="At least one inbound activity in the last 90 days, not suspected as bot",
        ),
    ]


def _reach() -> list[FieldDef]:
    return [
        C.enum("deliverability", "E-mail deliverability", DATA, "personal", Deliverability),
        C.boolean(
            "do_not_contact",
            "Do not contact",
            DATA,
            "personal",
            phrase="must not be contacted|may be contacted",
        ),
        C.multi(
            "consented_channels",
            "Channels with consent",
            DATA,
            "personal",
            item="enum",
            enumeration=Channel,
            source=Computed("consent_values", ("channel",)),
            help="Channels whose latest consent is granted",
        ),
        C.multi(
            "consented_topics",
            "Topics with consent",
            DATA,
            "personal",
            item="reference",
            target="term:consent_topic",
            source=Computed("consent_values", ("topic",)),
            help="Topics whose latest consent is granted",
        ),
        C.enum("preferred_channel", "Preferred channel", DO, "personal", Channel),
        C.enum("preferred_content_format", "Preferred content format", DO, "personal", ContentFormat),
    ]


def _person() -> list[FieldDef]:
    tags = [
        C.multi(
            name,
            label,
            NEED,
            "personal" if name in ("likes", "dislikes") else "psychographic",
            item="reference",
            target=f"term:{name}",
            source=ValueRows(name, "term"),
            personal=True,
        )
        for name, label in (
            ("likes", "Likes"),
            ("dislikes", "Dislikes"),
            ("attitudes", "Attitudes"),
            ("values", "Values"),
            ("beliefs", "Beliefs"),
            ("traits", "Traits"),
        )
    ]
    return [
        *tags,
        C.enum("risk_appetite", "Risk appetite", NEED, "psychographic", RiskAppetite, personal=True),
    ]


def _record() -> list[FieldDef]:
    return [
        C.percent("data_completeness_pct", "Data completeness", DATA, "identity"),
        C.multi(
            "external_id",
            "External ids",
            DATA,
            "identity",
            item="enum",
            source=Computed("external_ids"),
            help="Compared exactly",
        ),
        C.make("enum", "source", "Source system", DATA, "identity", help="The system the record came from"),
        C.datetime("created_at", "Created", DATA, "identity", phrase="creation date"),
        C.datetime("updated_at", "Last changed", DATA, "identity", phrase="last change"),
    ]


def fields() -> list[FieldDef]:
    """Return the fields of contacts, in the order of the dictionary."""
    return [*_identity(), *_work(), *_state(), *_reach(), *_person(), *_record()]
