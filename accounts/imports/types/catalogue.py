"""Products, and the technologies that accounts use, from files."""

from collections.abc import Iterable, Sequence

from ...choices import Vocabulary
from ...models import AccountTechnology, Need, Product, TechnologyProduct
from ...services.money import RateBook
from ..drafts import Draft
from ..resolvers import Lookup, OpenTerm, free_slug
from ..targets import Boolean, Currency, Target
from .base import ImportType
from .links import account_link, contact_link, technology_entry, vendor_entry

_TECHNOLOGY_COLUMNS = ("vendor_id", "category_id", "is_cloud_provider", "is_competitor", "is_integration_partner")


class Products(ImportType):
    """What we sell; by external id, SKU or name."""

    key, label, model, record_type = "products", "Products", Product, "product"
    keys = (("external_id",), ("sku",), ("name",))
    required = ("name",)

    def declare(self) -> Iterable[Target]:
        yield from self.plain(
            "name", "sku", "list_price", "is_active",
            name=("product", "product_name", "productname"),
            sku=("product_code", "article_number", "item_number"),
            list_price=("price", "sales_price", "unit_price"),
            is_active=("active",),
        )  # fmt: skip
        yield Currency("list_price_currency", aliases=("currency",))
        yield OpenTerm(
            "category", Vocabulary.PRODUCT_CATEGORY, aliases=("series", "product_category", "product_family")
        )

    def new_record(self, draft: Draft, book: RateBook) -> Product:
        return Product(slug=free_slug(Product.objects.all(), draft.columns["name"]))


class Technologies(ImportType):
    """Which technologies accounts use; by account and technology."""

    key, label, model, record_type = "technologies", "Technologies", AccountTechnology, "technology"
    keys = (("account", "product"),)
    required = ("account_id", "product_id")

    def declare(self) -> Iterable[Target]:
        yield account_link()
        yield technology_entry()
        yield vendor_entry()
        yield OpenTerm("category", Vocabulary.TECHNOLOGY_CATEGORY, aliases=("technology_category", "categories"))
        for name in ("is_cloud_provider", "is_competitor", "is_integration_partner"):
            yield Boolean(name)
        yield from self.plain(
            "status", "first_seen", "last_verified", "confidence", "contract_ends", "source_type",
            first_seen=("first_detected",), last_verified=("last_seen", "last_detected"),
        )  # fmt: skip

    def prepare(self, drafts: Sequence[Draft], lookup: Lookup) -> None:
        """Move what describes the technology itself to its catalogue entry, where that lacks it."""
        wanted: dict[int, dict] = {}
        for draft in drafts:
            found = {name: draft.columns.pop(name) for name in _TECHNOLOGY_COLUMNS if name in draft.columns}
            if found and draft.columns.get("product_id"):
                entry = wanted.setdefault(draft.columns["product_id"], {})
                for name, value in found.items():
                    entry.setdefault(name, value)
        if not wanted:
            return
        changed = []
        for product in TechnologyProduct.objects.filter(pk__in=wanted):
            before = [getattr(product, name) for name in _TECHNOLOGY_COLUMNS]
            for name, value in wanted[product.pk].items():
                if not getattr(product, name):
                    setattr(product, name, value)
            if before != [getattr(product, name) for name in _TECHNOLOGY_COLUMNS]:
                changed.append(product)
        TechnologyProduct.objects.bulk_update(changed, list(_TECHNOLOGY_COLUMNS))


class Needs(ImportType):
    """Needs of accounts or contacts; by owner and need."""

    key, label, model, record_type = "needs", "Needs", Need, "need"
    keys = (("account", "contact", "need"), ("account", "need"), ("contact", "need"))
    required = ("need_id",)

    def declare(self) -> Iterable[Target]:
        yield account_link()
        yield contact_link()
        yield OpenTerm("need", Vocabulary.NEED, aliases=("need_name", "pain_point", "challenge"))
        yield from self.plain(
            "kind", "priority", "evidence", "source_type", "confidence", "confirmed_on", "rejected_on",
            kind=("type",),
        )  # fmt: skip

    def prepare(self, drafts: Sequence[Draft], lookup: Lookup) -> None:
        """A row that names both is about the contact."""
        for draft in drafts:
            if draft.columns.get("contact_id"):
                draft.columns["account_id"] = None
            elif not draft.columns.get("account_id"):
                draft.reject("account", "missing_key", "A need belongs to a known account or contact.")
