"""Deals of the story: how they open, whom they involve, what they are worth, how and when they end."""

import math
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Any

from accounts.choices import role_group
from accounts.models import (
    Evidence,
    Note,
    Opportunity,
    OpportunityContact,
    OpportunityLine,
    OpportunityValue,
    Stage,
)

from . import words
from .catalogue import SOURCE, Catalogue
from .story import Person, Story

# How often a deal is won, by industry, before everything else is weighed.
INDUSTRY_CHANCE = {
    "manufacturing": 0.50, "logistics": 0.44, "health": 0.34, "retail": 0.24, "finance": 0.17, "software": 0.12,
}  # fmt: skip
# How the chance changes with the number of role groups that are in the deal.
COMMITTEE_FACTOR = {0: 0.35, 1: 0.4, 2: 0.75, 3: 1.4, 4: 1.9}
SOURCE_FACTOR = {name: factor for name, _, factor in words.LEAD_SOURCES}
FORECAST = ("pipeline", "best_case", "commit")
_SUBJECTS = {"meeting": "Meeting", "demo": "Demonstration"}
PROBABILITY = ("0.2", "0.45", "0.7")


@dataclass
class Deal:
    """A deal with the day on which it ends, and how; `won` is None for one that nobody brings to an end."""

    record: Opportunity
    opened: float
    closes: float
    won: bool | None
    committee: list[Person]
    licences: Decimal


def response_hours(story: Story) -> float:
    """Draw after how many hours a rep answers an inquiry."""
    return min(120.0, story.rng.lognormvariate(math.log(11), 1.1))


def open_deal(
    story: Story,
    catalogue: Catalogue,
    kind: str,
    day: float,
    *,
    type_: str = "new_business",
    chance: float | None = None,
    cycle: float | None = None,
    size: float = 1.0,
    lead_source: str = "",
) -> Deal:
    """Open a deal and draw its fate. chance and cycle are drawn from the signals where they are not given."""
    rng = story.rng
    committee = _committee(story, day)
    hours = response_hours(story)
    if cycle is None:
        # Who answers late closes late: 28 days at best, 90 after four days of silence.
        cycle = (28 + 62 * math.sqrt(min(hours, 96) / 96)) * rng.lognormvariate(0, 0.22)
    if chance is None:
        groups = {role_group(person.roles[0]) for person in committee if person.roles} - {"other"}
        chance = INDUSTRY_CHANCE[kind] * COMMITTEE_FACTOR[len(groups)] * SOURCE_FACTOR.get(lead_source, 1.0)
    won: bool | None = rng.random() < min(0.93, chance)
    closes = story.office_hours(day + cycle)
    if type_ == "new_business" and -70 < closes < 0 and rng.random() < 0.18:
        won, closes = None, 60.0
    clock = story.clock
    record = Opportunity(
        account=story.account, owner=story.account.owner or rng.choice(catalogue.reps), type=type_, source=SOURCE,
        opened_on=clock.date(day), created_at=clock.at(day), lead_source=catalogue.lead_sources.get(lead_source),
        primary_need=rng.choice(list(catalogue.needs.values())) if rng.random() > 0.2 else None,
        campaign_first=rng.choice(list(catalogue.campaigns.values())) if rng.random() < 0.55 else None,
    )  # fmt: skip
    record.campaign_last = record.campaign_first
    licences = _lines(story, catalogue, record, type_, size, day)
    record.name = f"{story.account.name}: {record.product}{'' if type_ == 'new_business' else ', ' + type_}"
    story.deals.append(record)
    deal = Deal(record, day, closes, won, committee, licences)
    for person in committee:
        _take_part(story, deal, person)
    _first_contact(story, deal, hours, inquiry=type_ == "new_business" and lead_source != "Outbound call")
    _work(story, catalogue, deal, cycle)
    _stages(story, catalogue, deal, cycle)
    return deal


def _committee(story: Story, day: float) -> list[Person]:
    """Draw who is in the deal: of one, two, three or four role groups, as far as we know such people."""
    known = [p for p in story.people if p.since <= day and p.contact.deliverability != "hard_bounce"]
    known = story.rng.sample(known, len(known))
    groups = story.rng.choice((1, 2, 2, 3, 3, 4))
    chosen: list[Person] = []
    covered: set[str] = set()
    for person in known:
        role = {role_group(person.roles[0])} if person.roles else set()
        if (role - covered and len(covered | role) <= groups) or (len(chosen) < 7 and story.rng.random() < 0.12):
            chosen.append(person)
            covered |= role
    return chosen or known[:1]


