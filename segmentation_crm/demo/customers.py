"""Life after the first signature: contracts, use, purchases, support, surveys, renewal or farewell."""

import math
from dataclasses import dataclass
from decimal import Decimal

from accounts.models import Contract, Purchase, SupportCase, SurveyAnswer

from . import words
from .catalogue import SOURCE, Catalogue
from .deals import Deal, open_deal
from .story import MONTH, Person, Row, Story, poisson

YEAR = 365.0


@dataclass
class Customer:
    """A running customer: how well it does (`health`, mean 0), until when it is bound, the renewal under way."""

    health: float
    ends: float
    mrr: Decimal
    contract: Row
    users: list[Person]
    renewal: Deal | None = None
    renews: bool = True


def begin(story: Story, catalogue: Catalogue, deal: Deal) -> Customer:
    """Sign the first contract after a won deal; what was ordered becomes purchases."""
    rng = story.rng
    starts = deal.closes + rng.uniform(3, 14)
    mrr = (deal.licences / 12).quantize(Decimal("0.01"))
    contract = _contract(story, deal, starts, mrr, None)
    known = [person for person in story.people if person.since < starts] or story.people
    users = rng.sample(known, min(len(known), rng.randint(2, 6)))
    _order(story, deal)
    return Customer(rng.gauss(0.1, 1.0), starts + YEAR, mrr, contract, users)


def month(story: Story, catalogue: Catalogue, kind: str, customer: Customer, first: float, last: float) -> float | None:
    """Live one month as a customer; return the day of the farewell where there is one."""
    rng = story.rng
    _use(story, customer, first, last)
    _support(story, customer, first, last)
    _ask(story, customer, first, last)
    if customer.renewal is None and customer.ends - 75 < last:
        _open_renewal(story, catalogue, kind, customer)
    elif customer.renewal is None and rng.random() < 0.045 * math.exp(customer.health / 2):
        _grow(story, catalogue, kind, customer, first)
    if customer.renewal is None or customer.ends >= last:
        return None
    if not customer.renews:
        _farewell(story, customer, catalogue)
        return customer.ends
    customer.contract["status"] = "renewed"
    deal, customer.renewal = customer.renewal, None
    customer.mrr = (customer.mrr * Decimal(f"{rng.uniform(0.98, 1.2):.3f}")).quantize(Decimal("0.01"))
    customer.contract = _contract(story, deal, customer.ends, customer.mrr, customer.contract)
    customer.ends += YEAR
    return None


def renewal_chance(health: float) -> float:
    """Return how likely a customer renews: those who use the product stay."""
    return 1 / (1 + math.exp(-(1.1 + 2.0 * health)))


def _contract(story: Story, deal: Deal, starts: float, mrr: Decimal, before: Row | None) -> Row:
    clock = story.clock
    return story.add(
        Contract, account=story.account, product=deal.record.product, starts_on=clock.date(starts),
        ends_on=clock.date(starts + YEAR - 1), mrr=mrr, status="active", renewed_from=before, source=SOURCE,
        number=f"C-{story.number:04d}-{len(story.rows[Contract]) + 1}", created_at=clock.at(min(starts, -0.1)),
    )  # fmt: skip


def _order(story: Story, deal: Deal) -> None:
    from accounts.models import OpportunityLine

    clock, rng = story.clock, story.rng
    for line in [row for row in story.rows[OpportunityLine] if row["opportunity"] is deal.record]:
        margin = Decimal(f"{rng.uniform(0.18, 0.4):.2f}")
        story.add(
            Purchase, account=story.account, opportunity=deal.record, product=line["product"], source=SOURCE,
            category=line["product"].category, quantity=line["quantity"], unit_price=line["unit_price"],
            discount=line["discount"], amount=line["amount"], ordered_at=clock.at(deal.closes),
            cost=(line["amount"] * margin).quantize(Decimal("0.01")), created_at=clock.at(deal.closes),
            order_number=f"O-{story.number:04d}-{len(story.rows[Purchase]) + 1}",
        )  # fmt: skip


