"""The fields of an account's technologies (GLOSSARY §2)."""

from accounts.choices import SourceType, TechnologyStatus
from segmentation_crm.common.fields import Computed, FieldDef

from .making import DATA, USE, FieldMaker

T = FieldMaker("technology")


def fields() -> list[FieldDef]:
    """Return the fields of technologies."""
    return [
        T.reference("product", "Product", USE, "technographic", "technology_product"),
        T.reference("vendor", "Vendor", USE, "technographic", "vendor", source=Computed("via", ("product", "vendor"))),
        T.reference(
            "category",
            "Category",
            USE,
            "technographic",
            "term:technology_category",
            source=Computed("via", ("product", "category")),
        ),
        *(
            T.boolean(
                name,
                label,
                USE,
                "technographic",
                source=Computed("via", ("product", name)),
                phrase=f"{{be}} {words}|{{be}} not {words}",
            )
            for name, label, words in (
                ("is_cloud_provider", "Cloud provider", "of a cloud provider"),
                ("is_competitor", "Competitor", "of a competitor"),
                ("is_integration_partner", "Integration partner", "of an integration partner"),
            )
        ),
        T.enum("status", "Status", USE, "technographic", TechnologyStatus),
        T.date("first_seen", "First seen", USE, "technographic"),
        T.date("last_verified", "Last verified", USE, "technographic"),
        T.decimal("confidence", "Confidence", USE, "technographic", help="A fraction: 0 to 1"),
        T.enum("source_type", "Source type", USE, "technographic", SourceType),
        T.date("contract_ends", "Contract ends", USE, "technographic", phrase="end of the contract"),
        T.make("enum", "source", "Source system", DATA, "identity", help="The system the record came from"),
        T.datetime("created_at", "Created", DATA, "identity", phrase="creation date"),
        T.datetime("updated_at", "Last changed", DATA, "identity", phrase="last change"),
    ]
