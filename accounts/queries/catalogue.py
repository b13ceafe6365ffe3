"""Catalogues, vocabularies and definitions: every user who is logged in and active sees all of them."""

from typing import TypeVar

from django.db.models import Model, QuerySet

from segmentation_crm.common.access import AnyUser, visibility

from ..models import (
    CampaignRef,
    ContentItem,
    CustomField,
    ExchangeRate,
    IndustryCode,
    Persona,
    Pipeline,
    Product,
    RoleTemplate,
    Stage,
    TechnologyProduct,
    Term,
    Vendor,
)

M = TypeVar("M", bound=Model)


def _all_for(user: AnyUser, model: type[M]) -> "QuerySet[M]":
    rows = model._default_manager.all()
    return rows.none() if visibility(user).nothing else rows


def terms_visible_to(user: AnyUser) -> "QuerySet[Term]":
    """Return all terms of all vocabularies."""
    return _all_for(user, Term)


def industry_codes_visible_to(user: AnyUser) -> "QuerySet[IndustryCode]":
    """Return all SIC and NAICS codes."""
    return _all_for(user, IndustryCode)


def products_visible_to(user: AnyUser) -> "QuerySet[Product]":
    """Return all products."""
    return _all_for(user, Product)


def vendors_visible_to(user: AnyUser) -> "QuerySet[Vendor]":
    """Return all vendors."""
    return _all_for(user, Vendor)


def technology_products_visible_to(user: AnyUser) -> "QuerySet[TechnologyProduct]":
    """Return all technologies."""
    return _all_for(user, TechnologyProduct)


def pipelines_visible_to(user: AnyUser) -> "QuerySet[Pipeline]":
    """Return all pipelines."""
    return _all_for(user, Pipeline)


def stages_visible_to(user: AnyUser) -> "QuerySet[Stage]":
    """Return all stages."""
    return _all_for(user, Stage)


def personas_visible_to(user: AnyUser) -> "QuerySet[Persona]":
    """Return all personas."""
    return _all_for(user, Persona)


def content_visible_to(user: AnyUser) -> "QuerySet[ContentItem]":
    """Return all content items."""
    return _all_for(user, ContentItem)


def campaign_refs_visible_to(user: AnyUser) -> "QuerySet[CampaignRef]":
    """Return all campaigns that records refer to."""
    return _all_for(user, CampaignRef)


def custom_fields_visible_to(user: AnyUser) -> "QuerySet[CustomField]":
    """Return all definitions of custom fields."""
    return _all_for(user, CustomField)


def exchange_rates_visible_to(user: AnyUser) -> "QuerySet[ExchangeRate]":
    """Return all exchange rates."""
    return _all_for(user, ExchangeRate)


def role_templates_visible_to(user: AnyUser) -> "QuerySet[RoleTemplate]":
    """Return all role templates."""
    return _all_for(user, RoleTemplate)
