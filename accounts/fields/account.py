"""The fields of accounts (GLOSSARY §1)."""

from accounts.choices import (
    AccountLifecycle,
    AccountType,
    BuyingCriterion,
    CompanyType,
    DigitalMediaUse,
    EmployeeBand,
    GrowthStage,
    Month,
    Ownership,
    PowerCentre,
    PurchaseCentralisation,
    PurchasingPolicy,
    Relationship,
    RevenueBand,
    Scope,
    SizeClass,
    Sophistication,
    Tier,
    TierSource,
    Urgency,
)
from segmentation_crm.common.fields import Computed, FieldDef, RelatedValues, ValueRows

from .making import BUY, DATA, DO, KNOW, NEED, PLACE, USE, WHO, FieldMaker
from .places import COUNTRIES, SUBDIVISIONS

A = FieldMaker("account")
# Technologies that an account has today: in use, being phased out, or of unknown status.
CURRENT = ("status__in", ("in_use", "phasing_out", ""))


def _identity() -> list[FieldDef]:
    return [
        A.text("name", "Name", PLACE, "identity"),
        A.text("legal_name", "Legal name", PLACE, "identity"),
        A.text("registration_number", "Registration number", PLACE, "identity"),
        A.text("domain", "Web domain", PLACE, "identity", help="Lower case, without www: example.com"),
        A.multi(
            "email_domains",
            "E-mail domains",
            PLACE,
            "identity",
            item="text",
            source=ValueRows("email_domains"),
            help="Domains of the addresses of its people",
        ),
        A.text("website", "Website", PLACE, "identity"),
        A.text("phone", "Phone", PLACE, "identity"),
        A.text("street", "Street", PLACE, "demographic"),
        A.text("postal_code", "Postal code", PLACE, "demographic"),
        A.text("city", "City", PLACE, "demographic"),
        A.make(
            "enum",
            "subdivision",
            "State or province",
            PLACE,
            "demographic",
            choices=SUBDIVISIONS,
            help="ISO 3166-2, such as US-CA",
        ),
        A.make(
            "enum",
            "country",
            "Country",
            WHO,
            "demographic",
            choices=COUNTRIES,
            everyday=True,
            help="ISO 3166-1, such as DE",
        ),
        A.tree("sales_region", "Sales region", WHO, "demographic", "term:sales_region", everyday=True),
        A.enum("account_type", "Account type", WHO, "identity", AccountType, everyday=True),
        A.reference("owner", "Owner", KNOW, "identity", "user", everyday=True, empty="nobody"),
        A.reference("sdr", "SDR", KNOW, "identity", "user", help="Sales development representative", empty="nobody"),
        A.multi(
            "tags",
            "Tags",
            DATA,
            "identity",
            item="reference",
            target="term:tag",
            source=ValueRows("tags", "term"),
            empty="none",
        ),
        A.multi("languages", "Languages", WHO, "demographic", item="text", source=ValueRows("languages")),
        A.multi(
            "end_user_languages",
            "Languages of its end users",
            WHO,
            "demographic",
            item="text",
            source=ValueRows("end_user_languages"),
        ),
        A.multi(
            "end_user_countries",
            "Countries of its end users",
            WHO,
            "demographic",
            item="enum",
            choices=COUNTRIES,
            source=ValueRows("end_user_countries"),
        ),
        A.enum("scope", "Geographic scope", WHO, "demographic", Scope),
    ]


def _firmographic() -> list[FieldDef]:
    return [
        A.tree("industry", "Industry", WHO, "firmographic", "term:industry", everyday=True),
        A.tree("sic_code", "SIC code", WHO, "firmographic", "code:sic", phrase="SIC code"),
        A.multi(
            "sic_codes_secondary",
            "Secondary SIC codes",
            WHO,
            "firmographic",
            item="tree",
            target="code:sic",
            source=ValueRows("sic_codes_secondary", "code"),
        ),
        A.tree("naics_code", "NAICS code", WHO, "firmographic", "code:naics", phrase="NAICS code"),
        A.multi(
            "naics_codes_secondary",
            "Secondary NAICS codes",
            WHO,
            "firmographic",
            item="tree",
            target="code:naics",
            source=ValueRows("naics_codes_secondary", "code"),
        ),
        A.integer("employee_count", "Employees", WHO, "firmographic", everyday=True, unit="employees"),
        A.enum(
            "employee_band",
            "Employee band",
            WHO,
            "firmographic",
            EmployeeBand,
            help="From the number of employees where it is known, else as stated",
        ),
        A.money("annual_revenue", "Annual revenue", WHO, "firmographic", everyday=True),
        A.enum(
            "revenue_band",
            "Revenue band",
            WHO,
            "firmographic",
            RevenueBand,
            help="From the annual revenue where it is known, else as stated",
        ),
        A.enum(
            "size_class",
            "Size class",
            WHO,
            "firmographic",
            SizeClass,
            help="From the number of employees, by the limits of the settings",
        ),
        A.enum("company_type", "Company type", WHO, "firmographic", CompanyType),
        A.integer("founded_year", "Founded in", WHO, "firmographic", phrase="founding year"),
        A.integer(
            "age_years",
            "Age in years",
            WHO,
            "firmographic",
            source=Computed("years_since", ("founded_year",)),
            wakes="daily",
            phrase="age in years",
        ),
        A.enum("growth_stage", "Growth stage", WHO, "firmographic", GrowthStage, everyday=True),
        A.percent("employee_growth_12m", "Employee growth, 12 months", WHO, "firmographic"),
        A.percent("revenue_growth_12m", "Revenue growth, 12 months", WHO, "firmographic"),
        A.enum("ownership", "Ownership", WHO, "firmographic", Ownership, everyday=True),
        A.reference("parent_account", "Parent account", WHO, "firmographic", "account", empty="none"),
        A.reference("ultimate_parent", "Ultimate parent", WHO, "firmographic", "account"),
        A.integer(
            "group_employee_count",
            "Employees of the group",
            WHO,
            "firmographic",
        ),
        A.money("group_revenue", "Revenue of the group", WHO, "firmographic"),
        A.boolean(
            "is_hierarchy_root",
            "Top of its group",
            WHO,
            "firmographic",
            phrase="{be} the top of {their} group|{be} not the top of {their} group",
        ),
    ]


