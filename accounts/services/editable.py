"""Which rule fields of a record a person fills in on its page: what other apps may suggest to change."""

from .changes import MODELS

# As the edit pages offer them; a test compares. Custom fields are editable too.
EDITABLE: dict[str, frozenset[str]] = {
    "account": frozenset(
        [
            "name",
            "domain",
            "website",
            "account_type",
            "lifecycle_stage",
            "industry",
            "sales_region",
            "sic_code",
            "naics_code",
            "employee_count",
            "founded_year",
            "annual_revenue",
            "ownership",
            "growth_stage",
            "parent_account",
            "street",
            "postal_code",
            "city",
            "country",
            "subdivision",
            "phone",
            "purchasing_policy",
            "purchase_centralisation",
            "relationship",
            "urgency",
            "owner",
            "sdr",
            "tier",
            "sophistication",
            "do_not_contact",
            "tags",
        ]
    ),
    "contact": frozenset(
        [
            "first_name",
            "last_name",
            "email",
            "phone",
            "mobile",
            "account",
            "company_name_given",
            "job_title",
            "seniority",
            "department",
            "persona",
            "country",
            "language",
            "linkedin_url",
            "lifecycle_stage",
            "lead_status",
            "owner",
            "preferred_channel",
            "do_not_contact",
            "buying_roles",
            "tags",
        ]
    ),
}


def is_editable(record_type: str, name: str) -> bool:
    """Tell whether a field of a record, custom fields as custom.<key>, is filled in on the record's page."""
    return record_type in MODELS and (name in EDITABLE.get(record_type, ()) or name.startswith("custom."))


__all__ = ["EDITABLE", "is_editable"]