def _lines(story: Story, catalogue: Catalogue, record: Opportunity, type_: str, size: float, day: float) -> Decimal:
    """Add the lines, whose sum is the amount: it grows with the company's size. Return the yearly licences."""
    rng = story.rng
    target = 1300 * (story.account.employee_count or 150) ** 0.52 * rng.lognormvariate(0, 0.42) * size
    names = ["Planner Pro" if target > 14000 else "Planner Core"]
    if type_ == "cross_sell":
        names = ["Forecast add-on"]
    elif rng.random() < 0.3:
        names.append("Forecast add-on")
    discount = Decimal(rng.choice(("0", "0", "0.05", "0.1", "0.15")))
    licences = total = Decimal(0)
    for name in names:
        product = catalogue.products[name]
        quantity = max(1, round(target / len(names) / float(product.list_price)))
        amount = (quantity * Decimal(product.list_price) * (1 - discount)).quantize(Decimal("0.01"))
        licences += amount
        total += amount
        _line(story, record, product, quantity, discount, amount, day)
    if type_ == "new_business" and rng.random() < 0.6:
        product = catalogue.products["Rollout service"]
        total += Decimal(product.list_price)
        _line(story, record, product, 1, Decimal(0), Decimal(product.list_price), day)
    record.product, record.amount = catalogue.products[names[0]], total
    return licences


def _line(
    story: Story, record: Opportunity, product: Any, quantity: int, discount: Decimal, amount: Decimal, day: float
) -> None:
    story.add(
        OpportunityLine, opportunity=record, product=product, quantity=Decimal(quantity), source=SOURCE,
        unit_price=product.list_price, discount=discount, amount=amount, created_at=story.clock.at(day),
    )  # fmt: skip


def _take_part(story: Story, deal: Deal, person: Person) -> None:
    rng = story.rng
    good = ("supporter", "supporter", "supporter", "neutral")
    bad = ("neutral", "sceptic", "sceptic", "opposed", "supporter")
    story.add(
        OpportunityContact, opportunity=deal.record, contact=person.contact, role=(person.roles or ("influencer",))[0],
        stance=rng.choice(good if deal.won or (deal.won is None and rng.random() < 0.5) else bad),
        influence=rng.randint(1, 5), source=SOURCE, created_at=story.clock.at(deal.opened),
    )  # fmt: skip
    ended = deal.closes if deal.won and deal.closes < 0 else None
    person.deals.append((deal.opened, ended))


def _first_contact(story: Story, deal: Deal, hours: float, inquiry: bool) -> None:
    """Somebody asks, a rep answers after these hours."""
    person = deal.committee[0] if deal.committee else None
    owner, record = deal.record.owner, deal.record
    asked = deal.opened
    if inquiry and person:
        story.activity("form_submit", asked, person, direction="inbound", url_path="/contact", opportunity=record)
        person.seen.append(asked)
    answered = asked + hours / 24
    if answered < 0:
        story.activity(
            "call", answered, person, direction="outbound", user=owner, channel="phone", opportunity=record,
            subject="Answer to the inquiry" if inquiry else "First call", duration_s=story.rng.randint(120, 1500),
        )  # fmt: skip


def _work(story: Story, catalogue: Catalogue, deal: Deal, cycle: float) -> None:
    """Meetings, mails, a demonstration, notes and what was heard, until the deal ends or today."""
    rng, record = story.rng, deal.record
    last = min(deal.closes, -0.1, deal.opened + cycle)
    kinds = ["meeting", "demo", "email_sent", "email_reply", "call", "meeting", "email_sent", "email_reply"]
    for type_ in kinds[: rng.randint(3, 8)]:
        day = story.office_hours(rng.uniform(deal.opened + 1.5, deal.opened + cycle))
        if day >= last or not deal.committee:
            continue
        person = rng.choice(deal.committee)
        inbound = type_ == "email_reply"
        story.activity(
            type_, day, person, direction="inbound" if inbound else "outbound", opportunity=record,
            user=None if inbound else record.owner, subject=_SUBJECTS.get(type_, ""),
            channel="email" if type_.startswith("email") else "",
        )  # fmt: skip
        story.touched(record, day)
        if type_ == "meeting" and rng.random() < 0.6:
            _note(story, catalogue, deal, person, day)


