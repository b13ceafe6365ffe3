"""Purchases, contracts and support cases from files."""

from collections.abc import Iterable, Sequence

from ...choices import Vocabulary
from ...models import Contract, Purchase, SupportCase
from ..drafts import Draft
from ..resolvers import Link, Lookup, OpenTerm
from ..targets import Currency, Target
from .base import ImportType, multiply
from .links import account_link, contact_link, opportunity_link, product_link


class Purchases(ImportType):
    """Purchase lines; by external id, else by the whole row."""

    key, label, model, record_type = "purchases", "Purchases", Purchase, "purchase"

    def declare(self) -> Iterable[Target]:
        yield account_link()
        yield contact_link(aliases=("contact_email", "contact_name", "contact_id"))
        yield opportunity_link()
        yield product_link(text_column="product_text")
        yield OpenTerm("category", Vocabulary.PRODUCT_CATEGORY, aliases=("product_category",))
        yield from self.plain(
            "order_number", "quantity", "unit_price", "discount", "amount", "cost", "ordered_at",
            order_number=("order", "order_id", "invoice", "invoice_no", "invoice_number"),
            quantity=("qty",),
            unit_price=("price",),
            amount=("total", "line_total", "value"),
            ordered_at=("order_date", "invoice_date", "date"),
        )  # fmt: skip
        yield Currency("amount_currency", aliases=("currency",))
        yield Currency("unit_price_currency")
        yield Currency("cost_currency")

    def prepare(self, drafts: Sequence[Draft], lookup: Lookup) -> None:
        for draft in drafts:
            columns = draft.columns
            if columns.get("amount_currency"):
                columns.setdefault("unit_price_currency", columns["amount_currency"])
            multiply(columns)


class Contracts(ImportType):
    """Contracts; by external id, else by the whole row."""

    key, label, model, record_type = "contracts", "Contracts", Contract, "contract"

    def declare(self) -> Iterable[Target]:
        yield account_link()
        yield product_link(text_column="product_text")
        yield Link("renewed_from", Contract, record_type="contract", names=("number",), is_later=True)
        yield from self.plain(
            "number", "starts_on", "ends_on", "mrr", "status",
            number=("contract_number", "contract"),
            starts_on=("start", "start_date"),
            ends_on=("end", "end_date"),
        )  # fmt: skip
        yield Currency("mrr_currency", aliases=("currency",))


class SupportCases(ImportType):
    """Support cases; by external id, else by the whole row."""

    key, label, model, record_type = "support_cases", "Support cases", SupportCase, "support_case"

    def declare(self) -> Iterable[Target]:
        yield account_link()
        yield contact_link()
        yield product_link()
        yield from self.plain(
            "subject", "opened_at", "closed_at", "hours", "cost", "severity", "satisfaction",
            subject=("title",),
            opened_at=("opened", "created", "created_at", "opened_on"),
            closed_at=("closed", "closed_on"),
            severity=("priority",),
            satisfaction=("csat",),
        )  # fmt: skip
        yield Currency("cost_currency", aliases=("currency",))
