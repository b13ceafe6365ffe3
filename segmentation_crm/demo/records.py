"""The demo company's accounts, contacts, deals, purchases and activities, drawn from one seed."""

import random
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import models
from django.utils.text import slugify

from accounts.choices import Vocabulary
from accounts.models import (
    Account,
    AccountTechnology,
    Activity,
    CampaignRef,
    Contact,
    ContactValue,
    ContentItem,
    Contract,
    IndustryCode,
    Need,
    Opportunity,
    Pipeline,
    Product,
    Purchase,
    Stage,
    SupportCase,
    TechnologyProduct,
    Term,
    Vendor,
)
from accounts.services.accounts import fill_computed
from segmentation_crm.common.models import Role, Team, User

from . import words

SOURCE = "demo"
ACCOUNTS = 240


def named(model: type[models.Model], name: str, **values: Any) -> Any:
    """Return the record of this name, made as a demo record where it is missing."""
    found = model._default_manager.filter(name=name).first()
    return found or model._default_manager.create(name=name, slug=slugify(name), source=SOURCE, **values)


def term(vocabulary: Vocabulary, name: str) -> Term:
    """Return the term of this name, made where it is missing (terms stay when the demo goes)."""
    found = Term.objects.filter(vocabulary=vocabulary, name=name).first()
    return found or Term.objects.create(vocabulary=vocabulary, name=name, slug=slugify(name))


def sales_reps() -> list[User]:
    """Return the demo company's reps, made without password where they are missing."""
    team, _ = Team.objects.get_or_create(name=words.TEAM)
    reps = []
    for username, first_name, last_name in words.REPS:
        rep = User.objects.filter(username=username, external_source=SOURCE).first()
        if rep is None:
            rep = User(
                username=username, first_name=first_name, last_name=last_name, role=Role.SALES_REP, team=team,
                external_source=SOURCE, external_id=username,
            )  # fmt: skip
            rep.set_unusable_password()
            rep.save()
        reps.append(rep)
    return reps


class World:
    """What all records refer to: terms, products, technologies, stages, content."""

    def __init__(self) -> None:
        self.industries = {key: term(Vocabulary.INDUSTRY, name) for key, name in words.INDUSTRIES.items()}
        self.reps = sales_reps()
        self.needs = [term(Vocabulary.NEED, name) for name in words.NEEDS]
        self.lost_reasons = [term(Vocabulary.LOST_REASON, name) for name in words.LOST_REASONS]
        self.products = [named(Product, name, list_price=price) for name, price in words.PRODUCTS]
        self.technologies = [self._technology(*row) for row in words.TECHNOLOGIES]
        codes = IndustryCode.objects.filter(system="sic", code__in=sum(words.SIC_OF.values(), ()))
        self.sic = {code.code: code for code in codes}
        self.pipeline = Pipeline.objects.filter(is_default=True).first() or Pipeline.objects.create(
            name="Sales", slug="sales", is_default=True
        )
        self.open_stages, self.won, self.lost = self._stages()
        self.campaign = named(CampaignRef, "Spring planning webinar", channel="webinar")
        self.content = [
            ContentItem.objects.create(title=title, format=format_, url=url, source=SOURCE)
            for title, format_, url in words.CONTENT
        ]

    def _technology(
        self, name: str, vendor: str, category: str, cloud: bool, competitor: bool, partner: bool
    ) -> TechnologyProduct:
        return named(
            TechnologyProduct,
            name,
            vendor=named(Vendor, vendor, is_competitor=competitor),
            category=term(Vocabulary.TECHNOLOGY_CATEGORY, category),
            is_cloud_provider=cloud,
            is_competitor=competitor,
            is_integration_partner=partner,
        )

    def _stages(self) -> tuple[list[Stage], Stage, Stage]:
        stages = list(Stage.objects.filter(pipeline=self.pipeline).order_by("position"))
        by_flag = {
            "won": next((s for s in stages if s.is_won), None),
            "lost": next((s for s in stages if s.is_lost), None),
        }
        open_ = [s for s in stages if not s.is_won and not s.is_lost]
        if not open_:
            open_ = [
                Stage.objects.create(pipeline=self.pipeline, name=name, slug=slugify(name), position=n)
                for n, name in enumerate(("Discovery", "Proposal", "Negotiation"))
            ]
        won = by_flag["won"] or Stage.objects.create(
            pipeline=self.pipeline, name="Won", slug="won", position=90, is_won=True
        )
        lost = by_flag["lost"] or Stage.objects.create(
            pipeline=self.pipeline, name="Lost", slug="lost", position=91, is_lost=True
        )
        return open_, won, lost


