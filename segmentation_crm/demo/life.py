"""An account's months: it hears of us, looks around, asks, buys or not, uses, renews or leaves."""

import datetime as dt

from . import customers, words
from .catalogue import Catalogue
from .deals import Deal, open_deal
from .story import MONTH, Person, Story, poisson

# What people do of themselves, and how often.
_INBOUND = (
    ("page_view", 60), ("content_view", 14), ("content_download", 10), ("webinar_registered", 4),
    ("webinar_attended", 4), ("event_attended", 2), ("ad_click", 4), ("form_submit", 2),
)  # fmt: skip
_CURIOSITY = {
    "target": 0.35,
    "aware": 0.8,
    "engaged": 1.3,
    "mqa": 2.0,
    "opportunity": 2.3,
    "customer": 0.6,
    "former": 0.2,
}


class Life:
    """One account on its way; `stages` is the way so far."""

    def __init__(self, story: Story, kind: str, catalogue: Catalogue) -> None:
        self.story, self.kind, self.catalogue = story, kind, catalogue
        rng = story.rng
        names, weights = [row[0] for row in words.LEAD_SOURCES], [row[1] for row in words.LEAD_SOURCES]
        self.lead_source = rng.choices(names, weights)[0]
        self.arrives = -story.clock.months * MONTH * rng.random() ** 0.6
        self.stages: list[tuple[str, dt.datetime]] = []
        self.stage = ""
        self.appetite = rng.lognormvariate(0, 0.5)
        self.deal: Deal | None = None
        self.customer: customers.Customer | None = None
        self.rests_until = -10_000.0
        # A day in an hour nobody else has: stages may not share a moment.
        self.last_day = -10_000.0

    def enter(self, stage: str, day: float) -> None:
        """Come to a lifecycle stage, never before the one that went ahead."""
        day = max(day, self.last_day + 0.02)
        if stage == self.stage or day >= 0:
            return
        moment = self.story.clock.at(day)
        self.stage, self.last_day = stage, day
        self.stages.append((stage, moment))
        self.story.touched(self.story.account, day)
        if getattr(self.story.account, f"became_{stage}_at") is None:
            setattr(self.story.account, f"became_{stage}_at", moment)

    def begin(self) -> None:
        """Start: one in six is a customer of old, the others come to our notice one by one."""
        story, rng = self.story, self.story.rng
        if rng.random() < 0.17:
            signed = -story.clock.months * MONTH - rng.uniform(5, 300)
            for person in story.people[: rng.randint(2, 6)]:
                person.since = min(person.since, signed - 90)
            self.arrives = signed - 100
            story.account.created_at = story.clock.at(self.arrives)
            deal = open_deal(story, self.catalogue, self.kind, signed - 60, chance=1.0, cycle=60, lead_source="")
            deal.closes = min(deal.closes, -story.clock.months * MONTH - 1)
            self.enter("opportunity", signed - 60)
            self._sign(deal)
            return
        story.account.created_at = story.clock.at(self.arrives)
        self.enter("target", self.arrives)

    def month(self, first: float, last: float) -> None:
        """Live one month."""
        if last <= self.arrives:
            return
        first = max(first, self.arrives)
        people = [person for person in self.story.people if person.since < last]
        self._mails(people, first, last)
        self._curiosity(people, first, last)
        if self.customer is not None:
            left = customers.month(self.story, self.catalogue, self.kind, self.customer, first, last)
            if left is not None:
                self.customer, self.rests_until = None, left + 300
                self.enter("former", left)
        elif self.deal is not None:
            self._end_deal(last)
        else:
            self._move_on(people, first, last)

    def _sign(self, deal: Deal) -> None:
        self.customer = customers.begin(self.story, self.catalogue, deal)
        self.story.account.customer_since = self.story.account.customer_since or self.story.clock.date(deal.closes)
        self.enter("customer", deal.closes)

    def _end_deal(self, last: float) -> None:
        deal = self.deal
        if deal is None or deal.closes >= last:
            return
        self.deal = None
        if deal.won:
            self._sign(deal)
        else:
            self.enter("engaged", deal.closes)
            self.rests_until = deal.closes + 100

    def _move_on(self, people: list[Person], first: float, last: float) -> None:
        """Follow what people did: aware, engaged, ready for sales, in a deal."""
        rng = self.story.rng
        seen = sorted(day for person in people for day in person.seen)
        active = [person for person in people if person.seen and person.seen[-1] > first - 60]
        if self.stage == "target" and seen:
            self.enter("aware", seen[0])
        if self.stage == "aware" and len(seen) >= 4:
            self.enter("engaged", seen[3])
        if self.stage == "engaged" and len(active) >= 2 and len(seen) >= 9 and last > self.rests_until:
            self.enter("mqa", max(seen[-1], self.rests_until))
        ready = {"mqa": 0.7, "engaged": 0.09, "former": 0.02}.get(self.stage, 0.0) * self.appetite
        if last > self.rests_until and rng.random() < ready:
            day = self.story.office_hours(rng.uniform(max(first, self.rests_until), last))
            if self.last_day < day < -0.5:
                self.deal = open_deal(self.story, self.catalogue, self.kind, day, lead_source=self.lead_source)
                self.enter("opportunity", day)
                self._end_deal(last)

    def _mails(self, people: list[Person], first: float, last: float) -> None:
        """Send the month's newsletter to whoever is listed; some open it, few click."""
        story, rng = self.story, self.story.rng
        newsletter = self.catalogue.campaigns["Customer advisory" if self.customer else "Planning newsletter"]
        day = story.office_hours(first + 9 + story.number % 3)
        if day >= last or day < first:
            return
        for person in people:
            awaits_bounce = person.contact.deliverability == "hard_bounce" and not person.bounced
            if person.since > day or not (person.listed or awaits_bounce):
                continue
            if rng.random() > 0.6:
                continue
            shared = {"campaign": newsletter, "channel": "email"}
            story.activity("email_sent", day, person, direction="outbound", **shared)
            if awaits_bounce:
                story.activity("email_bounce", day + 0.001, person, direction="system", **shared)
                person.bounced = True
                continue
            if rng.random() < 0.34:
                later, bot = min(day + rng.expovariate(1.2), -0.01), rng.random() < 0.06
                story.activity("email_open", later, person, direction="inbound", bot_suspected=bot, **shared)
                if rng.random() < 0.2:
                    story.activity("email_click", later, person, direction="inbound", bot_suspected=bot, **shared)
                    if not bot:
                        person.seen.append(later)
            elif rng.random() < 0.004:
                story.activity("unsubscribe", min(day + 0.2, -0.01), person, direction="inbound", **shared)
                person.listed = False

    def _curiosity(self, people: list[Person], first: float, last: float) -> None:
        """Let people look around; each visit is a few pages, sometimes a download or a webinar."""
        story, rng = self.story, self.story.rng
        level = 0.4 * _CURIOSITY[self.stage or "target"] * self.appetite
        for person in people:
            for _ in range(poisson(rng, min(6.0, level * person.interest))):
                self._visit(person, rng.uniform(max(first, person.since), last))
            person.seen.sort()
        if rng.random() < 0.05 * self.appetite and not self.customer:
            story.activity(
                "intent_surge", story.office_hours(rng.uniform(first, last - 1)), None, direction="system",
                provider="Intentwire", party="third", intent_score=rng.randint(40, 99), baseline=30,
                topic=rng.choice(list(self.catalogue.topics.values())),
            )  # fmt: skip

    def _visit(self, person: Person, day: float) -> None:
        story, rng = self.story, self.story.rng
        type_ = rng.choices([name for name, _ in _INBOUND], [weight for _, weight in _INBOUND])[0]
        day = min(story.office_hours(day), -0.02)
        person.seen.append(day)
        story.touched(person.contact, day)
        if type_ == "page_view":
            visitor = f"v{story.number}-{story.people.index(person)}"
            for page in rng.sample(words.PAGES, rng.choice((1, 1, 2, 3))):
                story.activity(
                    "page_view", day, person, direction="inbound", url_path=page, visitor_id=visitor,
                    duration_s=rng.randint(5, 240),
                )  # fmt: skip
            return
        values = {}
        if type_.startswith(("content", "webinar")):
            item, topic = rng.choice(self.catalogue.content)
            values = {"content": item, "topic": topic, "url_path": item.url}
        if type_.startswith("webinar"):
            values["campaign"] = self.catalogue.campaigns["Mid-market webinar"]
        elif type_ == "event_attended":
            values["campaign"] = self.catalogue.campaigns["Hannover trade fair"]
        elif type_ == "ad_click":
            values |= {"campaign": self.catalogue.campaigns["Search: demand planning"], "channel": "paid_search"}
        story.activity(type_, day, person, direction="inbound", **values)


def live(story: Story, kind: str, catalogue: Catalogue) -> Life:
    """Play all months of one account."""
    life = Life(story, kind, catalogue)
    life.begin()
    for number in range(story.clock.months):
        life.month(*story.clock.month(number))
    return life
