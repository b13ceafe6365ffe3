"""What all records of the story refer to: words, products, technologies, content, campaigns, stages."""

from typing import Any

from django.db import models
from django.utils.text import slugify

from accounts.choices import Vocabulary
from accounts.models import (
    CampaignRef,
    ContentItem,
    IndustryCode,
    Pipeline,
    Product,
    Stage,
    TechnologyProduct,
    Term,
    Vendor,
)
from accounts.queries import resolve_term
from accounts.services.vocabularies import add_term
from segmentation_crm.common.folding import fold
from segmentation_crm.common.models import User

from . import words

SOURCE = "demo story"


class NoPipeline(Exception):
    """The story needs a default pipeline with open stages, a won and a lost one."""


class Catalogue:
    """The words and things of the story; what was missing is made, `made_terms` lists the new words' keys."""

    def __init__(self, reps: list[User]) -> None:
        self.reps = reps
        self.made_terms: list[int] = []
        self.industries = {key: self.term(Vocabulary.INDUSTRY, name) for key, name in words.INDUSTRIES.items()}
        self.regions: dict[str, Term] = {}
        for slug, name, above in words.REGIONS:
            self.regions[slug] = self.term(Vocabulary.SALES_REGION, name, self.regions.get(above))
        self.needs = {name: self.term(Vocabulary.NEED, name) for name in words.NEEDS}
        self.topics = {name: self._topic(name, need) for name, need in words.TOPICS}
        self.lost_reasons = self.terms(Vocabulary.LOST_REASON, words.LOST_REASONS)
        self.objections = self.terms(Vocabulary.OBJECTION, words.OBJECTIONS)
        self.competitors = self.terms(Vocabulary.COMPETITOR, words.COMPETITORS)
        self.triggers = self.terms(Vocabulary.TRIGGER, words.TRIGGERS)
        self.lead_sources = {name: self.term(Vocabulary.LEAD_SOURCE, name) for name, _, _ in words.LEAD_SOURCES}
        self.churn_reasons = self.terms(Vocabulary.CHURN_REASON, words.CHURN_REASONS)
        self.reject_reasons = self.terms(Vocabulary.REJECT_REASON, words.REJECT_REASONS)
        self.tags = self.terms(Vocabulary.TAG, words.TAGS)
        self.likes = self.terms(Vocabulary.LIKES, words.LIKES)
        self.attitudes = self.terms(Vocabulary.ATTITUDES, words.ATTITUDES)
        self.consent_topics = self.terms(Vocabulary.CONSENT_TOPIC, words.CONSENT_TOPICS)
        self.products = {name: self._product(name, price, kind) for name, price, kind in words.PRODUCTS}
        self.technologies = [self._technology(*row) for row in words.TECHNOLOGIES]
        codes = IndustryCode.objects.filter(system="sic", code__in=sum(words.SIC_OF.values(), ()))
        self.sic = {code.code: code for code in codes}
        self.campaigns = {name: _named(CampaignRef, name, channel=channel) for name, channel in words.CAMPAIGNS}
        self.content = [self._content(*row) for row in words.CONTENT]
        self.open_stages, self.won, self.lost = _stages()

    def term(self, vocabulary: Vocabulary, name: str, parent: Term | None = None) -> Term:
        """Return the word of this name, made where it is missing (up to 3 queries)."""
        found = resolve_term(vocabulary, name)
        if found is None:
            found = add_term(vocabulary, name, parent=parent)
            self.made_terms.append(found.pk)
        return found

    def terms(self, vocabulary: Vocabulary, names: tuple[str, ...]) -> list[Term]:
        """Return the words of these names."""
        return [self.term(vocabulary, name) for name in names]

    def _topic(self, name: str, need: str) -> Term:
        topic = self.term(Vocabulary.TOPIC, name)
        if need and topic.pk in self.made_terms:
            topic.need = self.needs[need]
            topic.save()
        return topic

    def _product(self, name: str, price: int, category: str) -> Product:
        kind = self.term(Vocabulary.PRODUCT_CATEGORY, category)
        return _named(Product, name, list_price=price, category=kind)

    def _technology(
        self, name: str, vendor: str, category: str, cloud: bool, competitor: bool, partner: bool
    ) -> TechnologyProduct:
        return _named(
            TechnologyProduct,
            name,
            vendor=_named(Vendor, vendor, is_competitor=competitor),
            category=self.term(Vocabulary.TECHNOLOGY_CATEGORY, category),
            is_cloud_provider=cloud,
            is_competitor=competitor,
            is_integration_partner=partner,
        )

    def _content(self, title: str, format_: str, url: str, topic: str) -> tuple[ContentItem, Term]:
        item = ContentItem.objects.filter(title=title, source=SOURCE).first()
        if item is None:
            item = ContentItem.objects.create(title=title, format=format_, url=url, source=SOURCE)
            item.topics.add(self.topics[topic])
        return item, self.topics[topic]


def _named(model: type[models.Model], name: str, **values: Any) -> Any:
    """Return the entry of this name, made as one of the story where it is missing."""
    found = model._default_manager.filter(name_folded=fold(name)).first()
    if found is not None:
        return found
    slug = slugify(name)
    if model._default_manager.filter(slug=slug).exists():
        slug = f"{slug}-demo"
    return model._default_manager.create(name=name, slug=slug, source=SOURCE, **values)


def _stages() -> tuple[list[Stage], Stage, Stage]:
    pipeline = Pipeline.objects.filter(is_default=True).first()
    stages = list(Stage.objects.filter(pipeline=pipeline, is_active=True).order_by("position"))
    open_ = [stage for stage in stages if stage.is_open]
    won = next((stage for stage in stages if stage.is_won), None)
    lost = next((stage for stage in stages if stage.is_lost), None)
    if not open_ or won is None or lost is None:
        raise NoPipeline("The demo story needs a default pipeline with open stages, a won and a lost one.")
    return open_, won, lost