def draw_account(rng: random.Random, world: World, number: int) -> Account:
    """Return one unsaved account; about one in eight facts is missing, as in life."""
    kind = rng.choice(list(words.COMPANY_TAILS))
    name = f"{rng.choice(words.COMPANY_HEADS)} {rng.choice(words.COMPANY_TAILS[kind])}"
    country, city = rng.choice(words.COUNTRIES)
    employees = int(rng.lognormvariate(5.6, 1.3)) + 3
    domain = f"{slugify(name)}-{number}.example"
    known = rng.random() > 0.12
    account = Account(
        name=name,
        domain=domain,
        website=f"https://{domain}",
        country=country,
        city=city,
        industry=world.industries[kind] if known else None,
        sic_code=world.sic.get(rng.choice(words.SIC_OF[kind])) if known else None,
        employee_count=employees if rng.random() > 0.1 else None,
        annual_revenue=Decimal(employees * rng.randint(90, 260) * 1000) if rng.random() > 0.3 else None,
        founded_year=rng.randint(1890, 2022) if rng.random() > 0.2 else None,
        ownership=rng.choice(("private", "private", "family", "public", "private_equity", "")),
        growth_stage=rng.choice(("early", "growth", "scale_up", "mature", "mature", "")),
        scope=rng.choice(("regional", "national", "multinational", "global", "")),
        sophistication=rng.choice(("problem_aware", "solution_aware", "product_aware", "")),
        lifecycle_stage=rng.choice(("target", "aware", "engaged")),
        owner=rng.choice(world.reps) if rng.random() > 0.15 else None,
        source=SOURCE,
    )
    account.annual_revenue_reporting = account.annual_revenue
    fill_computed(account)
    return account


def draw_contacts(rng: random.Random, account: Account) -> list[tuple[Contact, tuple[str, ...]]]:
    """Return unsaved people of an account with their buying roles."""
    people: list[tuple[Contact, tuple[str, ...]]] = []
    for number in range(rng.randint(1, 6)):
        title, seniority, department, roles = rng.choice(words.TITLES)
        first, last = rng.choice(words.FIRST_NAMES), rng.choice(words.LAST_NAMES)
        contact = Contact(
            first_name=first,
            last_name=last,
            email=f"{slugify(first)}.{slugify(last)}.{number}@{account.domain}",
            email_domain=account.domain,
            account=account,
            country=account.country,
            job_title=title,
            seniority=seniority,
            department=department,
            lifecycle_stage=rng.choice(("subscriber", "lead", "lead", "mql", "sql")),
            source=SOURCE,
        )
        people.append((contact, roles if rng.random() > 0.25 else ()))
    return people


def draw_deal(rng: random.Random, world: World, account: Account, now: datetime) -> Opportunity:
    """Return one unsaved deal; medium and large companies with an industry win more often."""
    opened = now - timedelta(days=rng.randint(5, 540))
    cycle = timedelta(days=rng.randint(15, 120))
    amount = Decimal(rng.randint(2, 60) * 500)
    product = rng.choice(world.products)
    deal = Opportunity(
        name=f"{account.name}: {product.name}",
        account=account,
        pipeline=world.pipeline,
        type="new_business",
        amount=amount,
        amount_reporting=amount,
        opened_on=opened.date(),
        owner=account.owner,
        product=product,
        source=SOURCE,
    )
    if opened + cycle < now:
        chance = 0.45 if (account.employee_count or 0) >= 200 else 0.2
        deal.stage = world.won if rng.random() < chance else world.lost
        deal.closed_at = deal.stage_entered_at = opened + cycle
        if deal.stage == world.lost:
            deal.lost_reason = rng.choice(world.lost_reasons)
    else:
        deal.stage = rng.choice(world.open_stages)
        deal.expected_close = (opened + cycle).date()
        deal.stage_entered_at = opened
    return deal


def draw_activities(rng: random.Random, world: World, contact: Contact, now: datetime) -> list[Activity]:
    """Return unsaved events of one person over the last year, denser of late for the interested."""
    kinds = ("email_sent", "email_open", "email_open", "email_click", "page_view", "page_view", "content_download")
    rare = ("webinar_attended", "meeting", "call", "demo", "form_submit", "email_reply")
    found = []
    for _ in range(int(rng.expovariate(1 / 7))):
        kind = rng.choice(kinds if rng.random() > 0.15 else rare)
        outbound = kind in ("email_sent", "call")
        found.append(
            Activity(
                type=kind,
                direction="outbound" if outbound else "inbound",
                occurred_at=now - timedelta(minutes=int(rng.triangular(10, 60 * 24 * 365, 60 * 24 * 10))),
                contact=contact,
                account=contact.account,
                content=rng.choice(world.content) if kind in ("content_download", "webinar_attended") else None,
                campaign=world.campaign if kind.startswith("webinar") else None,
                bot_suspected=kind in ("email_open", "email_click") and rng.random() < 0.05,
                source=SOURCE,
            )
        )
    return found


