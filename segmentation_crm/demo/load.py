"""Play the story: the same seed gives the same records, dated back from today's local midnight."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Account, Activity, Contact, Opportunity
from accounts.services.changes import silent
from segmentation_crm.common.models import Organisation
from segmentation_crm.common.services import audit
from segments.services.refreshing import rebuild_instead

from . import dirt, people, segments, today
from .catalogue import SOURCE, Catalogue
from .ladders import settle
from .life import live
from .market import draw_story
from .patience import be_patient
from .replay import MONTH, WEEK, replay
from .story import Clock
from .writing import write

SEED = 20261121
ACCOUNTS, MONTHS = 400, 18
# A chunk holds whole groups of companies: of each dozen the first is the parent of the next ones, in some dozens.
DOZEN, CHUNK = 12, 120
# A story of so many accounts has its segments played week by week, a smaller one month by month.
WHOLE = 200
LOADED = "demo.loaded"


@dataclass(frozen=True)
class Loaded:
    """What a load wrote."""

    accounts: int
    contacts: int
    opportunities: int
    activities: int
    seconds: float

    def __str__(self) -> str:
        return (
            f"{self.accounts:,} accounts, {self.contacts:,} contacts, {self.opportunities:,} opportunities and "
            f"{self.activities:,} activities in {self.seconds:.1f} s"
        )


def is_loaded() -> bool:
    """Tell whether records of the story exist (1 query)."""
    return Account.objects.filter(source=SOURCE).exists()


def load(
    accounts: int = ACCOUNTS,
    months: int = MONTHS,
    seed: int = SEED,
    *,
    now: datetime | None = None,
    say: Callable[[str], Any] | None = None,
) -> Loaded | None:
    """Play the story once, in one transaction; return None where it is there already.

    Memory stays flat: accounts are played and written by the hundred. Raises NoPipeline, or ValueError where a person
    has one of the usernames.
    """
    if is_loaded():
        return None
    began = time.monotonic()
    clock = Clock(_midnight(now or timezone.now()), months)
    with transaction.atomic(), silent():
        be_patient()
        users = people.make_users()
        catalogue = Catalogue(people.reps(users))
        for start in range(0, accounts, CHUNK):
            _write_chunk(range(start, min(start + CHUNK, accounts)), seed, clock, catalogue)
            if say:
                say(f"{min(start + CHUNK, accounts):,} of {accounts:,} accounts")
        dirt.scatter(seed, clock, accounts)
        today.fill_desks(seed, clock, catalogue.reps)
        today.change_jobs(seed, clock, accounts)
        today.mention(catalogue.reps, users["demo.tom"])
        made = segments.load(users["demo.lea"])
        audit.record(None, LOADED, terms=catalogue.made_terms, segments=made, accounts=accounts, seed=seed)
        _analyse()
        replay(made, clock, days=WEEK if accounts >= WHOLE else MONTH)
        rebuild_instead()
    counts = [model.objects.filter(source=SOURCE).count() for model in (Account, Contact, Opportunity, Activity)]
    return Loaded(counts[0], counts[1], counts[2], counts[3], time.monotonic() - began)


def _midnight(now: datetime) -> datetime:
    zone = ZoneInfo(Organisation.current().time_zone)
    return now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)


def _write_chunk(numbers: range, seed: int, clock: Clock, catalogue: Catalogue) -> None:
    stories, parents, by_number = [], {}, {}
    for number in numbers:
        story, kind = draw_story(number, seed, clock, catalogue)
        settle(story, live(story, kind, catalogue), catalogue)
        stories.append(story)
        by_number[number] = story.account
        place, dozen = number % DOZEN, number // DOZEN
        if 0 < place <= dozen % 4:
            parents[number] = by_number[number - place]
    write(stories, clock, parents)


def _analyse() -> None:
    """Tell the database what it holds now, so that the first pages are planned well."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE (SKIP_LOCKED)" if connection.vendor == "postgresql" else "ANALYZE")
