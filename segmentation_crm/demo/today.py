"""What lies on the reps' desks today, and the last news: tasks, people who changed their job, mentions."""

import random

from accounts.models import Account, Opportunity, OpportunityContact, Task
from accounts.services.contacts import change_job
from accounts.services.work import write_note
from segmentation_crm.common.bulk_insert import bulk_insert
from segmentation_crm.common.effective_time import effective_time
from segmentation_crm.common.models import User

from .catalogue import SOURCE
from .story import Clock

# Days from today of a rep's open tasks: late, due today, to come.
_DUE = (-6, -3, -1, 0, 0, 0, 0, 0, 0, 1, 1, 2, 3, 5, 8, 13)
_TITLES = {
    "call": "Call back: {name}",
    "email": "Send the case study to {name}",
    "meeting": "Prepare the meeting with {name}",
    "follow_up": "Ask {name} whether the offer arrived",
    "proposal": "Finish the offer for {name}",
}


def fill_desks(seed: int, clock: Clock, reps: list[User]) -> None:
    """Give every rep tasks done, late, due today and to come (2 queries a rep)."""
    rng = random.Random(f"{seed}:tasks")  # noqa: S311 (nothing secret)
    for rep in reps:
        deals = list(
            Opportunity.objects.filter(owner=rep, source=SOURCE, stage__is_open=True).order_by("pk")[:40]
        ) or list(Opportunity.objects.filter(owner=rep, source=SOURCE).order_by("pk")[:40])
        tasks = [_task(rng, clock, rep, rng.choice(deals), day, False) for day in _DUE if deals]
        tasks += [_task(rng, clock, rep, rng.choice(deals), -rng.uniform(8, 200), True) for _ in range(25) if deals]
        bulk_insert(tasks)


def _task(rng: random.Random, clock: Clock, rep: User, deal: Opportunity, day: float, done: bool) -> Task:
    type_ = rng.choice(list(_TITLES))
    due = clock.at(int(day) + rng.choice((9, 10, 11, 13, 14, 15.5, 16)) / 24)
    record = {"opportunity": deal} if rng.random() < 0.6 or deal.account_id is None else {"account_id": deal.account_id}
    return Task(
        type=type_, title=_TITLES[type_].format(name=deal.name.split(":")[0])[:255], due_at=due, owner=rep,
        created_by=rep, source=SOURCE, created_at=clock.at(day - 4), done_at=due if done else None,
        outcome=rng.choice(("Done", "Reached", "Left a message")) if done else "", **record,
    )  # fmt: skip


def change_jobs(seed: int, clock: Clock, size: int) -> int:
    """Let some champions of open deals go to another company of the story (about 25 queries each)."""
    rng = random.Random(f"{seed}:jobs")  # noqa: S311 (nothing secret)
    roles = OpportunityContact.objects.filter(opportunity__source=SOURCE, opportunity__stage__is_open=True)
    champions = roles.filter(role="champion", contact__account__isnull=False).select_related("contact").order_by("pk")
    targets = list(Account.objects.filter(source=SOURCE, lifecycle_stage="target").order_by("pk")[:50])
    moved: set[int] = set()
    for role in champions[: max(2, size // 60)]:
        if role.contact_id in moved or not targets:
            continue
        moved.add(role.contact_id)
        day = -float(rng.randint(2, 30))
        with effective_time(clock.at(day)):
            change_job(role.contact, rng.choice(targets), on=clock.date(day), job_title="Head of Planning")
    return len(moved)


def mention(reps: list[User], manager: User) -> None:
    """Let the sales manager name each rep in a note on one of the rep's accounts."""
    for rep in reps:
        account = Account.objects.filter(owner=rep, source=SOURCE).order_by("pk").first()
        if account is not None:
            text = f"@{rep.username} please take the procurement people along before the next offer."
            write_note(account, text, manager, source=SOURCE)
