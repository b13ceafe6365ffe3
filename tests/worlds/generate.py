"""A world from the registry: every declared field gets values, so that a new field is covered by its declaration."""

import datetime as dt
import random
from typing import Any

from django.db import models as dj

from accounts import models
from accounts.choices import Vocabulary
from accounts.models import Term
from segmentation_crm.common.fields import Column, FieldDef, ValueRows, registry
from segmentation_crm.common.models import Organisation
from tests import factories

from . import pools
from .pools import AS_OF
from .satellites import add_satellites

SIZES = {
    "account": 40,
    "contact": 50,
    "opportunity": 50,
    "activity": 160,
    "technology": 60,
    "need": 60,
    "purchase": 80,
    "contract": 50,
    "support_case": 50,
    "survey_answer": 50,
    "line_item": 60,
}
TREES = (Vocabulary.INDUSTRY, Vocabulary.SALES_REGION, Vocabulary.NEED, Vocabulary.TOPIC, Vocabulary.PRODUCT_CATEGORY)
# Columns whose range the database keeps, by name.
RANGES: dict[str, list[Any]] = {
    "founded_year": [None, None, 1, 1899, 1999, 2000, 2020, 2024],
    "nps": [None, None, 0, 6, 7, 8, 9, 10],
    "intent_score": [None, 0, 1, 50, 51, 99, 100],
    "baseline": [None, 0, 1, 50, 51, 99, 100],
    "priority": [None, 1, 2, 3, 4, 5],
    "satisfaction": [None, None, 0, 1, 3, 7, 10],
    "data_completeness_pct": pools.PERCENTS,
    "status": ["in_use", "evaluating", "phasing_out", "former", ""],
}


