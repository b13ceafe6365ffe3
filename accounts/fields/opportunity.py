"""The fields of opportunities, their line items and a contact's role in them (GLOSSARY §5)."""

from accounts.choices import BuyingRole, ForecastCategory, OpportunityType
from segmentation_crm.common.fields import Computed, FieldDef, ValueRows

from .making import DATA, DEAL, DO, KNOW, NEED, FieldMaker

O = FieldMaker("opportunity")  # noqa: E741
L = FieldMaker("line_item")


def contact_role() -> FieldDef:
    """Return the role that the contact of `contact.opportunities` plays in the opportunity."""
    return O.enum(
        "contact_role",
        "Role of the contact",
        KNOW,
        "buying_role",
        BuyingRole,
        source=Computed("through_values", ("role",)),
        phrase="role for this contact",
        help="What part the contact plays in this opportunity",
    )


def _deal() -> list[FieldDef]:
    return [
        O.text("name", "Name", DEAL, "opportunity"),
        O.reference("account", "Account", DEAL, "opportunity", "account"),
        O.reference("owner", "Owner", KNOW, "opportunity", "user", empty="nobody"),
        O.reference("pipeline", "Pipeline", DEAL, "opportunity", "pipeline"),
        O.reference("stage", "Stage", DEAL, "opportunity", "stage", history="stage"),
        *(
            O.boolean(
                f"is_{flag}",
                label,
                DEAL,
                "opportunity",
                source=Computed("via", ("stage", f"is_{flag}")),
                phrase=f"{{be}} {flag}|{{be}} not {flag}",
                help="By the stage's flag",
            )
            for flag, label in (("open", "Open"), ("won", "Won"), ("lost", "Lost"))
        ),
        O.enum("type", "Type", DEAL, "opportunity", OpportunityType),
        O.money("amount", "Amount", DEAL, "opportunity"),
        O.decimal("probability", "Probability", DEAL, "opportunity", help="A fraction: 0.25 = 25 %"),
        O.enum("forecast_category", "Forecast category", DEAL, "opportunity", ForecastCategory),
        O.text("next_step", "Next step", DEAL, "opportunity", empty="none"),
        O.date("next_step_due", "Next step due", DEAL, "opportunity", empty="none"),
        O.date("opened_on", "Opened", DEAL, "opportunity", phrase="opening date"),
        O.date("expected_close", "Expected close", DEAL, "opportunity"),
        O.date("champion_left_on", "Champion left on", DEAL, "opportunity", empty="never"),
        O.datetime("closed_at", "Closed", DEAL, "opportunity", phrase="closing date", empty="not yet"),
        O.datetime("stage_entered_at", "Stage entered", DEAL, "opportunity", phrase="entry into the stage"),
        O.reference("lost_reason", "Lost reason", DEAL, "opportunity", "term:lost_reason", empty="none"),
        O.multi(
            "objections",
            "Objections",
            NEED,
            "opportunity",
            item="reference",
            target="term:objection",
            source=ValueRows("objections", "term"),
        ),
        O.multi(
            "competitors",
            "Competitors",
            NEED,
            "opportunity",
            item="reference",
            target="term:competitor",
            source=ValueRows("competitors", "term"),
        ),
        O.tree("primary_need", "Primary need", NEED, "needs", "term:need"),
        O.reference("lead_source", "Lead source", DO, "campaign", "term:lead_source"),
        O.reference("campaign_first", "First campaign", DO, "campaign", "campaign"),
        O.reference("campaign_last", "Last campaign", DO, "campaign", "campaign"),
        O.reference("product", "Product", DEAL, "opportunity", "product"),
        O.text("product_text", "Product as imported", DEAL, "opportunity", help="The text that the file held"),
        O.multi(
            "external_id",
            "External ids",
            DATA,
            "identity",
            item="enum",
            source=Computed("external_ids"),
            help="Compared exactly",
        ),
        O.make("enum", "source", "Source system", DATA, "identity", help="The system the record came from"),
        O.datetime("created_at", "Created", DATA, "identity", phrase="creation date"),
        O.datetime("updated_at", "Last changed", DATA, "identity", phrase="last change"),
    ]


def _lines() -> list[FieldDef]:
    return [
        L.reference("product", "Product", DEAL, "opportunity", "product"),
        L.text("product_text", "Product as imported", DEAL, "opportunity"),
        L.decimal("quantity", "Quantity", DEAL, "opportunity"),
        L.money("unit_price", "Unit price", DEAL, "opportunity"),
        L.decimal("discount", "Discount", DEAL, "opportunity", help="A fraction: 0.1 = 10 %"),
        L.money("amount", "Amount", DEAL, "opportunity"),
    ]


def fields() -> list[FieldDef]:
    """Return the fields of opportunities and line items."""
    return [*_deal(), *_lines()]
