"""The links that several types share."""

from typing import Any

from segmentation_crm.common.models import User

from ...choices import CatalogueKind
from ...models import (
    Account,
    CampaignRef,
    Contact,
    ContentItem,
    Opportunity,
    Persona,
    Product,
    TechnologyProduct,
    Vendor,
)
from ..resolvers import Entry, Link, UserLink


def account_link(key: str = "account", **options: Any) -> Link:
    """Return a link to an account."""
    options.setdefault("aliases", ("company", "account_name", "company_name", "customer", "customer_id", "account_id"))
    return Link(key, Account, record_type="account", unique=("domain",), **options)


def contact_link(key: str = "contact", **options: Any) -> Link:
    """Return a link to a contact."""
    options.setdefault("aliases", ("contact_email", "email", "contact_name", "contact_id", "person"))
    return Link(key, Contact, record_type="contact", unique=("email",), names=("first_name", "last_name"), **options)


def opportunity_link(key: str = "opportunity", **options: Any) -> Link:
    """Return a link to an opportunity."""
    options.setdefault("aliases", ("deal", "opportunity_name", "opportunity_id", "deal_id"))
    return Link(key, Opportunity, record_type="opportunity", **options)


def product_link(key: str = "product", **options: Any) -> Link:
    """Return a link to a product; the text stays in `product_text`."""
    options.setdefault("aliases", ("product_name", "product_id", "item"))
    return Link(key, Product, record_type="product", unique=("sku",), alias_kind=CatalogueKind.PRODUCT, **options)


def campaign_link(key: str = "campaign", **options: Any) -> Link:
    """Return a link to a campaign."""
    return Link(
        key, CampaignRef, record_type="campaign", unique=("external_id",), alias_kind=CatalogueKind.CAMPAIGN, **options
    )


def content_link(key: str = "content", **options: Any) -> Link:
    """Return a link to a content item, by its address or title."""
    return Link(key, ContentItem, record_type="content", unique=("url",), names=("title",), **options)


def user_link(key: str = "owner", **options: Any) -> UserLink:
    """Return a link to a user."""
    options.setdefault("aliases", ("owner_name", "sales_agent", "sales_rep", "account_owner", "ownerid", "owner_id"))
    return UserLink(
        key, User, record_type="user", unique=("email", "username"), names=("first_name", "last_name"), **options
    )


def persona_entry(key: str = "persona") -> Entry:
    """Return a persona; an unknown one is added."""
    return Entry(key, Persona, CatalogueKind.PERSONA)


def vendor_entry(key: str = "vendor") -> Entry:
    """Return a vendor of technologies; an unknown one is added."""
    return Entry(key, Vendor, CatalogueKind.VENDOR, aliases=("vendor_name", "manufacturer"))


def technology_entry(key: str = "product") -> Entry:
    """Return a technology; an unknown one is added."""
    return Entry(
        key,
        TechnologyProduct,
        CatalogueKind.TECHNOLOGY_PRODUCT,
        aliases=("technology", "technology_name", "product_name", "tool"),
    )