def load(rng: random.Random, now: datetime) -> None:
    """Create all demo records in a few dozen statements."""
    world = World()
    accounts = Account.objects.bulk_create(
        [draw_account(rng, world, number) for number in range(ACCOUNTS)], batch_size=100
    )
    drawn = [pair for account in accounts for pair in draw_contacts(rng, account)]
    contacts = Contact.objects.bulk_create([contact for contact, _ in drawn], batch_size=100)
    ContactValue.objects.bulk_create(
        [ContactValue(contact=contact, field="buying_roles", token=role) for contact, roles in drawn for role in roles],
        batch_size=500,
    )
    deals = [draw_deal(rng, world, a, now) for a in accounts for _ in range(rng.choice((0, 0, 1, 1, 2, 3)))]
    Opportunity.objects.bulk_create(deals, batch_size=100)
    activities = [activity for contact in contacts for activity in draw_activities(rng, world, contact, now)]
    Activity.objects.bulk_create(activities, batch_size=100)
    load_facts(rng, world, accounts)
    load_customers(rng, world, [d for d in deals if d.stage == world.won], now)


def load_facts(rng: random.Random, world: World, accounts: list[Account]) -> None:
    """Create the technologies and needs of accounts."""
    uses, needs = [], []
    for account in accounts:
        for technology in rng.sample(world.technologies, rng.randint(0, 4)):
            uses.append(
                AccountTechnology(
                    account=account,
                    product=technology,
                    status=rng.choice(("in_use", "in_use", "evaluating", "phasing_out")),
                    source=SOURCE,
                )
            )
        for need in rng.sample(world.needs, rng.choice((0, 1, 1, 2))):
            needs.append(
                Need(
                    account=account,
                    need=need,
                    kind="problem",
                    evidence="stated",
                    priority=rng.randint(1, 5),
                    source=SOURCE,
                )
            )
    AccountTechnology.objects.bulk_create(uses, batch_size=200)
    Need.objects.bulk_create(needs, batch_size=200)


def load_customers(rng: random.Random, world: World, won: list[Opportunity], now: datetime) -> None:
    """Turn accounts with a won deal into customers with a contract, purchases and support cases."""
    purchases, contracts, cases, customers = [], [], [], {}
    for deal in won:
        account, closed = deal.account, deal.closed_at
        assert account is not None
        assert closed is not None
        if account.pk not in customers:
            account.account_type, account.lifecycle_stage = "customer", "customer"
            account.customer_since, account.became_customer_at = closed.date(), closed
            customers[account.pk] = account
        mrr = Decimal(rng.randint(3, 40) * 100)
        contracts.append(
            Contract(
                account=account, product=deal.product, starts_on=closed.date(), mrr=mrr, mrr_reporting=mrr,
                ends_on=(closed + timedelta(days=365)).date(), status="active", source=SOURCE,
            )
        )  # fmt: skip
        for number in range(rng.randint(1, 4)):
            amount = Decimal(rng.randint(2, 30) * 250)
            purchases.append(
                Purchase(
                    account=account, order_number=f"D{deal.pk}-{number}", product=rng.choice(world.products),
                    quantity=1, unit_price=amount, unit_price_reporting=amount, amount=amount,
                    amount_reporting=amount, ordered_at=min(now, closed + timedelta(days=60 * number)), source=SOURCE,
                )
            )  # fmt: skip
        if rng.random() < 0.4:
            opened = min(now, closed + timedelta(days=rng.randint(10, 200)))
            cases.append(SupportCase(account=account, subject="Question about planning runs", opened_at=opened,
                                     hours=Decimal(rng.randint(1, 12)), severity="medium", source=SOURCE))  # fmt: skip
    Account.objects.bulk_update(
        customers.values(),
        ["account_type", "lifecycle_stage", "customer_since", "became_customer_at"],
        batch_size=100,
    )
    Contract.objects.bulk_create(contracts, batch_size=200)
    Purchase.objects.bulk_create(purchases, batch_size=200)
    SupportCase.objects.bulk_create(cases, batch_size=200)