def _note(story: Story, catalogue: Catalogue, deal: Deal, person: Person, day: float) -> None:
    rng, record, clock = story.rng, deal.record, story.clock
    need = rng.choice(list(catalogue.needs.values()))
    text = rng.choice(words.NOTES).format(need=need.name.lower())
    note = story.add(
        Note, opportunity=record, text=text, author=record.owner, source_kind="interview", source=SOURCE,
        created_at=clock.at(day),
    )  # fmt: skip
    heard = [("need", need)]
    if deal.won is False and rng.random() < 0.7:
        heard.append(("objection", rng.choice(catalogue.objections)))
    if rng.random() < 0.3:
        heard.append(("trigger", rng.choice(catalogue.triggers)))
    if rng.random() < 0.25:
        heard.append(("competitor", rng.choice(catalogue.competitors)))
    for kind, term in heard:
        story.add(
            Evidence, kind=kind, term=term, account=story.account, contact=person.contact, opportunity=record,
            note=note, quote=rng.choice(words.QUOTES) if rng.random() < 0.4 else "", said_at=clock.at(day),
            source_type="primary", source_kind="interview", recorded_by=record.owner, source=SOURCE,
            created_at=clock.at(day),
        )  # fmt: skip


def _stages(story: Story, catalogue: Catalogue, deal: Deal, cycle: float) -> None:
    """Lay the deal's way through the stages; its record stands where it is today."""
    rng, record, clock = story.rng, deal.record, story.clock
    steps = catalogue.open_stages
    path: list[tuple[Stage, float]] = [
        (stage, deal.opened + cycle * share * rng.uniform(0.85, 1.1))
        for stage, share in zip(steps, _shares(len(steps)), strict=True)
    ]
    path[0] = (steps[0], deal.opened)
    if deal.won is False and len(path) > 1 and rng.random() < 0.55:
        path = path[: rng.randint(1, len(path) - 1)]
    if deal.won is None:
        path = path[: rng.randint(1, len(path))]
    path = [(stage, day) for stage, day in path if day < min(deal.closes, 0)]
    if deal.closes < 0:
        path.append((catalogue.won if deal.won else catalogue.lost, deal.closes))
    record.stage, entered = path[-1]
    record.pipeline = record.stage.pipeline
    record.stage_entered_at = clock.at(entered)
    story.past.append((record, "stage", [(stage.slug, clock.at(day)) for stage, day in path]))
    story.acts.append((record, clock.at(deal.opened), record.owner, "created", []))
    for (before, _), (after, day) in pairwise(path):
        change = {"field": "stage", "old": before.pk, "new": after.pk}
        story.acts.append((record, clock.at(day), record.owner, "updated", [change]))
    story.touched(record, entered)
    story.touched(story.account, entered)
    if deal.closes < 0:
        _end(story, catalogue, deal)
    else:
        _leave_open(story, deal, cycle, steps.index(record.stage) if record.stage in steps else 0)


def _shares(count: int) -> list[float]:
    return [0.85 * position / count for position in range(count)]


def _end(story: Story, catalogue: Catalogue, deal: Deal) -> None:
    rng, record, clock = story.rng, deal.record, story.clock
    record.closed_at = clock.at(deal.closes)
    record.expected_close = clock.date(deal.closes + rng.uniform(-20, 12))
    record.forecast_category = "closed" if deal.won else "omitted"
    record.probability = Decimal(1 if deal.won else 0)
    if deal.won:
        return
    record.lost_reason = rng.choice(catalogue.lost_reasons)
    for term in rng.sample(catalogue.objections, rng.choice((0, 1, 1, 2))):
        story.add(OpportunityValue, opportunity=record, field="objections", term=term)
    if record.lost_reason.name == "Competitor":
        story.add(OpportunityValue, opportunity=record, field="competitors", term=rng.choice(catalogue.competitors))


def _leave_open(story: Story, deal: Deal, cycle: float, position: int) -> None:
    """Give an open deal its forecast and, mostly, a next step."""
    rng, record, clock = story.rng, deal.record, story.clock
    due = deal.opened + cycle + rng.uniform(-6, 25) if deal.won is None else deal.closes + rng.uniform(-8, 20)
    record.expected_close = clock.date(due)
    level = min(position, len(FORECAST) - 1)
    record.forecast_category, record.probability = FORECAST[level], Decimal(PROBABILITY[level])
    if deal.won is not None and rng.random() > 0.15:
        record.next_step = rng.choice(words.NEXT_STEPS)
        record.next_step_due = clock.date(rng.choice((-3, -1, 0, 0, 1, 2, 4, 7, 12)))
