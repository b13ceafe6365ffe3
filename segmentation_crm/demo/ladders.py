"""The dated states of accounts and people: lifecycle stages, lead status, tier, as their histories keep them."""

import datetime as dt

from .catalogue import Catalogue
from .life import Life
from .story import Person, Story

Way = list[tuple[str, dt.datetime]]
_LADDER = ("subscriber", "lead", "mql", "sal", "sql", "opportunity", "customer")


def settle(story: Story, life: Life, catalogue: Catalogue) -> None:
    """Set where account and people stand today, and keep how they came there."""
    account = story.account
    account.lifecycle_stage = life.stage
    story.past.append((account, "lifecycle_stage", life.stages))
    _tier(story, life)
    for person in story.people:
        _person(story, life, person, catalogue)


def _tier(story: Story, life: Life) -> None:
    """Give larger companies a better tier; it rises when they show interest, and some were never judged."""
    rng, account = story.rng, story.account
    if rng.random() < 0.12:
        return
    size = account.employee_count or 0
    first = "2" if size >= 120 else "3" if size >= 40 else "unqualified"
    way = [(first, life.stages[0][1] + dt.timedelta(hours=2))] if life.stages else []
    reached = dict(life.stages)
    promoted = reached.get("mqa") or reached.get("customer")
    if way and size >= 250 and promoted and promoted > way[0][1]:
        way.append(("1", promoted))
    if way:
        account.tier, account.tier_source = way[-1][0], rng.choice(("rule", "rule", "manual"))
        story.past.append((account, "tier", way))


def _person(story: Story, life: Life, person: Person, catalogue: Catalogue) -> None:
    way = _lifecycle(story, life, person)
    contact, clock = person.contact, story.clock
    if way:
        contact.lifecycle_stage = way[-1][0]
        moments = [(stage, clock.at(day)) for stage, day in way]
        for stage, moment in moments:
            setattr(contact, f"became_{stage}_at", moment)
        story.past.append((contact, "lifecycle_stage", moments))
        story.touched(contact, way[-1][1])
    _lead_status(story, person, dict(way), catalogue)


def _lifecycle(story: Story, life: Life, person: Person) -> list[tuple[str, float]]:
    """Return the stages with their days, each after the one before; none of them in the future."""
    rng = story.rng
    seen = sorted(day for day in person.seen if day > person.since)
    way: dict[str, float] = {}
    if person.listed or seen:
        way["subscriber"] = person.since
    if len(seen) >= 2:
        way["lead"] = seen[1]
    if person.deals:
        opened = min(day for day, _ in person.deals)
        way |= {"lead": opened - 12, "mql": opened - 6, "sal": opened - 5, "sql": opened - 2, "opportunity": opened}
        won = [ended for _, ended in person.deals if ended is not None]
        if won:
            way["customer"] = min(won)
    elif life.customer is None and life.stage != "former" and len(seen) >= 6:
        way["mql"] = seen[5]
        if rng.random() < 0.55:
            way["sal"] = seen[5] + rng.uniform(0.1, 2.5)
            if rng.random() < 0.4:
                way["sql"] = way["sal"] + rng.uniform(1, 9)
    found: list[tuple[str, float]] = []
    for stage in _LADDER:
        if stage in way:
            day = max(way[stage], person.since, found[-1][1] + 0.03 if found else -10_000.0)
            if day < 0:
                found.append((stage, day))
    return found


def _lead_status(story: Story, person: Person, way: dict[str, float], catalogue: Catalogue) -> None:
    """Lay the work on a lead: tried, reached, in work, put aside or refused."""
    if "lead" not in way:
        return
    rng, contact, clock = story.rng, person.contact, story.clock
    day = way["lead"]
    steps = [("new", day)]
    if "mql" in way or rng.random() < 0.5:
        steps.append(("attempting", day + rng.uniform(0.1, 4)))
        if "sal" in way or rng.random() < 0.5:
            steps.append(("connected", steps[-1][1] + rng.uniform(0.2, 5)))
    if "sql" in way:
        steps.append(("working", max(way["sql"], steps[-1][1] + 0.1)))
    elif rng.random() < 0.4:
        status = rng.choice(("nurture", "nurture", "recycled", "unqualified"))
        steps.append((status, steps[-1][1] + rng.uniform(3, 30)))
    steps = [(status, moment) for status, moment in steps if moment < 0]
    if not steps:
        return
    contact.lead_status = steps[-1][0]
    if contact.lead_status == "unqualified":
        contact.reject_reason = rng.choice(catalogue.reject_reasons)
    elif contact.lead_status == "recycled":
        contact.recycle_until = clock.date(rng.uniform(-20, 90))
    story.past.append((contact, "lead_status", [(status, clock.at(moment)) for status, moment in steps]))