def _purchase_approach() -> list[FieldDef]:
    return [
        A.enum("purchasing_policy", "Purchasing policy", BUY, "purchase", PurchasingPolicy),
        A.enum(
            "purchase_centralisation",
            "Centralisation of purchasing",
            BUY,
            "purchase",
            PurchaseCentralisation,
        ),
        A.multi(
            "buying_criteria",
            "Buying criteria",
            BUY,
            "purchase",
            item="enum",
            enumeration=BuyingCriterion,
            source=ValueRows("buying_criteria"),
        ),
        A.enum("relationship", "Buyer–seller relationship", BUY, "purchase", Relationship),
        A.enum("power_centre", "Power centre", BUY, "purchase", PowerCentre),
        A.multi(
            "product_application",
            "Product application",
            BUY,
            "situational",
            item="reference",
            target="term:product_application",
            source=ValueRows("product_application", "term"),
        ),
        A.money("typical_order_size", "Typical order size", BUY, "situational"),
        A.enum("urgency", "Urgency", BUY, "situational", Urgency),
        A.multi(
            "seasonality",
            "Buying months",
            BUY,
            "situational",
            item="enum",
            enumeration=Month,
            source=ValueRows("seasonality"),
        ),
        A.enum("digital_media_use", "Use of digital media", DO, "situational", DigitalMediaUse),
        A.multi(
            "operating_traits",
            "Operating traits",
            DO,
            "situational",
            item="reference",
            target="term:operating_trait",
            source=ValueRows("operating_traits", "term"),
        ),
    ]


def _state() -> list[FieldDef]:
    stages = [
        A.datetime(
            f"became_{stage.value}_at",
            f"Became {stage.label if stage.label.isupper() else stage.label.lower()}",
            DO,
            "behavioural",
            phrase=f"date of becoming {stage.label if stage.label.isupper() else stage.label.lower()}",
            empty="not yet",
        )
        for stage in AccountLifecycle
    ]
    return [
        A.enum(
            "lifecycle_stage",
            "Lifecycle stage",
            DO,
            "behavioural",
            AccountLifecycle,
            history="lifecycle_stage",
            everyday=True,
        ),
        *stages,
        A.date("customer_since", "Customer since", DO, "behavioural", everyday=True, phrase="first day as customer"),
        A.date("churned_on", "Churned on", DO, "behavioural", phrase="churn date", empty="never"),
        A.reference("churn_reason", "Churn reason", DO, "behavioural", "term:churn_reason", empty="none"),
        A.enum("tier", "Tier", WHO, "tier", Tier, history="tier", everyday=True),
        A.enum("tier_source", "Tier set by", WHO, "tier", TierSource),
        A.enum("sophistication", "Sophistication", NEED, "sophistication", Sophistication),
        A.boolean(
            "do_not_contact",
            "Do not contact",
            DATA,
            "personal",
            phrase="must not be contacted|may be contacted",
        ),
        A.datetime(
            "last_engaged_at",
            "Last engaged",
            DO,
            "behavioural",
            source=Computed("last_engaged_at"),
            everyday=True,
            wakes="sliver",
            phrase="last engagement",
            help="Its latest inbound activity that is not suspected as bot",
        ),
        A.boolean(
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


def _technology() -> list[FieldDef]:
    def shortcut(name: str, label: str, *where: tuple[str, object], everyday: bool = False) -> FieldDef:
        return A.multi(
            name,
            label,
            USE,
            "technographic",
            item="reference",
            target="technology_product",
            source=RelatedValues("account.technologies", "product_id", (CURRENT, *where)),
            everyday=everyday,
            help="Products of its technologies, those merely evaluated or given up left out",
        )

    return [
        shortcut("technology_names", "Technologies", everyday=True),
        shortcut("cloud_providers", "Cloud providers", ("product__is_cloud_provider", True), everyday=True),
        shortcut("competing_products", "Competing products", ("product__is_competitor", True), everyday=True),
        shortcut("integration_ecosystem", "Integration ecosystem", ("product__is_integration_partner", True)),
        A.integer(
            "tech_count",
            "Number of technologies",
            USE,
            "technographic",
            source=Computed("count_values", ("account.technology_names",)),
            help="Different products in use; 0 where none is known",
        ),
    ]


def _record() -> list[FieldDef]:
    return [
        A.percent("data_completeness_pct", "Data completeness", DATA, "identity"),
        A.multi(
            "external_id",
            "External ids",
            DATA,
            "identity",
            item="enum",
            source=Computed("external_ids"),
            help="Compared exactly",
        ),
        A.make("enum", "source", "Source system", DATA, "identity", help="The system the record came from"),
        A.datetime("created_at", "Created", DATA, "identity", phrase="creation date"),
        A.datetime("updated_at", "Last changed", DATA, "identity", phrase="last change"),
    ]


def fields() -> list[FieldDef]:
    """Return the fields of accounts, in the order of the dictionary."""
    return [
        *_identity(),
        *_firmographic(),
        *_technology(),
        *_state(),
        *_purchase_approach(),
        *_record(),
    ]


__all__ = ["CURRENT", "fields"]
