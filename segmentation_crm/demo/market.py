"""The companies and people of the story, as they stand before anything happens."""

import math
from decimal import Decimal
from typing import Any

from django.utils.text import slugify

from accounts.models import (
    Account,
    AccountTechnology,
    AccountValue,
    Consent,
    Contact,
    ContactValue,
    ExternalId,
    Need,
    Provenance,
)
from segmentation_crm.common.models import User

from . import words
from .catalogue import SOURCE, Catalogue
from .story import Clock, Person, Story

TAILS = tuple((kind, tail) for kind, tails in words.COMPANY_TAILS.items() for tail in tails)
# Without a common divisor with the number of names, so that all of them come before one comes twice.
STRIDE = 7919
_SYSTEMS = (("Trade register", "database"), ("Web", "website"))


def draw_story(number: int, seed: int, clock: Clock, catalogue: Catalogue) -> tuple[Story, str]:
    """Return the story of account `number` with its facts and people, and its industry's key."""
    story = Story(number, seed, Account(source=SOURCE), clock)
    kind = _name(story)
    _facts(story, kind, catalogue)
    _details(story, catalogue)
    _people(story, catalogue)
    return story, kind


def _name(story: Story) -> str:
    account, number = story.account, story.number
    if number % 17 == 5 and number // 17 < len(words.NON_LATIN):
        name, domain, account.country, account.city, kind = words.NON_LATIN[number // 17]
        account.name, account.domain = name, f"{domain}.example"
        return kind
    place = number * STRIDE % (len(words.COMPANY_HEADS) * len(TAILS))
    again = number // (len(words.COMPANY_HEADS) * len(TAILS))
    kind, tail = TAILS[place // len(words.COMPANY_HEADS)]
    last = words.COMPANY_ROUNDS[again % len(words.COMPANY_ROUNDS)]
    account.name = f"{words.COMPANY_HEADS[place % len(words.COMPANY_HEADS)]} {tail} {last}".strip()
    account.domain = f"{slugify(account.name)}{again // len(words.COMPANY_ROUNDS) or ''}.example"
    return kind


def _facts(story: Story, kind: str, catalogue: Catalogue) -> None:
    """Set what is known of the company; about one fact in eight is missing, as in life."""
    rng, account = story.rng, story.account
    country, city, region, _ = rng.choice(words.COUNTRIES)
    if not account.country:
        account.country, account.city = country, city
        account.sales_region = catalogue.regions[region]
    else:
        account.sales_region = catalogue.regions["rest-of-world"]
    employees = int(rng.lognormvariate(5.3, 1.25)) + 4
    known = rng.random() > 0.1
    account.industry = catalogue.industries[kind] if known else None
    account.sic_code = catalogue.sic.get(rng.choice(words.SIC_OF[kind])) if rng.random() > 0.25 else None
    story.account.employee_count = employees if rng.random() > 0.08 else None
    account.annual_revenue = Decimal(employees * rng.randint(90, 260) * 1000) if rng.random() > 0.3 else None
    account.website = f"https://www.{account.domain}" if rng.random() > 0.1 else ""
    account.founded_year = rng.randint(1890, 2021) if rng.random() > 0.2 else None
    account.ownership = rng.choice(("private", "private", "family", "public", "private_equity", ""))
    account.growth_stage = rng.choice(("early", "growth", "scale_up", "mature", "mature", "declining", ""))
    account.employee_growth_12m = Decimal(f"{rng.gauss(4, 9):.1f}") if rng.random() > 0.4 else None
    account.scope = rng.choice(("regional", "national", "multinational", "global", ""))
    account.sophistication = rng.choice(("unaware", "problem_aware", "solution_aware", "product_aware", ""))
    account.purchasing_policy = rng.choice(("tender", "framework", "approved_vendor", "direct", "", ""))
    account.purchase_centralisation = rng.choice(("central", "federated", "local", "", ""))
    account.power_centre = rng.choice(("operations", "finance", "executive", "engineering", ""))
    account.urgency = rng.choice(("low", "normal", "normal", "high", ""))
    account.digital_media_use = rng.choice(("low", "medium", "high", ""))
    if rng.random() > 0.12:
        account.owner = catalogue.reps[story.number % len(catalogue.reps)]


def _details(story: Story, catalogue: Catalogue) -> None:
    """Add technologies, needs, multi fields, provenance and numbers of other systems."""
    rng, account, clock = story.rng, story.account, story.clock
    for product in rng.sample(catalogue.technologies, rng.choice((0, 1, 2, 2, 3, 4))):
        seen = -rng.uniform(30, 500)
        story.add(
            AccountTechnology, account=account, product=product, source=SOURCE,
            status=rng.choice(("in_use", "in_use", "in_use", "evaluating", "phasing_out")),
            first_seen=clock.date(seen), last_verified=clock.date(seen * rng.random()),
            confidence=Decimal(rng.choice(("0.6", "0.8", "0.95"))), source_type=rng.choice(("primary", "secondary")),
            contract_ends=clock.date(rng.uniform(20, 400)) if rng.random() < 0.3 else None,
        )  # fmt: skip
    for need in rng.sample(list(catalogue.needs.values()), rng.choice((0, 1, 1, 2))):
        story.add(
            Need, account=account, need=need, source=SOURCE, kind=rng.choice(("problem", "goal", "challenge")),
            priority=rng.randint(1, 5), evidence=rng.choice(("stated", "interview", "inferred_content")),
            source_type="primary", confirmed_on=clock.date(-rng.uniform(5, 400)),
        )  # fmt: skip
    for criterion in rng.sample(("price", "quality", "support", "integration", "security"), rng.choice((0, 1, 2))):
        story.add(AccountValue, account=account, field="buying_criteria", token=criterion)
    if rng.random() < 0.25:
        story.add(AccountValue, account=account, field="tags", term=rng.choice(catalogue.tags))
    if rng.random() < 0.5:
        story.add(ExternalId, record_type="account", record=account, source=SOURCE, external_id=f"D{story.number:06d}")
    for name in ("employee_count", "annual_revenue", "industry"):
        if getattr(account, name) is not None and rng.random() < 0.6:
            _provenance(story, "account", account, name, rng.choice(_SYSTEMS))


def _provenance(story: Story, record_type: str, record: Any, name: str, source: tuple[str, str]) -> None:
    system, kind = source
    story.add(
        Provenance, record_type=record_type, record=record, field=name, source_system=system, kind=kind,
        source_type="secondary", observed_on=story.clock.date(-story.rng.uniform(5, 700)),
        confidence=Decimal(story.rng.choice(("0.7", "0.9"))),
    )  # fmt: skip


def _people(story: Story, catalogue: Catalogue) -> None:
    """Add the people; they come to our notice over the whole time."""
    rng = story.rng
    size = story.account.employee_count or 120
    wanted = min(16, max(2, round(rng.gauss(2.1 + math.log(size), 2.2))))
    weights = [row[4] for row in words.TITLES]
    for position in range(wanted):
        row = rng.choices(words.TITLES, weights)[0]
        since = -story.clock.months * 30.4 * (rng.random() ** 0.7 if position else 1.0)
        story.people.append(_person(story, catalogue, position, row, since))


def _person(story: Story, catalogue: Catalogue, position: int, row: tuple[Any, ...], since: float) -> Person:
    rng, account, clock = story.rng, story.account, story.clock
    title, seniority, department, roles, _ = row
    if account.sales_region == catalogue.regions["rest-of-world"] and rng.random() < 0.7:
        first, last, local = rng.choice(words.NON_LATIN_PEOPLE)
    else:
        first, last = rng.choice(words.FIRST_NAMES), rng.choice(words.LAST_NAMES)
        local = f"{slugify(first)}.{slugify(last)}"
    contact = Contact(
        first_name=first, last_name=last, email=f"{local}.{position + 1}@{account.domain}", account=account,
        country=account.country, job_title=title, source=SOURCE, created_at=clock.at(since),
        seniority=seniority if rng.random() > 0.06 else "", department=department if rng.random() > 0.06 else "",
        language=next((code for c, _, _, code in words.COUNTRIES if c == account.country), ""),
        phone=f"+49 30 23125 {rng.randint(0, 999):03d}" if rng.random() < 0.5 else "",  # a range kept for fiction
        preferred_channel=rng.choice(("email", "phone", "webinar", "", "")),
        preferred_content_format=rng.choice(("whitepaper", "video", "webinar", "", "")),
        risk_appetite=rng.choice(("low", "medium", "high", "", "")),
        deliverability="hard_bounce" if rng.random() < 0.02 else rng.choice(("valid", "valid", "unknown")),
        do_not_contact=rng.random() < 0.01, owner=_owner(rng, account),
    )  # fmt: skip
    person = Person(contact, roles if rng.random() > 0.12 else (), since, rng.lognormvariate(-0.2, 0.9), False)
    person.listed = contact.deliverability != "hard_bounce" and rng.random() < 0.62
    for role in person.roles:
        story.add(ContactValue, contact=contact, field="buying_roles", token=role)
    if rng.random() < 0.15:
        story.add(ContactValue, contact=contact, field="attitudes", term=rng.choice(catalogue.attitudes))
    if rng.random() < 0.1:
        story.add(ContactValue, contact=contact, field="likes", term=rng.choice(catalogue.likes))
    if rng.random() < 0.25:
        _provenance(story, "contact", contact, "job_title", ("Professional network", "social"))
    if person.listed:
        story.add(
            Consent, contact=contact, topic=catalogue.consent_topics[0], channel="email", status="granted",
            legal_basis="consent", obtained_by="Form on the web site", at=clock.at(since), source=SOURCE,
        )  # fmt: skip
    return person


def _owner(rng: Any, account: Account) -> User | None:
    return account.owner if rng.random() < 0.8 else None