def _use(story: Story, customer: Customer, first: float, last: float) -> None:
    """Log-ins and features of each user: the healthier, the more; the last months before a farewell are quiet."""
    rng = story.rng
    mean = 2.1 * math.exp(0.75 * customer.health)
    if customer.renewal is not None and not customer.renews:
        mean *= 0.4
    for person in customer.users:
        if person.since > last:
            continue
        for _ in range(min(22, poisson(rng, min(mean, 20)))):
            day = story.office_hours(rng.uniform(first, last - 1))
            story.activity("product_login", day, person, direction="inbound", duration_s=rng.randint(60, 5400))
            if rng.random() < 0.3:
                feature = f"/app/{rng.choice(words.FEATURES)}"
                story.activity("feature_used", day + 0.01, person, direction="inbound", url_path=feature)
        story.touched(person.contact, first)


def _support(story: Story, customer: Customer, first: float, last: float) -> None:
    rng, clock = story.rng, story.clock
    for _ in range(poisson(rng, 0.4 * math.exp(-0.45 * customer.health))):
        day = story.office_hours(rng.uniform(first, last - 1))
        person = rng.choice(customer.users) if customer.users else None
        hours = Decimal(f"{rng.lognormvariate(0.6, 0.8):.2f}")
        days = rng.lognormvariate(0.4, 0.9)
        severity = rng.choices(("low", "medium", "high", "critical"), (40, 40, 15, 5))[0]
        mood = Decimal(f"{min(10.0, max(0.0, rng.gauss(7 + customer.health, 1.5))):.1f}")
        story.add(
            SupportCase, account=story.account, contact=person.contact if person else None, source=SOURCE,
            subject=rng.choice(words.SUPPORT_SUBJECTS), opened_at=clock.at(day), severity=severity, hours=hours,
            cost=hours * 70, closed_at=clock.at(day + days) if day + days < 0 else None,
            satisfaction=mood if day + days < 0 and rng.random() < 0.7 else None, created_at=clock.at(day),
        )  # fmt: skip
        story.activity("support_contact", day, person, direction="inbound")


def _ask(story: Story, customer: Customer, first: float, last: float) -> None:
    """Ask twice a year how likely they recommend us; half of them answer."""
    rng, clock = story.rng, story.clock
    if round(first / MONTH) % 6 != story.number % 6 or not customer.users or rng.random() < 0.45:
        return
    person, day = rng.choice(customer.users), story.office_hours(rng.uniform(first, last - 1))
    nps = min(10, max(0, round(rng.gauss(7.6 + 1.4 * customer.health, 1.3))))
    story.activity("survey_response", day, person, direction="inbound", nps=nps)
    for question, answer in (
        ("How likely are you to recommend us?", str(nps)),
        ("What should we do better?", rng.choice(("Speed", "Reports", "More connections", "Nothing", "Training"))),
    ):
        story.add(
            SurveyAnswer, account=story.account, contact=person.contact, survey="Customer pulse", question=question,
            answer=answer, answered_at=clock.at(day), source_type="primary", source=SOURCE, created_at=clock.at(day),
        )  # fmt: skip


def _open_renewal(story: Story, catalogue: Catalogue, kind: str, customer: Customer) -> None:
    opened = customer.ends - 75
    if opened > -0.5:
        return
    chance = renewal_chance(customer.health)
    customer.renewal = open_deal(
        story, catalogue, kind, opened, type_="renewal", chance=chance, cycle=72 - story.rng.uniform(0, 10)
    )
    customer.renews = bool(customer.renewal.won)


def _grow(story: Story, catalogue: Catalogue, kind: str, customer: Customer, first: float) -> None:
    type_ = story.rng.choice(("expansion", "cross_sell"))
    day = story.office_hours(first + story.rng.uniform(2, 24))
    if day < -1:
        deal = open_deal(story, catalogue, kind, day, type_=type_, chance=0.6, size=0.35)
        if deal.won and deal.closes < 0:
            _order(story, deal)


def _farewell(story: Story, customer: Customer, catalogue: Catalogue) -> None:
    account = story.account
    customer.contract["status"] = "expired"
    account.churned_on = story.clock.date(customer.ends)
    account.churn_reason = story.rng.choice(catalogue.churn_reasons)
