"""Who uses a term, catalogue entry or custom field: rows that refer to it, and rules that name it."""

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.urls import reverse

from segmentation_crm.common.extensions import rule_users

from ..choices import CatalogueKind
from ..models import CustomField, Opportunity, Stage, Term, TermAlias
from .custom_fields import VALUE_MODELS

# Counting stops here: whether 10,000 or a million rows use a word changes no decision.
MAX_COUNTED = 10_000


@dataclass(frozen=True)
class Use:
    """One kind of use: how many rows (None: a named user such as a segment), more: at least so many, its address."""

    label: str
    count: int | None = None
    more: bool = False
    url: str = ""


def uses_of(entry: models.Model) -> list[Use]:
    """Return what refers to a term or catalogue entry, and the rules that name it (1 query a kind of row)."""
    found = []
    relations: list[Any] = list(type(entry)._meta.get_fields(include_hidden=True))
    for relation in relations:
        if not (relation.auto_created and not relation.concrete and (relation.one_to_many or relation.one_to_one)):
            continue
        model, name = relation.related_model, relation.field.name
        if model is TermAlias or model._meta.proxy:
            continue
        count = model._base_manager.filter(**{name: entry.pk}).order_by()[: MAX_COUNTED + 1].count()
        if count:
            label = _label(model, relation.field, entry)
            url = _address(model, name, entry)
            found.append(Use(label, min(count, MAX_COUNTED), count > MAX_COUNTED, url))
    return sorted(found, key=lambda use: -(use.count or 0)) + named_in_rules(target_of(entry), str(entry.pk))


def uses_of_field(field: CustomField) -> list[Use]:
    """Return how many records hold a value of the custom field, and the rules that name it (2 queries and more)."""
    rows = VALUE_MODELS[field.record]._default_manager.filter(definition=field)
    count = rows.order_by()[: MAX_COUNTED + 1].count()
    found = [Use("Values on records", min(count, MAX_COUNTED), count > MAX_COUNTED)] if count else []
    return found + named_in_rules("custom", f"{field.record}.custom.{field.key}")


def named_in_rules(kind: str, key: str) -> list[Use]:
    """Return the segments and views whose rules name the thing."""
    return [Use(name, url=url) for provider in rule_users for name, url in provider(kind, key)]


def target_of(entry: models.Model) -> str:
    """Return how rules call what the entry is: "term:tag", "stage", "technology_product"."""
    if isinstance(entry, Term):
        return f"term:{entry.vocabulary}"
    kinds = {"Product": "product", "Vendor": "vendor", "TechnologyProduct": "technology_product"}
    return kinds.get(type(entry).__name__) or {
        "Pipeline": "pipeline",
        "Stage": "stage",
        "Persona": "persona",
        "CampaignRef": "campaign",
    }.get(type(entry).__name__, "")


def refuse_used(entry: models.Model) -> None:
    """Let only what nobody uses be deleted.

    Raises ValidationError naming the uses.
    """
    uses = uses_of(entry)
    if uses:
        raise ValidationError(f"“{entry}” is used: {in_words(uses)}. Merge it into another, or deactivate it.")


def in_words(uses: list[Use]) -> str:
    """Return the uses as one line."""
    return ", ".join(use.label if use.count is None else f"{use.label} {use.count:,}" for use in uses[:8])


def _label(model: type[models.Model], field: Any, entry: models.Model) -> str:
    if isinstance(entry, Term) and model is Term:
        return "Terms below it" if field.name == "parent" else "Topics that hint at it"
    if model is Opportunity:
        return "Deals" if field.name in ("stage", "pipeline") else f"Deals ({field.verbose_name})"
    name = str(model._meta.verbose_name_plural)
    name = name[:1].upper() + name[1:]
    return name if str(field.verbose_name) in name.lower() or field.name == "term" else f"{name} ({field.verbose_name})"


def _address(model: type[models.Model], name: str, entry: Any) -> str:
    if model is Opportunity and name in ("stage", "pipeline", "product"):
        return f"{reverse('accounts:opportunity_list')}?{name}={entry.slug}"
    if model is Stage:
        return reverse("accounts:settings_pipeline", args=[entry.pk])
    if model is Term and name == "parent":
        return f"{reverse('accounts:settings_vocabulary', args=[entry.vocabulary])}?under={entry.pk}"
    return ""


MERGEABLE = (
    CatalogueKind.PRODUCT,
    CatalogueKind.VENDOR,
    CatalogueKind.TECHNOLOGY_PRODUCT,
    CatalogueKind.PERSONA,
    CatalogueKind.CAMPAIGN,
)
