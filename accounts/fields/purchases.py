"""The fields of purchases, contracts and support cases (GLOSSARY §5)."""

from accounts.choices import ContractStatus, Severity
from segmentation_crm.common.fields import FieldDef

from .making import DATA, DEAL, DO, FieldMaker

P = FieldMaker("purchase")
K = FieldMaker("contract")
S = FieldMaker("support_case")


def _record(maker: FieldMaker) -> list[FieldDef]:
    return [
        maker.make("enum", "source", "Source system", DATA, "identity", help="The system the record came from"),
        maker.datetime("created_at", "Created", DATA, "identity", phrase="creation date"),
        maker.datetime("updated_at", "Last changed", DATA, "identity", phrase="last change"),
    ]


def _purchases() -> list[FieldDef]:
    return [
        P.text("order_number", "Order number", DEAL, "purchase"),
        P.reference("product", "Product", DEAL, "purchase", "product"),
        P.text("product_text", "Product as imported", DEAL, "purchase"),
        P.tree("category", "Product category", DEAL, "purchase", "term:product_category"),
        P.decimal("quantity", "Quantity", DEAL, "purchase"),
        P.money("unit_price", "Unit price", DEAL, "purchase"),
        P.decimal("discount", "Discount", DEAL, "purchase", help="A fraction: 0.1 = 10 %"),
        P.money("amount", "Amount", DEAL, "purchase"),
        P.money("cost", "Cost", DEAL, "value"),
        P.datetime("ordered_at", "Ordered", DEAL, "purchase", phrase="order date"),
        *_record(P),
    ]


def _contracts() -> list[FieldDef]:
    return [
        K.reference("product", "Product", DEAL, "value", "product"),
        K.date("starts_on", "Starts", DEAL, "value", phrase="start"),
        K.date("ends_on", "Ends", DEAL, "value", phrase="end"),
        K.money("mrr", "MRR", DEAL, "value", phrase="MRR", help="Monthly recurring revenue"),
        K.enum("status", "Status", DEAL, "value", ContractStatus),
        K.reference("renewed_from", "Renewed from", DEAL, "value", "contract"),
        *_record(K),
    ]


def _support() -> list[FieldDef]:
    return [
        S.datetime("opened_at", "Opened", DO, "value", phrase="opening date"),
        S.datetime("closed_at", "Closed", DO, "value", phrase="closing date"),
        S.decimal("hours", "Hours", DO, "value"),
        S.money("cost", "Cost", DO, "value"),
        S.enum("severity", "Severity", DO, "value", Severity),
        S.decimal("satisfaction", "Satisfaction", DO, "value"),
        *_record(S),
    ]


def fields() -> list[FieldDef]:
    """Return the fields of purchases, contracts and support cases."""
    return [*_purchases(), *_contracts(), *_support()]
