"""Write stories by the hundred: bulk inserts with what services compute, then the dated histories."""

import datetime as dt
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

from django.db import models

from accounts.models import (
    Account,
    AccountTechnology,
    AccountValue,
    Activity,
    Consent,
    Contact,
    ContactAccount,
    ContactValue,
    Contract,
    Evidence,
    ExternalId,
    Need,
    Note,
    Opportunity,
    OpportunityContact,
    OpportunityLine,
    OpportunityValue,
    Provenance,
    Purchase,
    RecordChange,
    SupportCase,
    SurveyAnswer,
    Task,
)
from accounts.services import accounts, contacts, opportunities
from accounts.services.activities import record_activities
from accounts.services.histories import replace_all_histories
from accounts.services.money import RateBook, fill_reporting
from accounts.services.saving import after_bulk_write
from segmentation_crm.common.bulk_insert import bulk_insert, bulk_rewrite

from .catalogue import SOURCE
from .story import Clock, Row, Story

# In this order: notes before the evidence taken from them.
_CHILDREN: tuple[type[models.Model], ...] = (
    AccountValue, ContactValue, AccountTechnology, Need, Consent, ExternalId, Provenance, OpportunityLine,
    OpportunityContact, OpportunityValue, Purchase, SupportCase, SurveyAnswer, Note, Evidence, Task,
)  # fmt: skip
_WITH_MONEY = (OpportunityLine, Purchase, Contract, SupportCase)
_BULK_NAMES = {OpportunityLine: "line_item", Purchase: "purchase", Contract: "contract", SupportCase: "support_case"}


def write(stories: Sequence[Story], clock: Clock, parents: dict[int, Account]) -> None:
    """Write the accounts of these stories with all that hangs on them (about 80 queries).

    parents: number of the story -> account above it, written before or in this call.
    """
    book = RateBook.load()
    _give_way(stories)
    _accounts(stories, book, parents)
    people = [person.contact for story in stories for person in story.people]
    for contact in people:
        contact.account_id = contact.account.pk if contact.account else None
        contacts.fill_computed(contact)
    bulk_insert(people)
    deals = [deal for story in stories for deal in story.deals]
    for deal in deals:
        deal.account_id = deal.account.pk if deal.account else None
        opportunities.fill_computed(deal, book)
    bulk_insert(deals)
    _employments(stories)
    _contracts(stories, book)
    for model in _CHILDREN:
        _insert(model, [row for story in stories for row in story.rows[model]], book)
    record_activities([_made(Activity, row) for story in stories for row in story.rows[Activity]])
    _follow([story.account for story in stories], people, deals, stories)
    _histories(stories)
    _acts(stories)
    _touch(stories, clock)


def _give_way(stories: Sequence[Story]) -> None:
    """Take other domains and addresses where people have them already: of a story before that they kept parts of."""
    domains = [story.account.domain for story in stories]
    taken = set(Account.objects.filter(domain__in=domains).values_list("domain", flat=True))
    for story in stories:
        if story.account.domain in taken:
            core = story.account.domain.removesuffix(".example")
            story.account.domain = free_name(f"{core}-%d.example", _domain_is_taken)
        for person in story.people:
            person.contact.email = f"{person.contact.email.rsplit('@')[0]}@{story.account.domain}"
    give_way_people([person.contact for story in stories for person in story.people])


def give_way_people(people: Sequence[Contact]) -> None:
    """Change addresses that somebody has already (1 query for 500 people)."""
    for start in range(0, len(people), 500):
        part = people[start : start + 500]
        taken = set(Contact.objects.filter(email__in=[one.email for one in part]).values_list("email", flat=True))
        for contact in part:
            if contact.email in taken:
                local, domain = contact.email.rsplit("@")
                contact.email = free_name(f"{local}_%d@{domain}", _email_is_taken)


def free_name(pattern: str, is_taken: Callable[[str], bool]) -> str:
    """Return the first of the numbered names that is free."""
    return next(name for n in count(2) if not is_taken(name := pattern % n))