class Generator:
    """Fills the tables; the same seed gives the same world."""

    def __init__(self, seed: int, size: float = 1.0) -> None:
        self.random = random.Random(seed)
        self.size = size
        self.known: dict[Any, list[int]] = {}

    def build(self) -> None:
        """Make catalogues first, then each record, then what hangs on them."""
        settings = Organisation.current()
        settings.time_zone, settings.fiscal_year_start_month = "America/New_York", 4
        settings.save()
        self.catalogues()
        for prefix in SIZES:
            self.records(prefix)
        add_satellites(self)

    def count(self, prefix: str) -> int:
        """Return how many records of a kind to make."""
        return max(6, int(SIZES[prefix] * self.size))

    def catalogues(self) -> None:
        """Make users, terms (trees three levels deep), stages, products and the rest of what records point to."""
        for vocabulary in Vocabulary:
            parent = None
            for number in range(6):
                term = factories.TermFactory(
                    vocabulary=vocabulary, name=f"{vocabulary} {number}", slug=f"{vocabulary}-{number}", parent=parent
                )
                parent = term if vocabulary in TREES and number in (0, 1, 3) else parent
                if number == 2:
                    parent = None
        pipeline = factories.PipelineFactory()
        for slug, flags in (("new", {}), ("talks", {}), ("won", {"is_won": True}), ("lost", {"is_lost": True})):
            factories.StageFactory(pipeline=pipeline, name=slug, slug=slug, **flags)
        factories.UserFactory.create_batch(3)
        vendor = factories.VendorFactory()
        for number in range(6):
            factories.TechnologyProductFactory(
                vendor=vendor if number % 2 else None,
                category=self.pick_term(Vocabulary.TECHNOLOGY_CATEGORY) if number % 3 else None,
                is_cloud_provider=number in (0, 1),
                is_competitor=number in (1, 2),
                is_integration_partner=number == 3,
            )
        for factory in (factories.ProductFactory, factories.PersonaFactory, factories.CampaignRefFactory):
            factory.create_batch(3)
        for format_ in ("", "video", "webinar", "article"):
            factories.ContentItemFactory(format=format_)

    def pick_term(self, vocabulary: str) -> Any:
        """Return a term of a vocabulary."""
        return self.random.choice(list(Term.objects.filter(vocabulary=vocabulary).order_by("pk")))

    # --- records ---
    def records(self, prefix: str) -> None:
        """Make the records of one kind, every column that a field reads filled at random."""
        record = registry.records[prefix]
        model = self.model(record.model)
        made = [self.one(model, prefix, number) for number in range(self.count(prefix))]
        model._default_manager.bulk_create(made)
        if prefix == "account":
            for account in made:
                if self.random.random() < 0.4:
                    parent = self.random.choice(made)
                    account.parent_account = parent if parent.pk != account.pk else None
                    account.ultimate_parent = self.random.choice(made)
            models.Account.objects.bulk_update(made, ["parent_account", "ultimate_parent"])
        if prefix == "contract":
            for contract in made[::3]:
                contract.renewed_from = self.random.choice(made)
            models.Contract.objects.bulk_update(made, ["renewed_from"])
        if any(f.name == "updated_at" for f in model._meta.fields):
            for number, row in enumerate(made):
                later = AS_OF + dt.timedelta(hours=1)
                row.updated_at = later if number % 5 == 0 else self.random.choice([*pools.PAST_MOMENTS, AS_OF])
            model._default_manager.bulk_update(made, ["updated_at"])
        for definition in registry.fields(prefix, custom=False):
            if isinstance(definition.source, ValueRows):
                self.value_rows(prefix, definition, made)

    def model(self, label: str) -> Any:
        """Return a model by label."""
        from django.apps import apps

        return apps.get_model(label)

    def one(self, model: Any, prefix: str, number: int) -> Any:
        """Return one unsaved record."""
        values: dict[str, Any] = {}
        for definition in registry.fields(prefix, custom=False):
            if isinstance(definition.source, Column):
                values.update(self.column(model, definition, definition.source.name))
        values.update(self.owners(prefix))
        values.update(self.unique(prefix, number))
        if prefix == "activity":
            values["type"] = values.get("type") or "call"
            values["occurred_at"] = values.get("occurred_at") or self.random.choice(pools.PAST_MOMENTS)
        for name in ("created_at", "updated_at"):
            if name in values and values[name] is None:
                values[name] = self.random.choice(pools.PAST_MOMENTS)
        for first, last in (("starts_on", "ends_on"), ("opened_at", "closed_at"), ("first_seen", "last_verified")):
            if values.get(first) and values.get(last) and values[first] > values[last]:
                values[first], values[last] = values[last], values[first]
        if prefix in ("account", "contact", "opportunity") and self.random.random() < 0.12:
            values["deleted_at"] = AS_OF
        if prefix == "contact" and self.random.random() < 0.05:
            values["erased_at"] = AS_OF
        if prefix == "opportunity" and number % 9 == 4:
            # Live deals of an account not known yet, whatever the seed makes of the rest.
            values.update(account_id=None, deleted_at=None)
        return model(**values)

    def column(self, model: Any, definition: FieldDef, name: str) -> dict[str, Any]:
        """Return random values for the columns behind one field."""
        field = model._meta.get_field(name)
        if field.generated or name in ("parent_account", "ultimate_parent", "renewed_from"):
            return {}
        choose = self.random.choice
        if self.random.random() < 0.12:
            return {}
        if name in RANGES and not field.is_relation and definition.type != "enum":
            return {name: choose(RANGES[name])}
        match definition.type:
            case "text":
                text = choose(pools.TEXTS)
                return {name: text[: field.max_length]}
            case "enum":
                tokens = [c.value for c in self.some(definition.choices)] or ["crm", "erp", "Ä-System"]
                return {name: choose(["", *tokens])}
            case "reference" | "tree":
                found = self.keys(field.related_model, definition.target)
                return {f"{name}_id": choose([*found, *([None] * (2 if field.null else 0))])}
            case "boolean":
                return {name: choose([True, False, *([None] if field.null else [])])}
            case "date":
                return {name: choose([choose(pools.DATES), choose(pools.DATES), None])}
            case "datetime":
                return {name: choose([choose(pools.MOMENTS), choose(pools.MOMENTS), None])}
            case "money":
                amount = choose(pools.DECIMALS)
                return {name: amount, f"{name}_reporting": amount and amount * choose([1, 2])}
            case "integer":
                small = isinstance(field, dj.PositiveSmallIntegerField | dj.SmallIntegerField)
                return {name: choose([n for n in pools.INTEGERS if not small or n is None or n < 30_000])}
        if isinstance(field, dj.DecimalField) and field.max_digits - field.decimal_places == 1:
            return {name: choose(pools.FRACTIONS)}
        pool = pools.PERCENTS if definition.type == "percent" else pools.DECIMALS
        limit = 10 ** (field.max_digits - field.decimal_places) if isinstance(field, dj.DecimalField) else 10**9
        return {name: choose([n for n in pool if n is None or abs(n) < limit])}

    def some(self, choices: Any) -> Any:
        """Return at most six choices, so that values repeat."""
        return choices[:6]

    def keys(self, model: Any, target: str) -> list[int]:
        """Return some keys that a reference may hold."""
        if (model, target) not in self.known:
            self.known[model, target] = self.read_keys(model, target)
        return self.known[model, target]

    def read_keys(self, model: Any, target: str) -> list[int]:
        """Return the first keys of a catalogue, a vocabulary or a classification."""
        rows = model._base_manager.order_by("pk")
        if target.startswith("term:"):
            rows = rows.filter(vocabulary=target.removeprefix("term:"))
        if target.startswith("code:"):
            rows = rows.filter(system=target.removeprefix("code:"))
            return self.code_keys(rows)
        return list(rows.values_list("pk", flat=True)[:40])

    def code_keys(self, rows: Any) -> list[int]:
        """Return a few codes of each level under two tops, so that `under` finds some and misses some."""
        if not rows.exists():
            system = rows.query.where.children[0].rhs
            for code, path, parent in (
                ("A", "/A/", None),
                ("A1", "/A/A1/", "A"),
                ("A11", "/A/A1/A11/", "A1"),
                ("B", "/B/", None),
            ):
                top = rows.filter(code=parent).first() if parent else None
                factories.IndustryCodeFactory(system=system, code=code, path=path, parent=top)
        tops = list(rows.filter(parent=None).order_by("pk")[:2])
        found = []
        for top in tops:
            found += list(rows.filter(path__startswith=top.path).order_by("path").values_list("pk", flat=True)[:4])
        return found

    def owners(self, prefix: str) -> dict[str, Any]:
        """Return the records that a record hangs on."""
        choose = self.random.choice
        accounts, contacts = self.pk(models.Account), self.pk(models.Contact)
        opportunities = self.pk(models.Opportunity)
        match prefix:
            case "contact" | "opportunity":
                return {"account_id": choose([*accounts, None, None])}
            case "activity":
                return {
                    "contact_id": choose([*contacts, None, None, None]),
                    "account_id": choose([*accounts, None, None, None]),
                    "opportunity_id": choose([*opportunities, None, None]),
                }
            case "technology" | "purchase" | "contract" | "support_case":
                return {"account_id": choose(accounts)}
            case "survey_answer":
                return {"account_id": choose(accounts), "contact_id": choose([*contacts, None])}
            case "line_item":
                return {"opportunity_id": choose(opportunities)}
        return {}

    def pk(self, model: Any) -> list[int]:
        """Return the keys of a table's rows."""
        found = self.known.get(model)
        if not found:
            found = self.known[model] = list(model._base_manager.order_by("pk").values_list("pk", flat=True))
        return found

    def unique(self, prefix: str, number: int) -> dict[str, Any]:
        """Return what must not repeat, and pairs that the database wants different."""
        if prefix == "account":
            return {
                "domain": self.random.choice(["", f"d{number}.example", f"Ümläut{number}.example"]),
                "name": (self.random.choice(pools.TEXTS) or f"Account {number}"),
            }
        if prefix == "contact":
            return {"email": self.random.choice(["", f"c{number}@d.example", f"C{number}@Straße.example"])}
        if prefix == "need":
            needs = self.keys(Term, "term:need")
            on_account = number % 2 == 0
            owners = self.pk(models.Account if on_account else models.Contact)
            owner, need = (
                owners[number // 2 % len(owners)],
                needs[(number // 2 // len(owners) + number // 2) % len(needs)],
            )
            return {
                "account_id": owner if on_account else None,
                "contact_id": None if on_account else owner,
                "need_id": need,
            }
        if prefix == "technology":
            accounts, products = self.pk(models.Account), self.pk(models.TechnologyProduct)
            return {
                "account_id": accounts[number % (len(accounts) // 2)],
                "product_id": products[
                    (number // (len(accounts) // 2) + number % (len(accounts) // 2)) % len(products)
                ],
            }
        return {}

    def value_rows(self, prefix: str, definition: FieldDef, records: list[Any]) -> None:
        """Give each record none, one or several values of a multi field."""
        assert isinstance(definition.source, ValueRows)
        model = {
            "account": models.AccountValue,
            "contact": models.ContactValue,
            "opportunity": models.OpportunityValue,
        }[prefix]
        if definition.source.kind == "token":
            name, values = (
                "token",
                [c.value for c in definition.choices[:5]] or ["de", "en-gb", "fr", "strasse.example"],
            )
        else:
            name = f"{definition.source.kind}_id"
            target = models.IndustryCode if definition.source.kind == "code" else Term
            values = self.keys(target, definition.target)
        rows = []
        for record in records:
            for value in self.random.sample(values, min(len(values), self.random.choice([0, 0, 1, 2, 3]))):
                rows.append(model(**{prefix: record, "field": definition.source.field, name: value}))
        model._default_manager.bulk_create(rows)


def build_world(seed: int = 1, size: float = 1.0) -> None:
    """Fill the database with a world: the same seed, the same world."""
    Generator(seed, size).build()