def _domain_is_taken(domain: str) -> bool:
    return Account.objects.filter(domain=domain).exists()


def _email_is_taken(email: str) -> bool:
    return Contact.objects.filter(email=email).exists()


def _accounts(stories: Sequence[Story], book: RateBook, parents: dict[int, Account]) -> None:
    above = [story for story in stories if story.number not in parents]
    below = [story for story in stories if story.number in parents]
    for level in (above, below):
        for story in level:
            if story.number in parents:
                story.account.parent_account = parents[story.number]
            accounts.fill_computed(story.account, book)
        bulk_insert([story.account for story in level])


def _made(model: type[models.Model], row: Row) -> Any:
    values: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, Row):
            value = value.made
        if isinstance(value, models.Model):
            values[f"{name}_id"] = value.pk
        else:
            values[name] = value
    row.made = model(**values)
    return row.made


def _insert(model: type[models.Model], rows: Sequence[Row], book: RateBook) -> None:
    made = [_made(model, row) for row in rows]
    if model in _WITH_MONEY:
        for one, row in zip(made, rows, strict=True):
            if model is OpportunityLine:
                one.opportunity = row["opportunity"]
            fill_reporting(one, book)
    bulk_insert(made)


def _contracts(stories: Sequence[Story], book: RateBook) -> None:
    """Insert contracts generation by generation: a renewal names the contract before it."""
    left = [row for story in stories for row in story.rows[Contract]]
    while left:
        ready = [row for row in left if row["renewed_from"] is None or row["renewed_from"].made is not None]
        _insert(Contract, ready, book)
        left = [row for row in left if row.made is None]


def _employments(stories: Sequence[Story]) -> None:
    bulk_insert(
        [
            ContactAccount(
                contact=person.contact, account_id=person.contact.account_id, job_title=person.contact.job_title,
                source=SOURCE, created_at=person.contact.created_at,
            )
            for story in stories
            for person in story.people
            if person.contact.account_id is not None
        ]
    )  # fmt: skip


def _follow(
    written: Sequence[Account], people: Sequence[Contact], deals: Sequence[Opportunity], stories: Sequence[Story]
) -> None:
    """Let everything follow that follows a bulk write: hierarchies, matching, customers."""
    after_bulk_write("account", [one.pk for one in written])
    after_bulk_write("contact", [one.pk for one in people])
    after_bulk_write("opportunity", [one.pk for one in deals])
    for model, name in _BULK_NAMES.items():
        after_bulk_write(name, [row.made.pk for story in stories for row in story.rows[model]])


def _histories(stories: Sequence[Story]) -> None:
    ways = ((str(r._meta.model_name), field, r.pk, way) for story in stories for r, field, way in story.past)
    replace_all_histories(ways, SOURCE)


def _acts(stories: Sequence[Story]) -> None:
    """Write who did what to the deals, dated as it happened."""
    rows: list[tuple[dt.datetime, RecordChange]] = []
    for story in stories:
        for record, moment, user, action, changes in story.acts:
            kind = str(record._meta.model_name)
            act = RecordChange(
                record_type=kind, record_id=record.pk, at=moment, actor=user, action=action, via="page",
                actor_name=user.display_name if user else "", changes=changes,
            )  # fmt: skip
            rows.append((moment, act))
    bulk_insert([act for _, act in sorted(rows, key=lambda row: row[0])])


def _touch(stories: Sequence[Story], clock: Clock) -> None:
    """Let records be changed last when something last happened to them, not in this minute."""
    touches = {key: day for story in stories for key, day in story.last_touch.items()}
    for records in (
        [story.account for story in stories],
        [person.contact for story in stories for person in story.people],
        [deal for story in stories for deal in story.deals],
    ):
        for record in records:
            moment = clock.at(touches[id(record)]) if id(record) in touches else record.created_at
            record.updated_at = max(moment, record.created_at)
        bulk_rewrite(records, ["updated_at"])
